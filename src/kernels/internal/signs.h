#pragma once

// Products with the signs of weights, and what makes their largest outputs exact; spelled once for
// every instruction set.

#include <cstdint>

#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe::kernels_internal {

constexpr int kGroup = 6;  // signs in a byte

// A row's inputs in few steps: x is about q / step, |q| of six together below 32.
struct SignSteps {
  std::int32_t x[kMaxSignDepth];
  std::int8_t q[kMaxSignDepth];
  std::int32_t step;  // in units of 2^-16
};

static inline void TakeSteps(const std::uint8_t* a, const RowScale& row, const SignWeights& w,
                             SignSteps* to) {
  for (int p = 0; p < w.k_padded; ++p) to->x[p] = p < w.k ? a[p] - row.zero : 0;
  std::int32_t farthest = 1;
  for (int p = 0; p < w.k_padded; p += kGroup) {
    std::int32_t sum = 0;
    for (int j = 0; j < kGroup; ++j) sum += to->x[p + j] < 0 ? -to->x[p + j] : to->x[p + j];
    if (sum > farthest) farthest = sum;
  }
  // 28 in all, and each of the six may be rounded by a half.
  to->step = (28 << 16) / farthest;
  for (int p = 0; p < w.k_padded; ++p) {
    to->q[p] = static_cast<std::int8_t>((to->x[p] * to->step + (1 << 15)) >> 16);
  }
}

// What six inputs add to an output's sum for each combination of their signs, as bytes below 64:
// four of them fit a byte. The sum of the row over k of sign * x is slope * (sum of entries) +
// offset. How entries lie is the business of an instruction set.
struct SignTable {
  alignas(64) std::uint8_t entry[kMaxSignDepth / kGroup][64];
  float slope, offset;
  float base;  // x * mean
};

// `fill(q, entry)` makes the entries of six inputs: the sum of sign * q + |q|.
template <class V, class Fill>
void MakeSignTable(const std::uint8_t* a, const RowScale& row, const SignWeights& w,
                   SignTable* table, Fill fill) {
  SignSteps steps;
  TakeSteps(a, row, w, &steps);
  alignas(64) float means[kLanes] = {};
  for (int p = 0; p < w.k; p += kLanes) {
    const int rest = w.k - p < kLanes ? w.k - p : kLanes;
    for (int j = 0; j < rest; ++j) {
      means[j] = __builtin_fmaf(static_cast<float>(steps.x[p + j]), w.mean[p + j], means[j]);
    }
  }
  table->base = row.scale * V::Load(means).Sum();
  std::int32_t all = 0;
  for (int p = 0; p < w.k_padded; ++p) all += steps.q[p] < 0 ? -steps.q[p] : steps.q[p];
  for (int p = 0; p < w.k_padded; p += kGroup) fill(steps.q + p, table->entry[p / kGroup]);
  table->slope = row.scale * (65536.0f / static_cast<float>(steps.step));
  table->offset = table->slope * static_cast<float>(-all);
}

// For tables of sixteen in a register: those of the first three inputs are [0, 8), those of the
// others [16, 24).
static inline void FillByThrees(const std::int8_t* q, std::uint8_t* entry) {
  for (int half = 0; half < 2; ++half, q += 3, entry += 16) {
    int least = 0;
    for (int j = 0; j < 3; ++j) least += q[j] < 0 ? -2 * q[j] : 0;
    for (int c = 0; c < 8; ++c) {
      entry[c] = static_cast<std::uint8_t>(
          least + 2 * ((c & 1) * q[0] + (c >> 1 & 1) * q[1] + (c >> 2) * q[2]));
    }
  }
}

// `sums(code, table, take)` adds up what the table has for kSignOutputs outputs: take(n, V of those
// of outputs n to n + 15).
template <class V, class Fill, class Sums>
void GemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows, const SignWeights& w,
              float* y, std::int64_t ldy, Fill fill, Sums sums) {
  constexpr int kRows = 12, kRowsInTime = 2;
  SignTable tables[kRows];
  for (int first = 0; first < m; first += kRows) {
    const int count = m - first < kRows ? m - first : kRows;
    for (int i = 0; i < count; ++i) {
      MakeSignTable<V>(a + std::int64_t{first + i} * lda, rows[first + i], w, &tables[i], fill);
    }
    const std::uint8_t* code = w.code;
    const std::int64_t bytes = std::int64_t{w.k_padded} / kGroup * kSignOutputs;
    for (int n = 0; n < w.n_padded; n += kSignOutputs, code += bytes) {
      // Hardware does not fetch far enough ahead of the arithmetic of many rows.
      for (std::int64_t i = 0; count > kRowsInTime && i < bytes; i += 64) {
        __builtin_prefetch(code + bytes + i);
      }
      for (int i = 0; i < count; ++i) {
        const SignTable& table = tables[i];
        const V slope = V::Set(table.slope), offset = V::Set(table.offset);
        const V base = V::Set(table.base);
        float* to = y + (first + i) * ldy + n;
        const auto estimate = [&](int j, V sum) __attribute__((always_inline)) {
          return V::Fma(V::Fma(sum, slope, offset), V::Load(w.scale + n + j), base);
        };
        if (n + kSignOutputs <= w.n) {
          sums(
              code, table, [&](int j, V sum) __attribute__((always_inline)) {
                estimate(j, sum).Store(to + j);
              });
        } else {
          sums(
              code, table, [&](int j, V sum) __attribute__((always_inline)) {
                const int rest = w.n - n - j < kLanes ? w.n - n - j : kLanes;
                if (rest > 0) estimate(j, sum).StorePartial(to + j, rest);
              });
        }
      }
    }
  }
}

