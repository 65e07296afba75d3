#pragma once

// Attention of one query, and the way of activations into 8 bits for that of many, over the vector
// of vector.h.

#include <cstdint>

#include "kernels/internal/unroll.h"
#include "kernels/internal/vector.h"

namespace lethe::kernels_internal {

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
  // A block's additions wait for each other, so blocks go side by side.
  constexpr int kBlocks = 4;
  int t = 0;
  for (; t + kBlocks * kLanes <= count; t += kBlocks * kLanes) {
    AttendScores<V, kBlocks>(query, d, keys + std::int64_t{t} * d, scores + t);
  }
  const int rest = (count - t + kLanes - 1) / kLanes;
  const std::uint16_t* last = keys + std::int64_t{t} * d;
  if (rest == 4) AttendScores<V, 4>(query, d, last, scores + t);
  if (rest == 3) AttendScores<V, 3>(query, d, last, scores + t);
  if (rest == 2) AttendScores<V, 2>(query, d, last, scores + t);
  if (rest == 1) AttendScores<V, 1>(query, d, last, scores + t);
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
    V largest = V::Set(1e-30f);
    for (int p = 0; p < k; ++p) largest = V::Max(largest, V::Abs(V::Load(x + p * ldx)));
    const V inverse = V::Set(127.0f) / largest;
    (largest / V::Set(127.0f)).Store(scale + j);
    typename V::Counts counts{};
    for (int p = 0; p < k; p += 4, weight += 4 * kLanes) {
      V q[4];
      for (int r = 0; r < 4; ++r) {
        q[r] = p + r < k ? V::Load(x + (p + r) * ldx) * inverse : V::Set(0.0f);
      }
      V::StoreQuads(q, weight, &counts);
    }
    V::StoreCounts(counts, correction + j);
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

}  // namespace lethe::kernels_internal
