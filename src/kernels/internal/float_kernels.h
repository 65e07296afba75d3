#pragma once

// The float kernels, spelled once over a vector of 16 lanes.
//
// V is the vector of one instruction set. It is a type of an unnamed namespace in the file that
// includes this header, so that every instantiation stays local to that file. V supplies
//   V::Load(p) Store(p) LoadPartial(p, n) (missing lanes 0) StorePartial(p, n) V::Set(x)
//   a + b, a - b, a * b, a / b, V::Fma(a, b, c) = a * b + c rounded once, V::Max, V::Min
//   V::Sqrt, V::Round (to even), V::Abs, V::CopySign(magnitude, sign), V::Scale2(x, n) = x * 2^n
//   for integral n in [-126, 127], V::KeepFirst(v, n, other): the first n lanes of v, the rest of
//   other; AnyAtLeast(limit): whether a lane is no less than that of limit
//   Sum(), Largest(), Smallest(): over the lanes, in the order kernels.h describes
//   V::LoadHalf(p), StoreHalf(p): 16 values in half precision, rounded to even
//   of integral values: StoreInts(p) as s32, StoreBytes(p) their low 8 bits, V::StoreQuads(q, p)
//   the low 8 bits of four vectors interleaved, those of a lane together
// and kColumns, the number of vectors that Sgemm keeps side by side, kAttendVectors, the same for
// the values of Attend.

#include <cstdint>

#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe::kernels_internal {

// exp(x), x clamped to [-86, 88]. Cody and Waite's reduction to |r| <= ln2/2, then a polynomial
// with the coefficients of the Taylor series; relative error below 2e-7.
template <class V>
inline V Exp(V x) {
  x = V::Min(V::Max(x, V::Set(-86.0f)), V::Set(88.0f));
  const V n = V::Round(x * V::Set(1.44269504088896341f));
  V r = V::Fma(n, V::Set(-0.693359375f), x);
  r = V::Fma(n, V::Set(2.12194440054690583e-4f), r);
  V p = V::Set(1.0f / 5040.0f);
  p = V::Fma(p, r, V::Set(1.0f / 720.0f));
  p = V::Fma(p, r, V::Set(1.0f / 120.0f));
  p = V::Fma(p, r, V::Set(1.0f / 24.0f));
  p = V::Fma(p, r, V::Set(1.0f / 6.0f));
  p = V::Fma(p, r, V::Set(0.5f));
  p = V::Fma(p, r, V::Set(1.0f));
  p = V::Fma(p, r, V::Set(1.0f));
  return V::Scale2(p, n);
}

template <class V>
inline V Sigmoid(V x) {
  const V one = V::Set(1.0f);
  return one / (one + Exp(V::Set(0.0f) - x));
}

template <class V>
inline V Tanh(V x) {
  // 1 - 2 / (exp(2|x|) + 1) has no cancellation that matters at 3e-7 absolute.
  const V one = V::Set(1.0f);
  const V magnitude = V::Min(V::Abs(x), V::Set(20.0f));
  const V e = Exp(magnitude + magnitude);
  return V::CopySign(one - V::Set(2.0f) / (e + one), x);
}

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: |error| <= 1.5e-7.
template <class V>
inline V Erf(V x) {
  const V one = V::Set(1.0f);
  const V z = V::Abs(x);
  const V t = one / V::Fma(V::Set(0.3275911f), z, one);
  V p = V::Set(1.061405429f);
  p = V::Fma(p, t, V::Set(-1.453152027f));
  p = V::Fma(p, t, V::Set(1.421413741f));
  p = V::Fma(p, t, V::Set(-0.284496736f));
  p = V::Fma(p, t, V::Set(0.254829592f));
  const V e = Exp(V::Set(0.0f) - z * z);
  return V::CopySign(one - p * t * e, x);
}

// Applies f to n values in place.
template <class V, class F>
inline void Map(float* x, std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(V::Load(x + i)).Store(x + i);
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    f(V::LoadPartial(x + i, rest)).StorePartial(x + i, rest);
  }
}

