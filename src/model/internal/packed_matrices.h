#pragma once

// Activations that play the part of weights: attention's keys and values, in 8 bits.

#include <cstdint>

#include "base/aligned_vector.h"
#include "kernels/kernels.h"

namespace lethe {

/// Some matrices of n outputs by k inputs each, symmetric, in the layout of PackedWeights. Scores
/// are a product with keys (outputs: places, inputs: a head's dimensions), what attention gives is
/// one with values (outputs: dimensions, inputs: places).
class PackedMatrices {
 public:
  void Resize(int count, int n, int k);

  /// Packs x [n, k], rows ldx apart, as matrix `i`.
  void PackOutputs(const KernelTable& kernels, int i, const float* x, std::int64_t ldx);
  /// Packs the transpose of x [k, n], rows ldx apart; columns are read up to a multiple of 16.
  void PackInputs(const KernelTable& kernels, int i, const float* x, std::int64_t ldx);

  PackedWeights View(int i) const;
  /// Asks for the weights of matrix `i` to come into the second-level cache.
  void Prefetch(int i) const;

 private:
  std::int64_t Weights(int i) const { return std::int64_t{i} * n_padded_ * k_padded_; }
  std::int64_t Outputs(int i) const { return std::int64_t{i} * n_padded_; }

  int n_ = 0, k_ = 0, n_padded_ = 0, k_padded_ = 0;
  AlignedVector<std::int8_t> weight_;
  AlignedVector<float> scale_;
  AlignedVector<std::int32_t> correction_;
  AlignedVector<std::int32_t> zero_;  // one output each: all have the same
};

}  // namespace lethe
