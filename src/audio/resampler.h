#pragma once

// Any sample rate to the 16 kHz of the models.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/units.h"

namespace lethe {

/// Resamples a stream to kSampleRate, block by block, in bounded memory: Push() a block, Pull()
/// until nothing comes, and so on; Finish() after the last one, and Pull() the rest.
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

  /// No more than this many frames come out of one Pull(). One frame of a 1 Hz recording may
  /// complete millions.
  static constexpr size_t kMaxPull = 8192;

  /// Takes whole frames. Lifetime: borrows them until Pull() returns 0; only then more is pushed
  void Push(std::span<const float> interleaved);

  /// Says that no more will come.
  void Finish();

  /// Replaces `output` by the next frames. Returns how many; 0 is the end of what was pushed, and
  /// after Finish() of everything.
  Result<size_t> Pull(std::vector<float>& output);

 private:
  struct State;
  explicit Resampler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lethe
