#pragma once

// The second half of a product with coarse weights, spelled once for every instruction set.

#include <cstdint>

#include "kernels/kernels.h"

namespace lethe::kernels_internal {

// Makes those outputs in y exact that may be the largest; `panel(n)` computes outputs n..n+15.
//
// An output is off by |x * (w - coarse w)|, at most |x| * |w - coarse w| (Cauchy and Schwarz). So
// the largest of all is no less than the best of the panel that looks best, and what cannot reach
// that is out.
template <class V, class Panel>
inline void Refine(const std::uint8_t* a, const RowScale& row, const PackedWeights& w,
                   const CoarseWeights& coarse, float* y, Panel panel) {
  std::int64_t squares = 0;
  for (int p = 0; p < w.k; ++p) {
    const std::int32_t q = a[p] - row.zero;
    squares += q * q;
  }
  // A little more than the norm: sums of floats are rounded, here and in the outputs.
  const float norm = 1.0001f * row.scale * __builtin_sqrtf(static_cast<float>(squares));
  constexpr float kRounding = 1e-3f;

  const V lowest = V::Set(-3.0e38f);
  const auto load = [&](int n) {
    const int rest = w.n - n < kLanes ? w.n - n : kLanes;
    return V::KeepFirst(V::LoadPartial(y + n, rest), rest, lowest);
  };
  V largest = lowest;
  for (int n = 0; n < w.n; n += kLanes) largest = V::Max(largest, load(n));
  const float top = largest.Largest();
  int first = 0;
  while (first + kLanes < w.n && !load(first).AnyAtLeast(V::Set(top))) first += kLanes;
  panel(first);
  const float best = load(first).Largest() - kRounding;
  // Panels lie here and there: the weights of one are fetched while the one before is computed.
  int fetched = -1;
  for (int n = 0; n < w.n; n += kLanes) {
    const float off = norm * coarse.error[n / kLanes];
    if (n == first || !load(n).AnyAtLeast(V::Set(best - off))) continue;
    const std::int8_t* weight = w.weight + std::int64_t{n} * w.k_padded;
    for (int i = 0; i < w.k_padded * kLanes; i += 64) __builtin_prefetch(weight + i);
    if (fetched >= 0) panel(fetched);
    fetched = n;
  }
  if (fetched >= 0) panel(fetched);
}

}  // namespace lethe::kernels_internal
