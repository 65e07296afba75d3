#include "model/moonshine/internal/frame_merging.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "kernels/kernels.h"

namespace lethe::moonshine {

Shared SharedByPairs(int layer, int layers) {
  if (layer < std::max(2, layers / 2 - 1)) return Shared::kNothing;
  if (layer + 1 == layers) return Shared::kFeedForward;
  return (layer - layers / 2) % 2 == 0 ? Shared::kLayer : Shared::kFeedForward;
}

std::vector<std::uint8_t> LikePairs(const KernelTable& kernels, const float* vectors, int frames,
                                    int n, int most) {
  const auto count = static_cast<std::size_t>(frames);
  std::vector<float> squares(count), products(count);
  kernels.neighbour_products(vectors, frames, n, squares.data(), products.data());
  std::vector<std::pair<float, int>> pairs;  // the likeness of a frame and the next
  pairs.reserve(count);
  for (int i = 0; i + 1 < frames; ++i) {
    const float likeness = products[i] / std::sqrt(squares[i] * squares[i + 1]);
    pairs.emplace_back(std::isfinite(likeness) ? likeness : 0.0f, i);
  }
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<std::uint8_t> begins(count), taken(count);
  for (const auto& [likeness, i] : pairs) {
    if (most == 0) break;
    if (taken[i] != 0 || taken[i + 1] != 0) continue;
    begins[i] = taken[i] = taken[i + 1] = 1;
    --most;
  }
  return begins;
}

int PairMeans(std::span<const std::uint8_t> begins_pair, int n, const float* x, float* means) {
  const std::size_t frames = begins_pair.size();
  float* to = means;
  for (std::size_t i = 0; i < frames; ++i, to += n, x += n) {
    if (begins_pair[i] == 0) {
      if (to != x) std::copy_n(x, n, to);
    } else {
      for (int j = 0; j < n; ++j) to[j] = 0.5f * (x[j] + x[n + j]);
      ++i;
      x += n;
    }
  }
  return static_cast<int>((to - means) / n);
}

void SpreadMeans(std::span<const std::uint8_t> begins_pair, int n, const float* means, float* x) {
  for (std::size_t i = 0; i < begins_pair.size(); ++i, means += n, x += n) {
    if (begins_pair[i] == 0) {
      std::copy_n(means, n, x);
    } else {
      for (int j = 0; j < n; ++j) {
        const float half = 0.5f * (x[j] - x[n + j]);
        x[j] = means[j] + half;
        x[n + j] = means[j] - half;
      }
      ++i;
      x += n;
    }
  }
}

void MergePlaces(std::span<const std::uint8_t> begins_pair, std::vector<std::uint16_t>* first) {
  const std::size_t frames = begins_pair.size();
  LETHE_CHECK(first->size() == frames + 1);
  std::size_t merged = 0;
  for (std::size_t i = 0; i < frames; ++i) {
    (*first)[merged++] = (*first)[i];
    if (begins_pair[i] != 0) ++i;
  }
  (*first)[merged] = first->back();
  first->resize(merged + 1);
}

void MergePairs(std::span<const std::uint8_t> begins_pair, int n, AlignedVector<float>* x,
                std::vector<std::uint16_t>* first) {
  LETHE_CHECK(x->size() == begins_pair.size() * static_cast<std::size_t>(n));
  MergePlaces(begins_pair, first);
  const std::int64_t merged = PairMeans(begins_pair, n, x->data(), x->data());
  // What was behind them was somebody's voice.
  std::fill(x->begin() + merged * n, x->end(), 0.0f);
  x->resize(static_cast<std::size_t>(merged * n));
}

}  // namespace lethe::moonshine
