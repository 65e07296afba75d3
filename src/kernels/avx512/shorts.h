#pragma once

// The product of 16-bit integers; for the AVX-512 and the AMX table.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/integer.h"
#include "kernels/avx512/tile_rows.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// sum += row * column, two s16 by two s16 a lane; in assembly for the reason MultiplyAdd() is.
inline void MultiplyAddShorts(__m512i* sum, __m512i row, __m512i column) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(*sum) : "v"(row), "v"(column));
}

// kRows rows by kPanels * 16 outputs from output n on.
template <int kRows, int kPanels>
void ShortTile(const std::int16_t* x, std::int64_t ldx, const float* scale, const ShortWeights& w,
               int n, float* y, std::int64_t ldy) {
  __m512i sum[kRows][kPanels];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kPanels>([&]<int j>()
                        __attribute__((always_inline)) { sum[i][j] = _mm512_setzero_si512(); });
  });
  const std::int64_t panel = std::int64_t{w.k} * 16;
  const std::int16_t* weight = w.weight + n / 16 * panel;
  TileRows<kRows> tile(x, ldx * static_cast<std::int64_t>(sizeof(*x)));
  for (int p = 0; p < w.k; p += 2, weight += 32, tile.Advance()) {
    __m512i column[kPanels];
    Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
      column[j] = _mm512_loadu_si512(weight + j * panel);
    });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const __m512i row = tile.template Broadcast<i>();
      Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
        MultiplyAddShorts(&sum[i][j], row, column[j]);
      });
    });
  }
  Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
    const int at = n + 16 * j;
    const __m512 by = _mm512_loadu_ps(w.scale + at);
    const __m512 bias = w.bias != nullptr ? _mm512_loadu_ps(w.bias + at) : _mm512_setzero_ps();
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      _mm512_storeu_ps(y + i * ldy + at,
                       _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[i][j]),
                                       _mm512_mul_ps(_mm512_set1_ps(scale[i]), by), bias));
    });
  });
}

// kRows rows by all outputs, so many at a time that none waits for its own last addition.
template <int kRows, int kPanels>
void ShortRows(const std::int16_t* x, std::int64_t ldx, const float* scale, const ShortWeights& w,
               float* y, std::int64_t ldy) {
  int n = 0;
  for (; n + 16 * kPanels <= w.n; n += 16 * kPanels) {
    ShortTile<kRows, kPanels>(x, ldx, scale, w, n, y, ldy);
  }
  for (; n < w.n; n += 16) ShortTile<kRows, 1>(x, ldx, scale, w, n, y, ldy);
}

void VnniGemmS16(const std::int16_t* x, int m, std::int64_t ldx, const float* scale,
                 const ShortWeights& w, float* y, std::int64_t ldy) {
  // Two panels of weights stay in the first-level cache while all rows go over them.
  const int whole = m / 12 * 12;
  for (int n = 0; n < w.n && whole > 0; n += 32) {
    for (int i = 0; i < whole; i += 12) {
      const auto tile = n + 32 <= w.n ? ShortTile<12, 2> : ShortTile<12, 1>;
      tile(x + i * ldx, ldx, scale + i, w, n, y + i * ldy, ldy);
    }
  }
  int i = whole;
  const auto take = [&](auto rows, int count) {
    rows(x + i * ldx, ldx, scale + i, w, y + i * ldy, ldy);
    i += count;
  };
  if (i + 6 <= m) take(ShortRows<6, 2>, 6);
  if (i + 4 <= m) take(ShortRows<4, 4>, 4);
  if (i + 2 <= m) take(ShortRows<2, 4>, 2);
  if (i < m) take(ShortRows<1, 8>, 1);
}

}  // namespace
}  // namespace lethe
