#pragma once

// The float kernels, spelled once over a vector of 16 lanes.
//
// V is the vector of one instruction set. It is a type of an unnamed namespace in the file that
// includes this header, so that every instantiation stays local to that file. V supplies
//   V::Load(p) Store(p) LoadPartial(p, n) (missing lanes 0) StorePartial(p, n) V::Set(x)
//   a + b, a - b, a * b, a / b, V::Fma(a, b, c) = a * b + c rounded once, V::Max, V::Min
//   V::Sqrt, V::Round (to even), V::Abs, V::CopySign(magnitude, sign), V::Scale2(x, n) = x * 2^n
//   for integral n in [-126, 127], V::Turn(x, angles): pairs (a, b) of x by pairs (c, s) of angles,
//   (a * c - b * s, b * c + a * s), V::KeepFirst(v, n, other): the first n lanes of v, the rest of
//   other; AnyAtLeast(limit): whether a lane is no less than that of limit
//   Sum(), Largest(), Smallest(): over the lanes, in the order kernels.h describes
//   V::LoadHalf(p), StoreHalf(p): 16 values in half precision, rounded to even
//   of integral values: StoreInts(p) as s32, StoreBytes(p) their low 8 bits, V::StoreQuads(q, p)
//   the low 8 bits of four vectors interleaved, those of a lane together
//   V::StoreTransposed(x, ldx, n, m, y, ldy): x [n, m] becomes y [m, n], rows ldx and ldy apart
// and kColumns, the number of vectors that Sgemm keeps side by side, kRowColumns, the same for one
// row, kAttendVectors, the same for the values of Attend.

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

// 255 * exp(s - top) for bytes, s <= top, out of offset = ByteExpOffset(top); relative error below
// 5e-6. 2^f between -1/2 and 1/2 is interpolated at Chebyshev's five points. What is below 2^-16
// stays there, and is 0 when it is rounded.
constexpr float kLog2E = 1.44269504088896341f;

template <class V>
inline V ByteExpOffset(V top) {
  return V::Set(0.0f) - top * V::Set(kLog2E);
}

template <class V>
inline V ByteExp(V s, V offset) {
  const V t = V::Max(V::Fma(s, V::Set(kLog2E), offset), V::Set(-16.0f));
  const V n = V::Round(t);
  const V f = t - n;
  V p = V::Set(2.464923971f);
  p = V::Fma(p, f, V::Set(14.260103840f));
  p = V::Fma(p, f, V::Set(61.256990047f));
  p = V::Fma(p, f, V::Set(176.745866527f));
  p = V::Fma(p, f, V::Set(255.0f));
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

// erf(x / sqrt 2), x cut to [-4.5, 4.5]: x * p(x * x), p interpolated at Chebyshev's eleven points
// of that range; |error| <= 5e-6 inside, 7e-6 beyond. No exponential and no division: bytes are
// made of what comes of it.
template <class V>
inline V ErfOfNormal(V x) {
  const V z = V::Min(V::Max(x, V::Set(-4.5f)), V::Set(4.5f));
  const V u = V::Fma(z * z, V::Set(2.0f / 20.25f), V::Set(-1.0f));
  V p = V::Set(0.00189190852f);
  p = V::Fma(p, u, V::Set(-0.00467411332f));
  p = V::Fma(p, u, V::Set(0.00560577246f));
  p = V::Fma(p, u, V::Set(-0.0105163772f));
  p = V::Fma(p, u, V::Set(0.0227274183f));
  p = V::Fma(p, u, V::Set(-0.0380319561f));
  p = V::Fma(p, u, V::Set(0.0566215516f));
  p = V::Fma(p, u, V::Set(-0.0802211664f));
  p = V::Fma(p, u, V::Set(0.109395714f));
  p = V::Fma(p, u, V::Set(-0.154387518f));
  p = V::Fma(p, u, V::Set(0.313809993f));
  return z * p;
}

// f(i, count) for each vector of n values: i is where it begins, count how many lanes it has. All
// but the last have the constant kLanes, for which masks fall away.
template <class F>
[[gnu::always_inline]] inline void EachVector(int n, F f) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, kLanes);
  if (i < n) f(i, n - i);
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

