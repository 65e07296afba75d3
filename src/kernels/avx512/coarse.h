#pragma once

// Products with weights of 4 bits, and what makes their largest outputs exact; for the AVX-512 and
// the AMX table.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/refine.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

inline __m512i BroadcastFour(const std::uint8_t* a) {
  int four;
  __builtin_memcpy(&four, a, sizeof(four));
  return _mm512_set1_epi32(four);
}

// kRows rows by all outputs; weights are read in the order they lie in, as by VnniOneRow(). Low and
// high halves have sums of their own.
template <int kRows>
void CoarseRows(const std::uint8_t* a, int lda, const RowScale* rows, const CoarseWeights& w,
                float* y, std::int64_t ldy) {
  const __m512i half = _mm512_set1_epi8(15);
  const std::uint8_t* weight = w.weight;
  for (int n = 0; n < w.n_padded; n += 16) {
    // A row waits for its own last addition; with few of them, every other step has sums of its
    // own.
    constexpr int kChains = kRows <= 2 ? 2 : 1;
    __m512i low[kChains][kRows], high[kChains][kRows];
    Unroll<kChains>([&]<int c>() __attribute__((always_inline)) {
      Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
        low[c][i] = high[c][i] = _mm512_setzero_si512();
      });
    });
    const auto step = [&]<int c>(int p) __attribute__((always_inline)) {
      _mm_prefetch(reinterpret_cast<const char*>(weight + kOneRowAhead), _MM_HINT_T0);
      const __m512i both = _mm512_loadu_si512(weight);
      weight += 64;
      const __m512i first = _mm512_and_si512(both, half);
      const __m512i second = _mm512_and_si512(_mm512_srli_epi16(both, 4), half);
      Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
        const std::uint8_t* from = a + std::int64_t{i} * lda + p;
        MultiplyAdd(&low[c][i], BroadcastFour(from), first);
        MultiplyAdd(&high[c][i], BroadcastFour(from + 4), second);
      });
    };
    int p = 0;
    if constexpr (kChains == 2) {
      for (; p + 16 <= w.k_padded; p += 16) {
        step.template operator()<0>(p);
        step.template operator()<1>(p + 8);
      }
    }
    for (; p < w.k_padded; p += 8) step.template operator()<0>(p);
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      if constexpr (kChains == 2) {
        low[0][i] = _mm512_add_epi32(low[0][i], low[1][i]);
        high[0][i] = _mm512_add_epi32(high[0][i], high[1][i]);
      }
    });
    const __m512i correction = _mm512_loadu_si512(w.correction + n);
    const __m512 scale = _mm512_loadu_ps(w.scale + n);
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const RowScale& row = rows[i];
      const __m512i off =
          _mm512_add_epi32(_mm512_set1_epi32(8 * row.sum),
                           _mm512_mullo_epi32(correction, _mm512_set1_epi32(row.zero)));
      const __m512 sum =
          _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_add_epi32(low[0][i], high[0][i]), off));
      _mm512_storeu_ps(y + i * ldy + n,
                       _mm512_mul_ps(sum, _mm512_mul_ps(_mm512_set1_ps(row.scale), scale)));
    });
  }
}

void VnniGemmU8U4(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                  const CoarseWeights& w, float* y, std::int64_t ldy) {
  int i = 0;
  const auto take = [&](auto function, int count) {
    function(a + std::int64_t{i} * lda, lda, rows + i, w, y + i * ldy, ldy);
    i += count;
  };
  while (i + 8 <= m) take(CoarseRows<8>, 8);
  if (i + 4 <= m) take(CoarseRows<4>, 4);
  if (i + 2 <= m) take(CoarseRows<2>, 2);
  if (i < m) take(CoarseRows<1>, 1);
}

void VnniRefineLargest(const std::uint8_t* a, const RowScale& row, const PackedWeights& w,
                       const CoarseWeights& coarse, float* y) {
  kernels_internal::Refine<Avx512Vector>(a, row, w, coarse, y,
                                         [&](int n) { VnniPanel<0>(a, row, w, n, y, false); });
}

}  // namespace
}  // namespace lethe
