#pragma once

// Any sample rate to the 16 kHz of the models.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/units.h"

namespace lethe {

/// Resamples a stream to kSampleRate, block by block, in bounded memory.
///
/// Shapes:   [n, channels] f32 -> [m, channels] f32; in total m = round(n * 16000 / input_rate)
/// Units:    output sample i is the sound at i / 16000 s: the filter's delay is taken out
/// Accuracy: linear phase, 20 bits; the stop band is more than 100 dB down. 16 kHz passes unchanged
/// Thread:   one at a time
/// Source:   libsoxr 0.1.3, soxr.h, quality SOXR_HQ
class Resampler {
 public:
  /// Errors: kInvalidArgument for a rate or a channel count beyond audio_source.h's limits;
  ///         kResourceExhausted when memory is short
  static Result<Resampler> Create(int input_rate, int channels);
  ~Resampler();
  Resampler(Resampler&& other) noexcept;
  Resampler& operator=(Resampler&& other) noexcept;

  /// Takes whole frames and appends what they complete to `output`.
  Status Push(std::span<const float> interleaved, std::vector<float>& output);

  /// Appends the rest. Nothing may be pushed afterwards.
  Status Finish(std::vector<float>& output);

 private:
  struct State;
  explicit Resampler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lethe
