#pragma once

// The signs of a matrix's weights, made when a model is loaded.

#include <cstdint>
#include <vector>

#include "base/large_pages.h"
#include "kernels/kernels.h"

namespace lethe::moonshine {

/// Owns what SignWeights views.
class SignMatrix {
 public:
  SignMatrix() = default;
  /// Of a matrix of at most kMaxSignDepth inputs.
  explicit SignMatrix(const PackedWeights& weights);

  /// Lifetime: no longer than this
  SignWeights View() const;

 private:
  // Of output n: its scale, its error and, from `code` on, its signs.
  void TakeSigns(const PackedWeights& w, int n, std::uint8_t* code);

  int n_ = 0, k_ = 0, n_padded_ = 0, k_padded_ = 0;
  LargePages weight_, code_;
  std::vector<float> mean_, scale_, error_;
};

}  // namespace lethe::moonshine
