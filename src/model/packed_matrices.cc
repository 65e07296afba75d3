#include "model/internal/packed_matrices.h"

#include <cstddef>

#include "tensor/quantized_linear.h"

namespace lethe {
namespace {

// What a kernel may read behind the last weight.
constexpr std::size_t kSlack = 1024;

}  // namespace

void PackedMatrices::Resize(int count, int n, int k) {
  n_ = n;
  k_ = k;
  n_padded_ = RoundUp(n, kLanes);
  k_padded_ = RoundUp(k, 4);
  weight_.resize(static_cast<std::size_t>(Weights(count)) + kSlack);
  scale_.resize(static_cast<std::size_t>(Outputs(count)));
  correction_.resize(scale_.size());
  zero_.resize(static_cast<std::size_t>(n_padded_), 0);
}

void PackedMatrices::PackOutputs(const KernelTable& kernels, int i, const float* x,
                                 std::int64_t ldx) {
  kernels.pack_outputs(x, n_, k_, ldx, weight_.data() + Weights(i), scale_.data() + Outputs(i),
                       correction_.data() + Outputs(i));
}

void PackedMatrices::PackInputs(const KernelTable& kernels, int i, const float* x,
                                std::int64_t ldx) {
  kernels.pack_inputs(x, k_, n_, ldx, weight_.data() + Weights(i), scale_.data() + Outputs(i),
                      correction_.data() + Outputs(i));
}

void PackedMatrices::Prefetch(int i) const {
  constexpr int kLine = 64, kIntoSecondLevel = 2;
  const std::int8_t* weight = weight_.data() + Weights(i);
  for (std::int64_t at = 0; at < Weights(1); at += kLine) {
    __builtin_prefetch(weight + at, 0, kIntoSecondLevel);
  }
}

PackedWeights PackedMatrices::View(int i) const {
  return {.n = n_,
          .k = k_,
          .n_padded = n_padded_,
          .k_padded = k_padded_,
          .weight = weight_.data() + Weights(i),
          .scale = scale_.data() + Outputs(i),
          .zero = zero_.data(),
          .correction = correction_.data() + Outputs(i),
          .bias = nullptr};
}

}  // namespace lethe
