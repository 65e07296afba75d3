#pragma once

// The units that cross module borders.

#include <chrono>
#include <cstdint>

namespace lethe {

using Millis = std::chrono::milliseconds;

/// A position in a stream, in samples at the rate the text says (16 kHz unless said otherwise).
using SampleIndex = std::int64_t;

/// What every model of ours hears: 16 kHz, mono, in [-1, 1].
inline constexpr int kSampleRate = 16'000;

/// Converts a 16 kHz sample position to time, rounded to the nearest millisecond.
constexpr Millis SamplesToMillis(SampleIndex samples) {
  return Millis((samples * 1000 + kSampleRate / 2) / kSampleRate);
}

constexpr SampleIndex MillisToSamples(Millis time) { return time.count() * kSampleRate / 1000; }

}  // namespace lethe
