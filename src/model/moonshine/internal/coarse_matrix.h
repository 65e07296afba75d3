#pragma once

// A coarse copy of a matrix, made when a model is loaded.

#include <cstdint>
#include <vector>

#include "base/large_pages.h"
#include "kernels/kernels.h"

namespace lethe::moonshine {

/// Owns what CoarseWeights views. A step of an output's 4 bits is 0.335 of the root of its weights'
/// mean square, the best for a normal distribution in the sense of least squares; weights beyond
/// its reach are cut.
///
/// Source: Max 1960, "Quantizing for minimum distortion", table II
class CoarseMatrix {
 public:
  CoarseMatrix() = default;
  explicit CoarseMatrix(const PackedWeights& weights);

  /// Lifetime: no longer than this
  CoarseWeights View() const;

 private:
  int n_padded_ = 0, k_padded_ = 0;
  LargePages weight_;
  std::vector<float> scale_, error_;
  std::vector<std::int32_t> correction_;
};

}  // namespace lethe::moonshine
