#pragma once

// Products with the signs of weights, and what makes their largest outputs exact; for the AVX-512
// and the AMX table.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/signs.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// Of 64 outputs at a time. Every table is looked up in one register; four bytes are added before
// they have to be widened, the even and the odd ones apart.
inline void SignSums(const std::uint8_t* code, int k_padded,
                     const kernels_internal::SignTable& table, float* to) {
  const __m512i half = _mm512_set1_epi8(15);
  // Even and odd bytes: every other sum's low byte is wrong by what its high byte was, which is
  // known in the end.
  __m512i mixed = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
  const auto look_up = [](const std::uint8_t* entry, __m512i at) __attribute__((always_inline)) {
    const __m128i sixteen = _mm_load_si128(reinterpret_cast<const __m128i*>(entry));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(sixteen), at);
  };
  for (int g = 0; g < k_padded / 4; g += 4, code += 128) {
    const __m512i first = _mm512_loadu_si512(code), second = _mm512_loadu_si512(code + 64);
    const __m512i low =
        _mm512_add_epi8(look_up(table.entry[g], _mm512_and_si512(first, half)),
                        look_up(table.entry[g + 2], _mm512_and_si512(second, half)));
    const __m512i high = _mm512_add_epi8(
        look_up(table.entry[g + 1], _mm512_and_si512(_mm512_srli_epi16(first, 4), half)),
        look_up(table.entry[g + 3], _mm512_and_si512(_mm512_srli_epi16(second, 4), half)));
    const __m512i sum = _mm512_add_epi8(low, high);
    mixed = _mm512_add_epi16(mixed, sum);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(sum, 8));
  }
  const __m512i even = _mm512_sub_epi16(mixed, _mm512_slli_epi16(odd, 8));
  const auto store = [](__m256i sums, float* out) __attribute__((always_inline)) {
    _mm512_store_ps(out, _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums)));
  };
  store(_mm512_castsi512_si256(even), to);
  store(_mm512_extracti64x4_epi64(even, 1), to + 16);
  store(_mm512_castsi512_si256(odd), to + 32);
  store(_mm512_extracti64x4_epi64(odd, 1), to + 48);
}

void VnniGemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows, const SignWeights& w,
                  float* y, std::int64_t ldy) {
  kernels_internal::GemmU8U1<Avx512Vector>(
      a, m, lda, rows, w, y, ldy,
      [&](const std::uint8_t* code, const kernels_internal::SignTable& table, float* to)
          __attribute__((always_inline)) { SignSums(code, w.k_padded, table, to); });
}

void VnniRefineLargest(const std::uint8_t* a, const RowScale& row, const PackedWeights& w,
                       const SignWeights& signs, float* y) {
  // Behind a row's end are the next one's weights, and zeros behind that of `a`.
  kernels_internal::RefineLargest<Avx512Vector>(
      a, row, w, signs, y, [&](const std::int8_t* weight) __attribute__((always_inline)) {
        __m512i sum = _mm512_setzero_si512();
        for (int p = 0; p < w.k; p += 64) {
          sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(a + p), _mm512_loadu_si512(weight + p));
        }
        return _mm512_reduce_add_epi32(sum);
      });
}

}  // namespace
}  // namespace lethe
