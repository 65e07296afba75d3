#pragma once

// Products with the signs of weights, and what makes their largest outputs exact; spelled once for
// every instruction set.

#include <cstdint>

#include "kernels/kernels.h"

namespace lethe::kernels_internal {

// What a row adds to an output's sum for each combination of four signs, as bytes below 64: four of
// them fit a byte. Entries are value * step + offset, the offsets add up to `offset`.
struct SignTable {
  alignas(64) std::uint8_t entry[kMaxSignDepth / 4][16];
  float slope, offset;  // sum over k of sign * x = slope * (sum of entries) + offset
  float base;           // x * mean
};

template <class V>
void MakeSignTable(const std::uint8_t* a, const RowScale& row, const SignWeights& w,
                   SignTable* table) {
  alignas(64) std::int32_t x[kMaxSignDepth];
  alignas(64) float means[kLanes] = {};
  for (int p = 0; p < w.k_padded; ++p) x[p] = p < w.k ? a[p] - row.zero : 0;
  for (int p = 0; p < w.k; p += kLanes) {
    const int rest = w.k - p < kLanes ? w.k - p : kLanes;
    for (int j = 0; j < rest; ++j) {
      means[j] = __builtin_fmaf(static_cast<float>(x[p + j]), w.mean[p + j], means[j]);
    }
  }
  table->base = row.scale * V::Load(means).Sum();
  std::int32_t farthest = 1, all = 0;
  const auto reach = [&x](int p) {
    std::int32_t sum = 0;
    for (int j = 0; j < 4; ++j) sum += x[p + j] < 0 ? -x[p + j] : x[p + j];
    return sum;
  };
  for (int p = 0; p < w.k_padded; p += 4) {
    const std::int32_t sum = reach(p);
    if (sum > farthest) farthest = sum;
    all += sum;
  }
  // In steps of 2^-16: 63 for the farthest, from end to end.
  const std::int32_t step = 63 * 32768 / farthest;
  for (int p = 0; p < w.k_padded; p += 4) {
    const std::int32_t sum = reach(p);
    for (int c = 0; c < 16; ++c) {
      const std::int32_t value =
          ((c & 1) != 0 ? x[p] : -x[p]) + ((c & 2) != 0 ? x[p + 1] : -x[p + 1]) +
          ((c & 4) != 0 ? x[p + 2] : -x[p + 2]) + ((c & 8) != 0 ? x[p + 3] : -x[p + 3]);
      table->entry[p / 4][c] = static_cast<std::uint8_t>(((value + sum) * step + 32768) >> 16);
    }
  }
  table->slope = row.scale * (65536.0f / static_cast<float>(step));
  table->offset = row.scale * static_cast<float>(-all);
}

// `sums(code, table, to)` adds up what the table has for kSignOutputs outputs.
template <class V, class Sums>
void GemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows, const SignWeights& w,
              float* y, std::int64_t ldy, Sums sums) {
  constexpr int kRows = 8;
  SignTable tables[kRows];
  alignas(64) float sum[kSignOutputs];
  for (int first = 0; first < m; first += kRows) {
    const int count = m - first < kRows ? m - first : kRows;
    for (int i = 0; i < count; ++i) {
      MakeSignTable<V>(a + std::int64_t{first + i} * lda, rows[first + i], w, &tables[i]);
    }
    const std::uint8_t* code = w.code;
    for (int n = 0; n < w.n_padded; n += kSignOutputs, code += w.k_padded * (kSignOutputs / 8)) {
      for (int i = 0; i < count; ++i) {
        const SignTable& table = tables[i];
        sums(code, table, sum);
        float* to = y + (first + i) * ldy + n;
        for (int j = 0; j < kSignOutputs && n + j < w.n; j += kLanes) {
          const int rest = w.n - n - j < kLanes ? w.n - n - j : kLanes;
          const V signs = V::Fma(V::Load(sum + j), V::Set(table.slope), V::Set(table.offset));
          V::Fma(signs, V::Load(w.scale + n + j), V::Set(table.base)).StorePartial(to + j, rest);
        }
      }
    }
  }
}

// Makes those outputs in y exact that may be the largest; `dot(weights)` is the sum of a row of
// k 8-bit weights times the row's bytes.
template <class V, class Dot>
void RefineLargest(const std::uint8_t* a, const RowScale& row, const PackedWeights& w,
                   const SignWeights& signs, float* y, Dot dot) {
  std::int64_t squares = 0;
  for (int p = 0; p < w.k; ++p) {
    const std::int32_t q = a[p] - row.zero;
    squares += q * q;
  }
  const float norm = kSignDeviations * row.scale * __builtin_sqrtf(static_cast<float>(squares));
  // Rows lie here and there: some are asked for before the first of them is computed.
  constexpr int kAhead = 64;
  int waiting[kAhead], count = 0;
  float best = -3.0e38f;
  const auto compute = [&] {
    for (int i = 0; i < count; ++i) {
      const int n = waiting[i];
      const std::int32_t sum = dot(signs.weight + std::int64_t{n} * w.k) -
                               (w.zero[n] * row.sum + row.zero * w.correction[n]);
      y[n] = static_cast<float>(sum) * (row.scale * w.scale[n]);
      if (y[n] > best) best = y[n];
    }
    count = 0;
  };
  const auto take = [&](int n, std::uint32_t lanes) {
    // Behind the last output is nothing, whatever an estimate was that is no number.
    if (w.n - n < kLanes) lanes &= (1u << (w.n - n)) - 1;
    for (; lanes != 0; lanes &= lanes - 1) {
      const int at = n + __builtin_ctz(lanes);
      const std::int8_t* weight = signs.weight + std::int64_t{at} * w.k;
      for (int i = 0; i < w.k + 63; i += 64) __builtin_prefetch(weight + i);
      waiting[count++] = at;
      if (count == kAhead) compute();
    }
  };
  const V lowest = V::Set(-3.0e38f);
  const auto load = [&](int n) {
    const int rest = w.n - n < kLanes ? w.n - n : kLanes;
    return V::KeepFirst(V::LoadPartial(y + n, rest), rest, lowest);
  };
  // First what looks best, which is as much as the largest of all has to be.
  V largest = lowest;
  for (int n = 0; n < w.n; n += kLanes) largest = V::Max(largest, load(n));
  const V top = V::Set(w.n < kLanes ? largest.Largest() : largest.Smallest());
  for (int n = 0; n < w.n; n += kLanes) take(n, load(n).AtLeast(top));
  compute();
  const V least = V::Set(best);
  for (int n = 0; n < w.n; n += kLanes) {
    const V most = V::Fma(V::Load(signs.error + n), V::Set(norm), load(n));
    take(n, most.AtLeast(least));
  }
  compute();
}

}  // namespace lethe::kernels_internal