template <class V>
void Gelu(float* x, std::int64_t n) {
  Map<V>(x, n, [](V v) {
    const V half = V::Set(0.5f) * v;
    return V::Fma(half, Erf(v * V::Set(0.707106781186547524f)), half);
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

template <class V>
void LayerNorm(const float* x, int m, int n, const float* weight, float* y) {
  const float count = static_cast<float>(n);
  for (int row = 0; row < m; ++row, x += n, y += n) {
    V sum = V::Set(0.0f);
    for (int i = 0; i < n; i += kLanes) {
      sum = sum + V::LoadPartial(x + i, n - i < kLanes ? n - i : kLanes);
    }
    const V mean = V::Set(sum.Sum() / count);
    V squares = V::Set(0.0f);
    for (int i = 0; i < n; i += kLanes) {
      const int rest = n - i < kLanes ? n - i : kLanes;
      const V d = V::KeepFirst(V::LoadPartial(x + i, rest) - mean, rest, V::Set(0.0f));
      squares = V::Fma(d, d, squares);
    }
    const V scale = V::Set(1.0f) / V::Sqrt(V::Set(squares.Sum() / count + 1e-5f));
    for (int i = 0; i < n; i += kLanes) {
      const int rest = n - i < kLanes ? n - i : kLanes;
      ((V::LoadPartial(x + i, rest) - mean) * scale * V::LoadPartial(weight + i, rest))
          .StorePartial(y + i, rest);
    }
  }
}

// Rows x Columns vectors of c stay in registers while k runs.
template <class V, int kRows, int kColumns>
inline void SgemmTile(int k, const float* a, std::int64_t row_stride, std::int64_t column_stride,
                      const float* b, std::int64_t ldb, const float* bias, float* c,
                      std::int64_t ldc) {
  V sum[kRows][kColumns];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kColumns>([&]<int j>() __attribute__((always_inline)) {
      sum[i][j] = bias != nullptr ? V::Load(bias + j * kLanes) : V::Set(0.0f);
    });
  });
  for (int p = 0; p < k; ++p) {
    V column[kColumns];
    Unroll<kColumns>([&]<int j>()
                         __attribute__((always_inline)) { column[j] = V::Load(b + j * kLanes); });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const V x = V::Set(a[i * row_stride]);
      Unroll<kColumns>([&]<int j>() __attribute__((always_inline)) {
        sum[i][j] = V::Fma(x, column[j], sum[i][j]);
      });
    });
    a += column_stride;
    b += ldb;
  }
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kColumns>([&]<int j>() __attribute__((always_inline)) {
      sum[i][j].Store(c + i * ldc + j * kLanes);
    });
  });
}

template <class V, int kRows, int kColumns>
inline void SgemmRows(int n, int k, const float* a, std::int64_t row_stride,
                      std::int64_t column_stride, const float* b, std::int64_t ldb,
                      const float* bias, float* c, std::int64_t ldc) {
  int j = 0;
  for (; j + kColumns * kLanes <= n; j += kColumns * kLanes) {
    SgemmTile<V, kRows, kColumns>(k, a, row_stride, column_stride, b + j, ldb,
                                  bias != nullptr ? bias + j : nullptr, c + j, ldc);
  }
  for (; j < n; j += kLanes) {
    SgemmTile<V, kRows, 1>(k, a, row_stride, column_stride, b + j, ldb,
                           bias != nullptr ? bias + j : nullptr, c + j, ldc);
  }
}

template <class V>
void Sgemm(int m, int n, int k, const float* a, std::int64_t row_stride, std::int64_t column_stride,
           const float* b, std::int64_t ldb, const float* bias, float* c, std::int64_t ldc) {
  int i = 0;
  for (; i + 6 <= m; i += 6, a += 6 * row_stride, c += 6 * ldc) {
    SgemmRows<V, 6, V::kColumns>(n, k, a, row_stride, column_stride, b, ldb, bias, c, ldc);
  }
  for (; i + 4 <= m; i += 4, a += 4 * row_stride, c += 4 * ldc) {
    SgemmRows<V, 4, V::kColumns>(n, k, a, row_stride, column_stride, b, ldb, bias, c, ldc);
  }
  for (; i < m; ++i, a += row_stride, c += ldc) {
    SgemmRows<V, 1, 4>(n, k, a, row_stride, column_stride, b, ldb, bias, c, ldc);
  }
}

// What stands between n and the next multiple of 16 becomes 0.
template <class V>
void SoftmaxRow(float* s, int n) {
  const V lowest = V::Set(-3.0e38f);
  V largest = lowest;
  for (int i = 0; i < n; i += kLanes) {
    const int rest = n - i < kLanes ? n - i : kLanes;
    largest = V::Max(largest, V::KeepFirst(V::LoadPartial(s + i, rest), rest, lowest));
  }
  const V top = V::Set(largest.Largest());
  V sum = V::Set(0.0f);
  for (int i = 0; i < n; i += kLanes) {
    const int rest = n - i < kLanes ? n - i : kLanes;
    const V e = V::KeepFirst(Exp(V::LoadPartial(s + i, rest) - top), rest, V::Set(0.0f));
    sum = sum + e;
    e.Store(s + i);
  }
  const V inverse = V::Set(1.0f / sum.Sum());
  for (int i = 0; i < n; i += kLanes) (V::Load(s + i) * inverse).Store(s + i);
}

