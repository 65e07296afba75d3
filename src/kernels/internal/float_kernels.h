#pragma once

// The float kernels, spelled once over the vector of vector.h; spectrum.h and attend.h have the
// larger ones.

#include <cstdint>

#include "kernels/internal/attend.h"
#include "kernels/internal/spectrum.h"
#include "kernels/internal/unroll.h"
#include "kernels/internal/vector.h"

namespace lethe::kernels_internal {

template <class V>
void Gelu(float* x, std::int64_t n) {
  Map<V>(x, n, [](V v) {
    const V half = V::Set(0.5f) * v;
    return V::Fma(half, ErfOfNormal(v), half);
  });
}

template <class V>
void TanhAll(float* x, std::int64_t n) {
  Map<V>(x, n, [](V v) { return Tanh(v); });
}

template <class V>
void SiluMultiply(const float* value, const float* gate, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; i += kLanes) {
    const int rest = n - i < kLanes ? static_cast<int>(n - i) : kLanes;
    const V g = V::LoadPartial(gate + i, rest);
    (V::LoadPartial(value + i, rest) * (g * Sigmoid(g))).StorePartial(y + i, rest);
  }
}

// kRows rows side by side: the sum of one waits for each of its additions.
template <class V, int kRows>
[[gnu::always_inline]] inline void LayerNormRows(const float* x, int n, const float* weight,
                                                 float* y) {
  const auto rows = [](auto f) __attribute__((always_inline)) { Unroll<kRows>(f); };
  const auto totals = [](const V(&sum)[kRows], float* total) __attribute__((always_inline)) {
    if constexpr (kRows == 4) {
      V::SumFour(sum, total);
    } else {
      for (int r = 0; r < kRows; ++r) total[r] = sum[r].Sum();
    }
  };
  const float count = static_cast<float>(n);
  const V zero = V::Set(0.0f);
  V sum[kRows], mean[kRows], scale[kRows];
  float total[kRows];
  rows([&]<int r>() __attribute__((always_inline)) { sum[r] = zero; });
  EachVector(
      n, [&](int i, int rest) __attribute__((always_inline)) {
        rows([&]<int r>() __attribute__((always_inline)) {
          sum[r] = sum[r] + V::LoadPartial(x + r * n + i, rest);
        });
      });
  totals(sum, total);
  rows([&]<int r>() __attribute__((always_inline)) {
    mean[r] = V::Set(total[r] / count);
    sum[r] = zero;
  });
  EachVector(
      n, [&](int i, int rest) __attribute__((always_inline)) {
        rows([&]<int r>() __attribute__((always_inline)) {
          const V d = V::KeepFirst(V::LoadPartial(x + r * n + i, rest) - mean[r], rest, zero);
          sum[r] = V::Fma(d, d, sum[r]);
        });
      });
  totals(sum, total);
  rows([&]<int r>() __attribute__((always_inline)) {
    scale[r] = V::Set(1.0f) / V::Sqrt(V::Set(total[r] / count + 1e-5f));
  });
  EachVector(
      n, [&](int i, int rest) __attribute__((always_inline)) {
        const V w = V::LoadPartial(weight + i, rest);
        rows([&]<int r>() __attribute__((always_inline)) {
          ((V::LoadPartial(x + r * n + i, rest) - mean[r]) * scale[r] * w)
              .StorePartial(y + r * n + i, rest);
        });
      });
}

template <class V>
void LayerNorm(const float* x, int m, int n, const float* weight, float* y) {
  int row = 0;
  for (; row + 4 <= m; row += 4, x += 4 * n, y += 4 * n) LayerNormRows<V, 4>(x, n, weight, y);
  for (; row < m; ++row, x += n, y += n) LayerNormRows<V, 1>(x, n, weight, y);
}

template <class V>
void Moments(const float* x, int n, float* sum, float* squares) {
  V first = V::Set(0.0f), second = first;
  EachVector(
      n, [&](int i, int rest) __attribute__((always_inline)) {
        const V v = V::LoadPartial(x + i, rest);
        first = first + v;
        second = V::Fma(v, v, second);
      });
  *sum = first.Sum();
  *squares = second.Sum();
}

template <class V>
void NeighbourProducts(const float* x, int m, int n, float* squares, float* products) {
  for (int row = 0; row < m; ++row, x += n) {
    const bool last = row + 1 == m;
    const float* next = last ? x : x + n;
    V square = V::Set(0.0f), product = square;
    EachVector(
        n, [&](int i, int rest) __attribute__((always_inline)) {
          const V v = V::LoadPartial(x + i, rest);
          square = V::Fma(v, v, square);
          product = V::Fma(v, V::LoadPartial(next + i, rest), product);
        });
    squares[row] = square.Sum();
    if (!last) products[row] = product.Sum();
  }
}

template <class V>
void ScaleColumns(float* x, int m, int n, const float* scale, const float* shift) {
  for (int row = 0; row < m; ++row, x += n) {
    EachVector(
        n, [&](int i, int rest) __attribute__((always_inline)) {
          V::Fma(V::LoadPartial(x + i, rest), V::LoadPartial(scale + i, rest),
                 V::LoadPartial(shift + i, rest))
              .StorePartial(x + i, rest);
        });
  }
}

template <class V>
void Relu(float* x, std::int64_t n) {
  Map<V>(x, n, [](V v) { return V::Max(v, V::Set(0.0f)); });
}

