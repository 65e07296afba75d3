#pragma once

// The signs of a matrix's weights, made when a model is loaded.

#include <cstdint>
#include <span>

#include "base/aligned_vector.h"
#include "base/large_pages.h"
#include "kernels/kernels.h"

namespace lethe::moonshine {

/// Owns what SignWeights views.
class SignMatrix {
 public:
  SignMatrix() = default;
  /// Of a matrix of at most kMaxSignDepth inputs, for input vectors of which element i is mostly as
  /// wide as `widths[i]`.
  SignMatrix(const PackedWeights& weights, std::span<const float> widths);

  /// Whether the signs may be trusted to tell which output is the largest: where few inputs are
  /// much wider than the others, in weights and vectors, or where something is no number, products
  /// are not off as a normal distribution is.
  bool trusted() const { return trusted_; }

  /// Lifetime: no longer than this
  SignWeights View() const;

 private:
  // Of output n: its scale, its error and, from `code` on, its signs; adds to the squares of inputs
  // how far each weight is from its mean.
  void TakeSigns(const PackedWeights& w, int n, std::uint8_t* code, std::span<float> squares);
  bool Trusted(std::span<const float> squares, std::span<const float> widths) const;

  int n_ = 0, k_ = 0, n_padded_ = 0, k_padded_ = 0;
  LargePages weight_, code_;
  AlignedVector<float> mean_, scale_, error_;
  bool trusted_ = false;
};

}  // namespace lethe::moonshine
