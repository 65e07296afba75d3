#include "model/moonshine/internal/coarse_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.h"
#include "tensor/quantized_linear.h"

namespace lethe::moonshine {
namespace {

constexpr float kStep = 0.335f;
constexpr int kMiddle = 8;

}  // namespace

CoarseMatrix::CoarseMatrix(const PackedWeights& w)
    : n_padded_(w.n_padded), k_padded_(RoundUp(w.k, 8)) {
  weight_ = LargePages(static_cast<std::size_t>(n_padded_) * k_padded_ / 2);
  LETHE_CHECK(!weight_.bytes().empty());
  auto* weight = reinterpret_cast<std::uint8_t*>(weight_.bytes().data());
  scale_.resize(static_cast<std::size_t>(n_padded_));
  correction_.resize(scale_.size());
  error_.resize(static_cast<std::size_t>(n_padded_ / kLanes));
  // A row, exact and coarse, in steps of the 8-bit weights; zero behind its end. Sums are of
  // integers, so that loops can become vectors: all rows are made before the first word is heard.
  std::vector<std::int32_t> exact(static_cast<std::size_t>(k_padded_));
  std::vector<std::int32_t> coarse(exact.size());
  for (int n = 0; n < n_padded_; ++n) {
    const std::int8_t* from =
        w.weight + std::int64_t{n / kLanes} * w.k_padded * kLanes + (n % kLanes) * 4;
    for (int i = 0; i < w.k; ++i) exact[i] = from[(i / 4) * 64 + i % 4] - w.zero[n];
    std::int64_t squares = 0;
    for (int i = 0; i < w.k; ++i) squares += exact[i] * exact[i];
    const float step =
        std::max(kStep * std::sqrt(static_cast<float>(squares) / static_cast<float>(w.k)), 1e-6f);
    const float inverse = 1 / step;
    for (int i = 0; i < k_padded_; ++i) {
      // Half a step more than the middle, cut: rounds to the nearest.
      const float q = static_cast<float>(exact[i]) * inverse + (kMiddle + 0.5f);
      coarse[i] = static_cast<std::int32_t>(std::min(std::max(q, 0.5f), 15.5f)) - kMiddle;
    }
    std::int64_t product = 0, coarse_squares = 0;
    std::int32_t sum = 0;
    for (int i = 0; i < w.k; ++i) {
      product += exact[i] * coarse[i];
      coarse_squares += coarse[i] * coarse[i];
      sum += coarse[i];
    }
    std::uint8_t* to =
        weight + std::int64_t{n / kLanes} * k_padded_ * kLanes / 2 + (n % kLanes) * 4;
    for (int i = 0; i < k_padded_; i += 8, to += 64) {
      for (int r = 0; r < 4; ++r) {
        const int low = coarse[i + r] + kMiddle, high = coarse[i + 4 + r] + kMiddle;
        to[r] = static_cast<std::uint8_t>(low | high << 4);
      }
    }
    scale_[n] = w.scale[n] * step;
    correction_[n] = sum;
    const double off = static_cast<double>(squares) - 2.0 * step * static_cast<double>(product) +
                       double{step} * step * static_cast<double>(coarse_squares);
    float& error = error_[n / kLanes];
    error =
        std::max(error, std::abs(w.scale[n]) * static_cast<float>(std::sqrt(std::max(off, 0.0))));
  }
}

CoarseWeights CoarseMatrix::View() const {
  return {.n_padded = n_padded_,
          .k_padded = k_padded_,
          .weight = reinterpret_cast<const std::uint8_t*>(weight_.bytes().data()),
          .scale = scale_.data(),
          .correction = correction_.data(),
          .error = error_.data()};
}

}  // namespace lethe::moonshine