template <class V>
void ToHalf(const float* x, int n, std::uint16_t* y) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) V::Load(x + i).StoreHalf(y + i);
  if (i == n) return;
  std::uint16_t rest[kLanes];
  V::LoadPartial(x + i, n - i).StoreHalf(rest);
  for (int j = 0; i + j < n; ++j) y[i + j] = rest[j];
}

// Scores of kBlocks * 16 places, a block of keys behind the other.
template <class V, int kBlocks>
inline void AttendScores(const float* query, int d, const std::uint16_t* keys, float* scores) {
  V sum[kBlocks];
  Unroll<kBlocks>([&]<int j>() __attribute__((always_inline)) { sum[j] = V::Set(0.0f); });
  const std::int64_t block = std::int64_t{d} * kLanes;
  for (int i = 0; i < d; ++i, keys += kLanes) {
    const V q = V::Set(query[i]);
    Unroll<kBlocks>([&]<int j>() __attribute__((always_inline)) {
      sum[j] = V::Fma(q, V::LoadHalf(keys + j * block), sum[j]);
    });
  }
  Unroll<kBlocks>([&]<int j>()
                      __attribute__((always_inline)) { sum[j].Store(scores + j * kLanes); });
}

// kVectors * 16 columns of the weighted sum of values, in four chains.
template <class V, int kVectors>
inline void AttendValues(const float* scores, int count, const std::uint16_t* values,
                         std::int64_t value_stride, float* out) {
  V sum[4][kVectors];
  Unroll<4>([&]<int c>() __attribute__((always_inline)) {
    Unroll<kVectors>([&]<int j>() __attribute__((always_inline)) { sum[c][j] = V::Set(0.0f); });
  });
  int t = 0;
  for (; t + 4 <= count; t += 4) {
    Unroll<4>([&]<int c>() __attribute__((always_inline)) {
      const V p = V::Set(scores[t + c]);
      const std::uint16_t* row = values + (t + c) * value_stride;
      Unroll<kVectors>([&]<int j>() __attribute__((always_inline)) {
        sum[c][j] = V::Fma(p, V::LoadHalf(row + j * kLanes), sum[c][j]);
      });
    });
  }
  Unroll<3>([&]<int c>() __attribute__((always_inline)) {
    if (t + c >= count) return;
    const V p = V::Set(scores[t + c]);
    const std::uint16_t* row = values + (t + c) * value_stride;
    Unroll<kVectors>([&]<int j>() __attribute__((always_inline)) {
      sum[c][j] = V::Fma(p, V::LoadHalf(row + j * kLanes), sum[c][j]);
    });
  });
  Unroll<kVectors>([&]<int j>() __attribute__((always_inline)) {
    ((sum[0][j] + sum[2][j]) + (sum[1][j] + sum[3][j])).Store(out + j * kLanes);
  });
}

template <class V>
void Attend(const float* query, int d, const std::uint16_t* keys, const std::uint16_t* values,
            int count, float* scores, float* out) {
  constexpr int kBlocks = 4;
  int t = 0;
  for (; t + kBlocks * kLanes <= count; t += kBlocks * kLanes) {
    AttendScores<V, kBlocks>(query, d, keys + std::int64_t{t} * d, scores + t);
  }
  for (; t < count; t += kLanes) {
    AttendScores<V, 1>(query, d, keys + std::int64_t{t} * d, scores + t);
  }
  SoftmaxRow<V>(scores, count);
  int i = 0;
  for (; i + (V::kAttendVectors - 1) * kLanes < d; i += V::kAttendVectors * kLanes) {
    AttendValues<V, V::kAttendVectors>(scores, count, values + i, d, out + i);
  }
  for (; i < d; i += kLanes) AttendValues<V, 1>(scores, count, values + i, d, out + i);
}

template <class V>
void SoftmaxQuantize(const float* s, int m, int n, std::int64_t ld, std::uint8_t* a, int lda,
                     RowScale* rows) {
  const V lowest = V::Set(-3.0e38f), zero = V::Set(0.0f);
  for (int row = 0; row < m; ++row, s += ld, a += lda) {
    V largest = lowest;
    for (int i = 0; i < n; i += kLanes) {
      const int rest = n - i < kLanes ? n - i : kLanes;
      largest = V::Max(largest, V::KeepFirst(V::LoadPartial(s + i, rest), rest, lowest));
    }
    const V top = V::Set(largest.Largest());
    V sum = zero;
    for (int i = 0; i < lda; i += kLanes) {
      const int rest = n - i < 0 ? 0 : n - i < kLanes ? n - i : kLanes;
      V q = zero;
      if (rest > 0) {
        q = V::Round(Exp(V::LoadPartial(s + i, rest) - top) * V::Set(255.0f));
        q = V::KeepFirst(q, rest, zero);
      }
      sum = sum + q;
      q.StoreBytes(a + i);
    }
    // Sums of small integers: exact, and 255 at least.
    const float total = sum.Sum();
    rows[row] = {1.0f / total, 0, static_cast<std::int32_t>(total)};
  }
}