template <class V>
void LayerNorm(const float* x, int m, int n, const float* weight, float* y) {
  const float count = static_cast<float>(n);
  const V zero = V::Set(0.0f);
  for (int row = 0; row < m; ++row, x += n, y += n) {
    V sum = zero;
    EachVector(
        n, [&](int i, int rest)
               __attribute__((always_inline)) { sum = sum + V::LoadPartial(x + i, rest); });
    const V mean = V::Set(sum.Sum() / count);
    V squares = zero;
    EachVector(
        n, [&](int i, int rest) __attribute__((always_inline)) {
          const V d = V::KeepFirst(V::LoadPartial(x + i, rest) - mean, rest, zero);
          squares = V::Fma(d, d, squares);
        });
    const V scale = V::Set(1.0f) / V::Sqrt(V::Set(squares.Sum() / count + 1e-5f));
    EachVector(
        n, [&](int i, int rest) __attribute__((always_inline)) {
          ((V::LoadPartial(x + i, rest) - mean) * scale * V::LoadPartial(weight + i, rest))
              .StorePartial(y + i, rest);
        });
  }
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
void Magnitudes(const float* a, const float* b, int n, float* y) {
  EachVector(
      n, [&](int i, int rest) __attribute__((always_inline)) {
        const V u = V::LoadPartial(a + i, rest), v = V::LoadPartial(b + i, rest);
        V::Sqrt(u * u + v * v).StorePartial(y + i, rest);
      });
}

template <class V>
void Relu(float* x, std::int64_t n) {
  Map<V>(x, n, [](V v) { return V::Max(v, V::Set(0.0f)); });
}

template <class V>
void Rotate(float* x, int heads, int d, const float* angles, int turned, float scale) {
  const V factor = V::Set(scale);
  for (int head = 0; head < heads; ++head, x += d) {
    EachVector(
        turned, [&](int i, int rest) __attribute__((always_inline)) {
          (V::Turn(V::LoadPartial(x + i, rest), V::LoadPartial(angles + i, rest)) * factor)
              .StorePartial(x + i, rest);
        });
    if (d == turned) continue;
    EachVector(
        d - turned, [&](int i, int rest) __attribute__((always_inline)) {
          (V::LoadPartial(x + turned + i, rest) * factor).StorePartial(x + turned + i, rest);
        });
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
  // One row waits for b, and reads as much of a row of it as there are registers.
  constexpr int kWide = V::kRowColumns * kLanes;
  const int wide = n / kWide * kWide;
  for (; i < m; ++i, a += row_stride, c += ldc) {
    SgemmRows<V, 1, V::kRowColumns>(wide, k, a, row_stride, column_stride, b, ldb, bias, c, ldc);
    SgemmRows<V, 1, 4>(n - wide, k, a, row_stride, column_stride, b + wide, ldb,
                       bias != nullptr ? bias + wide : nullptr, c + wide, ldc);
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
    EachVector(
        n, [&](int i, int rest) __attribute__((always_inline)) {
          largest = V::Max(largest, V::KeepFirst(V::LoadPartial(s + i, rest), rest, lowest));
        });
    const V offset = ByteExpOffset(V::Set(largest.Largest()));
    V sum = zero;
    EachVector(
        n, [&](int i, int rest) __attribute__((always_inline)) {
          const V q =
              V::KeepFirst(V::Round(ByteExp(V::LoadPartial(s + i, rest), offset)), rest, zero);
          sum = sum + q;
          q.StoreBytes(a + i);
        });
    for (int i = (n + kLanes - 1) / kLanes * kLanes; i < lda; i += kLanes) zero.StoreBytes(a + i);
    // Sums of small integers: exact, and 255 at least.
    const float total = sum.Sum();
    rows[row] = {1.0f / total, 0, static_cast<std::int32_t>(total)};
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
void PackOutputs(const float* x, int n, int k, std::int64_t ldx, std::int8_t* weight, float* scale,
                 std::int32_t* correction) {
  alignas(64) float columns[kMaxPackDepth * kLanes];
  const std::int64_t panel = std::int64_t{(k + 3) / 4 * 4} * kLanes;
  for (int row = 0; row < n; row += kLanes, weight += panel, x += kLanes * ldx) {
    const int rows = n - row < kLanes ? n - row : kLanes;
    if (rows < kLanes) {
      for (int i = 0; i < k; ++i) V::Set(0.0f).Store(columns + i * kLanes);
    }
    V::StoreTransposed(x, ldx, rows, k, columns, kLanes);
    PackInputs<V>(columns, k, kLanes, kLanes, weight, scale + row, correction + row);
  }
}

template <class V>
void ArgmaxLogSumExp(const float* x, int n, int* index, float* log_sum) {
  const V lowest = V::Set(-3.0e38f);
  V largest = lowest;
  EachVector(
      n, [&](int i, int rest) __attribute__((always_inline)) {
        largest = V::Max(largest, V::KeepFirst(V::LoadPartial(x + i, rest), rest, lowest));
      });
  const float top = largest.Largest();
  V sum = V::Set(0.0f);
  EachVector(
      n, [&](int i, int rest) __attribute__((always_inline)) {
        sum =
            sum + V::KeepFirst(Exp(V::LoadPartial(x + i, rest) - V::Set(top)), rest, V::Set(0.0f));
      });
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

// How a row with values from `lowest` to `highest`, widened to hold 0, is quantised. Returns 255 /
// range, or 0 for a row of zeros.
inline float ScaleOfRange(float lowest, float highest, RowScale* row) {
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
  row->zero = static_cast<std::int32_t>(zero < 0.0f ? 0.0f : zero > 255.0f ? 255.0f : zero);
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
