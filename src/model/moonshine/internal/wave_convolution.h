#pragma once

// The first convolution, which hears the samples themselves, as a product of 16-bit integers: twice
// as fast as one of floats, and a hum or an offset may be a hundred times louder than the voice,
// for which 8 bits would not do.

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernels.h"

namespace lethe::moonshine {

/// Taps, each channel's with as many bits as sums of products with 16-bit samples have room for.
class WaveConvolution {
 public:
  WaveConvolution() = default;
  /// Shapes: taps [width, channels], channels a multiple of 16
  WaveConvolution(std::span<const float> taps, int width, int channels);

  int width() const { return width_; }
  int channels() const { return static_cast<int>(scale_.size()); }
  /// Its k is width() made even. Lifetime: no longer than this
  ShortWeights View() const;

 private:
  int width_ = 0;
  std::vector<std::int16_t> weight_;
  std::vector<float> scale_;
};

/// Samples in 16 bits, what a convolution works in.
///
/// Thread: one at a time
class WaveWindows {
 public:
  /// out[t] = what `w` makes of the samples from t * step on, for `count` windows. The loudest of
  /// these samples has all 16 bits; what is no number is as loud.
  ///
  /// Shapes: samples [(count - 1) * step + width] -> out [count, channels]
  void Convolve(const KernelTable& kernels, const float* samples, int count, int step,
                const WaveConvolution& w, float* out);

  /// Until then, somebody's voice is in it.
  void Forget();

 private:
  std::vector<std::int16_t> samples_;
};

}  // namespace lethe::moonshine