template <class V>
void Rotate(float* x, int heads, int d, const float* angles, int turned, float scale) {
  const V factor = V::Set(scale);
  float* turning = x;
  for (int head = 0; head < heads; ++head, turning += d) {
    EachVector(
        turned, [&](int i, int rest) __attribute__((always_inline)) {
          (V::Turn(V::LoadPartial(turning + i, rest), V::LoadPartial(angles + i, rest)) * factor)
              .StorePartial(turning + i, rest);
        });
  }
  if (scale == 1.0f) return;
  // A loop of its own: a load that overlaps a masked store waits for it, also behind the mask,
  // where the next head is.
  x += turned;
  for (int head = 0; head < heads && turned < d; ++head, x += d) {
    EachVector(
        d - turned, [&](int i, int rest) __attribute__((always_inline)) {
          (V::LoadPartial(x + i, rest) * factor).StorePartial(x + i, rest);
        });
  }
}

template <class V>
void QuantizeShorts(const float* x, int m, int k, std::int64_t ldx, int largest, std::int16_t* q,
                    std::int64_t ldq, float* scale) {
  const V limit = V::Set(static_cast<float>(largest)), lowest = V::Set(0.0f) - limit;
  for (int i = 0; i < m; ++i, x += ldx, q += ldq) {
    // Of two the second is taken where one of them is no number.
    V loudest = V::Set(1e-30f);
    EachVector(
        k, [&](int p, int rest) __attribute__((always_inline)) {
          loudest = V::Max(V::Abs(V::LoadPartial(x + p, rest)), loudest);
        });
    const float most = V::Min(loudest, V::Set(3.4e38f)).Largest();
    const V inverse = V::Set(static_cast<float>(largest) / most);
    EachVector(
        k, [&](int p, int rest) __attribute__((always_inline)) {
          const V value = V::Max(V::LoadPartial(x + p, rest) * inverse, lowest);
          V::Round(V::Min(value, limit)).StoreShorts(q + p);
        });
    scale[i] = most / static_cast<float>(largest);
  }
}

template <class V>
void ArgmaxLogSumExp(const float* x, int n, int* index, float* log_sum) {
  const V lowest = V::Set(-3.0e38f);
  const auto load = [=](int i, V behind) __attribute__((always_inline)) {
    const int rest = n - i < kLanes ? n - i : kLanes;
    return V::KeepFirst(V::LoadPartial(x + i, rest), rest, behind);
  };
  // Four side by side, for each waits for the one before it.
  V largest[4] = {lowest, lowest, lowest, lowest};
  int i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    Unroll<4>([&]<int j>() __attribute__((always_inline)) {
      largest[j] = V::Max(largest[j], V::Load(x + i + j * kLanes));
    });
  }
  for (; i < n; i += kLanes) largest[0] = V::Max(largest[0], load(i, lowest));
  const float top =
      V::Max(V::Max(largest[0], largest[1]), V::Max(largest[2], largest[3])).Largest();
  const V zero = V::Set(0.0f), all = V::Set(top);
  V sum = zero;
  EachVector(
      n, [&](int at, int rest) __attribute__((always_inline)) {
        // The largest is 2^0 to the last bit, so that no logarithm of a probability is above 0.
        const V t = (V::LoadPartial(x + at, rest) - all) * V::Set(kLog2E);
        sum = sum + V::KeepFirst(ByteScale2<V>(V::Max(t, V::Set(-126.0f))), rest, zero);
      });
  *index = 0;
  for (i = 0; i < n; i += kLanes) {
    const std::uint32_t lanes = load(i, lowest).AtLeast(all);
    if (lanes == 0) continue;
    *index = i + __builtin_ctz(lanes);
    break;
  }
  *log_sum = top + __builtin_logf(sum.Sum() / 255.0f);
}

template <class V>
void LstmCell(const float* gates, int h, float* cell, float* hidden) {
  for (int i = 0; i < h; i += kLanes) {
    const V input = Sigmoid(V::Load(gates + i));
    const V forget = Sigmoid(V::Load(gates + h + i));
    const V candidate = Tanh(V::Load(gates + 2 * h + i));
    const V output = Sigmoid(V::Load(gates + 3 * h + i));
    const V c = V::Fma(forget, V::Load(cell + i), input * candidate);
    c.Store(cell + i);
    (output * Tanh(c)).Store(hidden + i);
  }
}

// How a row with values from `lowest` to `highest`, widened to hold 0, is quantised. Returns 255 /
// range, or 0 for a row of zeros.
static inline float ScaleOfRange(float lowest, float highest, RowScale* row) {
  const float range = highest - lowest;
  if (!(range > 1e-30f)) {
    *row = {1.0f, 0, 0};
    return 0.0f;
  }
  const float inverse = 255.0f / range;
  // Adding and taking away 1.5 * 2^23 rounds a float of this size to the even integer.
  const float magic = 12582912.0f;
  const float zero = (-lowest * inverse + magic) - magic;
  row->scale = range / 255.0f;
  // What is no number, too: an infinite range has none.
  row->zero = static_cast<std::int32_t>(!(zero > 0.0f) ? 0.0f : zero > 255.0f ? 255.0f : zero);
  row->sum = 0;
  return inverse;
}

template <class V>
inline float RowRange(const float* x, int k, RowScale* row) {
  V low = V::Set(0.0f), high = V::Set(0.0f);
  EachVector(
      k, [&](int i, int rest) __attribute__((always_inline)) {
        const V v = V::LoadPartial(x + i, rest);
        low = V::Min(low, v);
        high = V::Max(high, v);
      });
  return ScaleOfRange(low.Smallest(), high.Largest(), row);
}

}  // namespace lethe::kernels_internal