template <class V>
void PackOutputs(const float* x, int n, int k, std::int64_t ldx, std::int8_t* weight, float* scale,
                 std::int32_t* correction) {
  const int k_padded = (k + 3) / 4 * 4;
  const int n_padded = (n + kLanes - 1) / kLanes * kLanes;
  alignas(64) std::uint8_t q[kMaxPackDepth + kLanes];
  for (int row = 0; row < n_padded; ++row, x += ldx) {
    V largest = V::Set(1e-30f), sum = V::Set(0.0f);
    if (row < n) {
      for (int i = 0; i < k; i += kLanes) {
        largest = V::Max(largest, V::Abs(V::LoadPartial(x + i, k - i < kLanes ? k - i : kLanes)));
      }
    }
    const float most = largest.Largest();
    const V inverse = V::Set(127.0f / most);
    for (int i = 0; i < k_padded; i += kLanes) {
      V v = V::Set(0.0f);
      if (row < n && i < k) {
        v = V::Round(V::LoadPartial(x + i, k - i < kLanes ? k - i : kLanes) * inverse);
      }
      sum = sum + v;
      v.StoreBytes(q + i);
    }
    scale[row] = most / 127.0f;
    correction[row] = static_cast<std::int32_t>(sum.Sum());
    std::int8_t* to = weight + std::int64_t{row / kLanes} * k_padded * kLanes + (row % kLanes) * 4;
    for (int i = 0; i < k_padded; i += 4, to += 4 * kLanes) __builtin_memcpy(to, q + i, 4);
  }
}

template <class V>
void PackInputs(const float* x, int k, int n, std::int64_t ldx, std::int8_t* weight, float* scale,
                std::int32_t* correction) {
  for (int j = 0; j < n; j += kLanes, x += kLanes) {
    V largest = V::Set(1e-30f), sum = V::Set(0.0f);
    for (int p = 0; p < k; ++p) largest = V::Max(largest, V::Abs(V::Load(x + p * ldx)));
    const V inverse = V::Set(127.0f) / largest;
    (largest / V::Set(127.0f)).Store(scale + j);
    for (int p = 0; p < k; p += 4, weight += 4 * kLanes) {
      V q[4];
      for (int r = 0; r < 4; ++r) {
        q[r] = p + r < k ? V::Round(V::Load(x + (p + r) * ldx) * inverse) : V::Set(0.0f);
        sum = sum + q[r];
      }
      V::StoreQuads(q, weight);
    }
    sum.StoreInts(correction + j);
  }
}

template <class V>
void ArgmaxLogSumExp(const float* x, int n, int* index, float* log_sum) {
  const V lowest = V::Set(-3.0e38f);
  V largest = lowest;
  for (int i = 0; i < n; i += kLanes) {
    const int rest = n - i < kLanes ? n - i : kLanes;
    largest = V::Max(largest, V::KeepFirst(V::LoadPartial(x + i, rest), rest, lowest));
  }
  const float top = largest.Largest();
  V sum = V::Set(0.0f);
  for (int i = 0; i < n; i += kLanes) {
    const int rest = n - i < kLanes ? n - i : kLanes;
    sum = sum + V::KeepFirst(Exp(V::LoadPartial(x + i, rest) - V::Set(top)), rest, V::Set(0.0f));
  }
  int at = 0;
  while (at + 1 < n && x[at] != top) ++at;
  *index = at;
  *log_sum = top + __builtin_logf(sum.Sum());
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

// The range of a row, widened to hold 0, and from it the row's scale. Returns 255 / range, or 0 for
// a row of zeros.
template <class V>
inline float RowRange(const float* x, int k, RowScale* row) {
  V low = V::Set(0.0f), high = V::Set(0.0f);
  for (int i = 0; i < k; i += kLanes) {
    const V v = V::LoadPartial(x + i, k - i < kLanes ? k - i : kLanes);
    low = V::Min(low, v);
    high = V::Max(high, v);
  }
  const float lowest = low.Smallest();
  const float range = high.Largest() - lowest;
  if (!(range > 1e-30f)) {
    *row = {1.0f, 0, 0};
    return 0.0f;
  }
  const float inverse = 255.0f / range;
  // Adding and taking away 1.5 * 2^23 rounds a float of this size to the even integer.
  const float magic = 12582912.0f;
  const float zero = (-lowest * inverse + magic) - magic;
  row->scale = range / 255.0f;
  row->zero = static_cast<std::int32_t>(zero < 0.0f ? 0.0f : zero > 255.0f ? 255.0f : zero);
  row->sum = 0;
  return inverse;
}

}  // namespace lethe::kernels_internal
