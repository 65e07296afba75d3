#pragma once

// Weights in 16 bits, for products with numbers that 8 bits would spoil: samples, where a hum or an
// offset may be a hundred times louder than the voice.

#include <cstdint>
#include <span>

#include "base/aligned_vector.h"
#include "kernels/kernels.h"

namespace lethe {

/// Owns what ShortWeights views. Each output's weights have as many bits as a sum of their products
/// has room for.
class ShortMatrix {
 public:
  ShortMatrix() = default;
  /// Of products with integers of at most `largest`, as quantize_shorts() makes them.
  /// Shapes: w [k, n], n a multiple of 16
  ShortMatrix(std::span<const float> w, int k, int n, int largest);

  /// Its k is even: a weight that is zero may have been added. Lifetime: no longer than this
  ShortWeights View(const float* bias = nullptr) const;

 private:
  int k_ = 0;
  AlignedVector<std::int16_t> weight_;
  AlignedVector<float> scale_;
};

}  // namespace lethe
