#pragma once

// The product of 16-bit integers; for the AVX2 and the AVX-VNNI table.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx2/integer.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// kRows rows by 16 outputs, from output n on; kMultiplyAdd(sum, row, column) adds two products of
// s16 a lane.
template <auto kMultiplyAdd, int kRows>
void ShortTile(const std::int16_t* x, std::int64_t ldx, const float* scale, const ShortWeights& w,
               int n, float* y, std::int64_t ldy) {
  __m256i sum[kRows][2];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    sum[i][0] = sum[i][1] = _mm256_setzero_si256();
  });
  const std::int16_t* weight = w.weight + std::int64_t{n} * w.k;
  for (int p = 0; p < w.k; p += 2, weight += 32) {
    const auto* from = reinterpret_cast<const __m256i*>(weight);
    const __m256i column[2] = {_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)};
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      int both;
      __builtin_memcpy(&both, x + i * ldx + p, sizeof(both));
      const __m256i two = _mm256_set1_epi32(both);
      kMultiplyAdd(&sum[i][0], two, column[0]);
      kMultiplyAdd(&sum[i][1], two, column[1]);
    });
  }
  Unroll<2>([&]<int h>() __attribute__((always_inline)) {
    const int at = n + 8 * h;
    const __m256 by = _mm256_loadu_ps(w.scale + at);
    const __m256 bias = w.bias != nullptr ? _mm256_loadu_ps(w.bias + at) : _mm256_setzero_ps();
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      _mm256_storeu_ps(y + i * ldy + at,
                       _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[i][h]),
                                       _mm256_mul_ps(_mm256_set1_ps(scale[i]), by), bias));
    });
  });
}

template <auto kMultiplyAdd>
void GemmS16(const std::int16_t* x, int m, std::int64_t ldx, const float* scale,
             const ShortWeights& w, float* y, std::int64_t ldy) {
  // Weights of 16 outputs (32 k bytes) stay in the first-level cache while all rows go over them.
  for (int n = 0; n < w.n; n += 16) {
    int i = 0;
    for (; i + 6 <= m; i += 6)
      ShortTile<kMultiplyAdd, 6>(x + i * ldx, ldx, scale + i, w, n, y + i * ldy, ldy);
    for (; i < m; ++i)
      ShortTile<kMultiplyAdd, 1>(x + i * ldx, ldx, scale + i, w, n, y + i * ldy, ldy);
  }
}

}  // namespace
}  // namespace lethe