constexpr int kDots = 4;

// `dots` of RefineLargest() out of the sum of one row.
template <class Dot>
auto OneByOne(Dot dot) {
  return [dot](const std::int8_t* const(&rows)[kDots], std::int32_t* sums)
      __attribute__((always_inline)) {
    for (int i = 0; i < kDots; ++i) sums[i] = dot(rows[i]);
  };
}

// Makes those outputs in y exact that may be the largest; `dots(rows, sums)` makes the sums of
// kDots rows of k 8-bit weights times the row's bytes, which are zero behind k.
template <class V, class Dots>
void RefineLargest(const std::uint8_t* a, const RowScale& row, const SignWeights& w, float* y,
                   Dots dots) {
  SignSteps steps;
  TakeSteps(a, row, w, &steps);
  // The error of an estimate is that of the signs of x, and what the steps leave of x times scale *
  // sign, with a scale of twice the error at most; a sign and what it leaves of a weight go against
  // each other, so what is left of x adds the more where it goes against x.
  std::int64_t squares = 0, left = 0, along = 0;
  for (int p = 0; p < w.k; ++p) {
    const std::int64_t rest = steps.x[p] * steps.step - steps.q[p] * 65536;
    squares += steps.x[p] * steps.x[p];
    left += rest * rest;
    along += steps.x[p] * rest;
  }
  const float step = static_cast<float>(steps.step);
  const float against = along < 0 ? -static_cast<float>(along) / step : 0.0f;
  const float all =
      static_cast<float>(squares) + 4 * static_cast<float>(left) / (step * step) + 2 * against;
  const float norm = kSignDeviations * row.scale * __builtin_sqrtf(all);
  const int row_bytes = SignRowBytes(w.k);
  const auto row_of = [&w, row_bytes](int n) { return w.weight + std::int64_t{n} * row_bytes; };
  // Rows lie here and there: some are asked for before the first of them is computed.
  constexpr int kAhead = 64;
  int waiting[kAhead + kDots], count = 0;
  float best = -3.0e38f;
  const auto compute = [&] {
    // The last ones are computed again where there are too few.
    for (int i = 0; i < kDots && count > 0; ++i) waiting[count + i] = waiting[count - 1];
    for (int i = 0; i < count; i += kDots) {
      const std::int8_t* rows[kDots];
      std::int32_t sums[kDots];
      for (int j = 0; j < kDots; ++j) rows[j] = row_of(waiting[i + j]);
      dots(rows, sums);
      for (int j = 0; j < kDots; ++j) {
        SignRowEnd end;
        __builtin_memcpy(&end, rows[j] + row_bytes - sizeof(end), sizeof(end));
        const std::int32_t sum = sums[j] - (end.zero * row.sum + row.zero * end.correction);
        const float value = static_cast<float>(sum) * (row.scale * end.scale);
        y[waiting[i + j]] = value;
        if (value > best) best = value;
      }
    }
    count = 0;
  };
  const auto take = [&](int n, std::uint32_t lanes) {
    // Behind the last output is nothing, whatever an estimate was that is no number.
    if (w.n - n < kLanes) lanes &= (1u << (w.n - n)) - 1;
    for (; lanes != 0; lanes &= lanes - 1) {
      const int at = n + __builtin_ctz(lanes);
      for (int i = 0; i < row_bytes; i += 64) __builtin_prefetch(row_of(at) + i);
      waiting[count++] = at;
      if (count == kAhead) compute();
    }
  };
  const V lowest = V::Set(-3.0e38f);
  const auto load = [&](int n) __attribute__((always_inline)) {
    const int rest = w.n - n < kLanes ? w.n - n : kLanes;
    return V::KeepFirst(V::LoadPartial(y + n, rest), rest, lowest);
  };
  // f(n) of each vector of outputs, four side by side.
  const auto each = [&w](auto f) __attribute__((always_inline)) {
    int n = 0;
    for (; n + 4 * kLanes <= w.n; n += 4 * kLanes) f.template operator()<4>(n);
    for (; n < w.n; n += kLanes) f.template operator()<1>(n);
  };
  // Takes those that value<i>(n of the vector) says are at least `limit`.
  const auto take_all = [&](V limit, auto value) __attribute__((always_inline)) {
    each([&]<int kCount>(int n) __attribute__((always_inline)) {
      std::uint32_t lanes[kCount], any = 0;
      Unroll<kCount>([&]<int i>() __attribute__((always_inline)) {
        any |= lanes[i] = value(n + i * kLanes).AtLeast(limit);
      });
      if (any == 0) return;
      for (int i = 0; i < kCount; ++i) take(n + i * kLanes, lanes[i]);
    });
  };
  // First what looks best, which is as much as the largest of all has to be.
  V largest[4] = {lowest, lowest, lowest, lowest};
  each([&]<int kCount>(int n) __attribute__((always_inline)) {
    Unroll<kCount>([&]<int i>() __attribute__((always_inline)) {
      largest[i] = V::Max(largest[i], load(n + i * kLanes));
    });
  });
  const V four = V::Max(V::Max(largest[0], largest[1]), V::Max(largest[2], largest[3]));
  take_all(V::Set(w.n < kLanes ? four.Largest() : four.Smallest()), load);
  compute();
  take_all(
      V::Set(best), [&](int n) __attribute__((always_inline)) {
        return V::Fma(V::Load(w.error + n), V::Set(norm), load(n));
      });
  compute();
}

}  // namespace lethe::kernels_internal
