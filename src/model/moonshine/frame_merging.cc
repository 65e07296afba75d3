#include "model/moonshine/internal/frame_merging.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "kernels/kernels.h"

namespace lethe::moonshine {
namespace {

// In lanes, as the kernels sum (kernels/kernels.h), so that it is a vector's work and has one
// order.
float Product(const float* a, const float* b, int n) {
  float lanes[kLanes] = {};
  for (int i = 0; i < n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

}  // namespace

std::vector<std::uint8_t> LikePairs(const float* vectors, int frames, int n, int most) {
  LETHE_CHECK(n % kLanes == 0);
  std::vector<std::pair<float, int>> pairs;  // the likeness of a frame and the next
  pairs.reserve(static_cast<std::size_t>(frames));
  float before = frames > 0 ? Product(vectors, vectors, n) : 0;
  for (int i = 0; i + 1 < frames; ++i, vectors += n) {
    const float after = Product(vectors + n, vectors + n, n);
    const float likeness = Product(vectors, vectors + n, n) / std::sqrt(before * after);
    pairs.emplace_back(std::isfinite(likeness) ? likeness : 0.0f, i);
    before = after;
  }
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<std::uint8_t> begins(static_cast<std::size_t>(frames)), taken(begins);
  for (const auto& [likeness, i] : pairs) {
    if (most == 0) break;
    if (taken[i] != 0 || taken[i + 1] != 0) continue;
    begins[i] = taken[i] = taken[i + 1] = 1;
    --most;
  }
  return begins;
}

void MergePairs(const std::vector<std::uint8_t>& begins_pair, int n, AlignedVector<float>* x,
                std::vector<std::uint16_t>* first) {
  const std::size_t frames = begins_pair.size();
  LETHE_CHECK(first->size() == frames + 1 && x->size() == frames * static_cast<std::size_t>(n));
  float* to = x->data();
  std::size_t merged = 0;
  for (std::size_t i = 0; i < frames; ++i, to += n) {
    const float* from = x->data() + i * static_cast<std::size_t>(n);
    (*first)[merged++] = (*first)[i];
    if (begins_pair[i] == 0) {
      std::copy_n(from, n, to);
    } else {
      for (int j = 0; j < n; ++j) to[j] = 0.5f * (from[j] + from[n + j]);
      ++i;
    }
  }
  (*first)[merged] = first->back();
  first->resize(merged + 1);
  // What was behind them was somebody's voice.
  std::fill(x->begin() + (to - x->data()), x->end(), 0.0f);
  x->resize(merged * static_cast<std::size_t>(n));
}

}  // namespace lethe::moonshine
