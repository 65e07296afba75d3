#include "model/internal/short_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.h"

namespace lethe {

ShortMatrix::ShortMatrix(std::span<const float> w, int k, int n, int largest)
    : k_(k + k % 2), scale_(static_cast<std::size_t>(n)) {
  LETHE_CHECK(k > 0 && n % kLanes == 0 && largest > 0);
  LETHE_CHECK(w.size() == static_cast<std::size_t>(k) * n);
  // Also when every weight was rounded up.
  const double room = 2147483647.0 / largest - k;
  weight_.resize(static_cast<std::size_t>(k_) * n);
  for (int j = 0; j < n; ++j) {
    double sum = 0, most = 0;
    for (int i = 0; i < k; ++i) {
      const double weight = std::abs(w[static_cast<std::size_t>(i) * n + j]);
      sum += weight;
      most = std::max(most, weight);
    }
    const double scale = std::max(sum / room, most / 32767);
    scale_[j] = static_cast<float>(scale);
    std::int16_t* to = weight_.data() + static_cast<std::size_t>(j / kLanes) * k_ * kLanes;
    for (int i = 0; i < k && scale > 0; ++i) {
      to[i / 2 * 32 + j % kLanes * 2 + i % 2] =
          static_cast<std::int16_t>(std::lround(w[static_cast<std::size_t>(i) * n + j] / scale));
    }
  }
}

ShortWeights ShortMatrix::View(const float* bias) const {
  return {.n = static_cast<int>(scale_.size()),
          .k = k_,
          .weight = weight_.data(),
          .scale = scale_.data(),
          .bias = bias};
}

}  // namespace lethe
