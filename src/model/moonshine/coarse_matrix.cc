#include "model/moonshine/internal/coarse_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tensor/quantized_linear.h"

namespace lethe::moonshine {
namespace {

constexpr float kStep = 0.335f;
constexpr int kMiddle = 8;

}  // namespace

CoarseMatrix::CoarseMatrix(const PackedWeights& w)
    : n_padded_(w.n_padded), k_padded_(RoundUp(w.k, 8)) {
  weight_.resize(static_cast<std::size_t>(n_padded_) * k_padded_ / 2);
  scale_.resize(static_cast<std::size_t>(n_padded_));
  correction_.resize(scale_.size());
  error_.resize(static_cast<std::size_t>(n_padded_ / kLanes));
  std::vector<float> row(static_cast<std::size_t>(k_padded_));
  for (int n = 0; n < n_padded_; ++n) {
    const std::int8_t* from =
        w.weight + std::int64_t{n / kLanes} * w.k_padded * kLanes + (n % kLanes) * 4;
    float squares = 0;
    for (int i = 0; i < w.k; ++i) {
      row[i] = static_cast<float>(from[(i / 4) * 64 + i % 4] - w.zero[n]);
      squares += row[i] * row[i];
    }
    // In steps of the 8-bit weights, for now.
    const float step = std::max(kStep * std::sqrt(squares / static_cast<float>(w.k)), 1e-6f);
    std::uint8_t* to =
        weight_.data() + std::int64_t{n / kLanes} * k_padded_ * kLanes / 2 + (n % kLanes) * 4;
    const float inverse = 1 / step;
    float off = 0;
    std::int32_t sum = 0;
    for (int i = 0; i < w.k; ++i) {
      // Half a step more than the middle, cut: rounds to the nearest.
      const int q = static_cast<int>(std::clamp(row[i] * inverse + (kMiddle + 0.5f), 0.5f, 15.5f));
      const float error = row[i] - step * static_cast<float>(q - kMiddle);
      off += error * error;
      sum += q - kMiddle;
      to[(i / 8) * 64 + i % 4] |= static_cast<std::uint8_t>(q << (i % 8 < 4 ? 0 : 4));
    }
    scale_[n] = w.scale[n] * step;
    correction_[n] = sum;
    float& error = error_[n / kLanes];
    error = std::max(error, std::abs(w.scale[n]) * std::sqrt(off));
  }
}

CoarseWeights CoarseMatrix::View() const {
  return {.n_padded = n_padded_,
          .k_padded = k_padded_,
          .weight = weight_.data(),
          .scale = scale_.data(),
          .correction = correction_.data(),
          .error = error_.data()};
}

}  // namespace lethe::moonshine
