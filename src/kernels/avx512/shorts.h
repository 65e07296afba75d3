#pragma once

// The product of 16-bit integers; for the AVX-512 and the AMX table.

#include <cstdint>

#include <immintrin.h>

#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// kRows rows by kPanels * 16 outputs from output n on.
template <int kRows, int kPanels>
void ShortTile(const std::int16_t* x, std::int64_t ldx, float scale, const ShortWeights& w, int n,
               float* y, std::int64_t ldy) {
  __m512i sum[kRows][kPanels];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kPanels>([&]<int j>()
                        __attribute__((always_inline)) { sum[i][j] = _mm512_setzero_si512(); });
  });
  const std::int64_t panel = std::int64_t{w.k} * 16;
  const std::int16_t* weight = w.weight + n / 16 * panel;
  for (int p = 0; p < w.k; p += 2, weight += 32) {
    __m512i column[kPanels];
    Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
      column[j] = _mm512_loadu_si512(weight + j * panel);
    });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      int two;
      __builtin_memcpy(&two, x + i * ldx + p, sizeof(two));
      const __m512i row = _mm512_set1_epi32(two);
      // As MultiplyAdd(): the intrinsic makes GCC 12 copy the sums.
      Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
        __asm__("vpdpwssd %2, %1, %0" : "+v"(sum[i][j]) : "v"(row), "v"(column[j]));
      });
    });
  }
  Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
    const __m512 by = _mm512_mul_ps(_mm512_set1_ps(scale), _mm512_loadu_ps(w.scale + n + 16 * j));
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      _mm512_storeu_ps(y + i * ldy + n + 16 * j, _mm512_mul_ps(_mm512_cvtepi32_ps(sum[i][j]), by));
    });
  });
}

template <int kPanels>
void ShortPanels(const std::int16_t* x, int m, std::int64_t ldx, float scale, const ShortWeights& w,
                 int n, float* y, std::int64_t ldy) {
  int i = 0;
  const auto take = [&](auto tile, int count) {
    tile(x + i * ldx, ldx, scale, w, n, y + i * ldy, ldy);
    i += count;
  };
  while (i + 12 <= m) take(ShortTile<12, kPanels>, 12);
  if (i + 6 <= m) take(ShortTile<6, kPanels>, 6);
  while (i < m) take(ShortTile<1, kPanels>, 1);
}

void VnniGemmS16(const std::int16_t* x, int m, std::int64_t ldx, float scale, const ShortWeights& w,
                 float* y, std::int64_t ldy) {
  int n = 0;
  for (; n + 32 <= w.n; n += 32) ShortPanels<2>(x, m, ldx, scale, w, n, y, ldy);
  if (n < w.n) ShortPanels<1>(x, m, ldx, scale, w, n, y, ldy);
}

}  // namespace
}  // namespace lethe
