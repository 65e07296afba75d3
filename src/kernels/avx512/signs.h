#pragma once

// Products with the signs of weights, and what makes their largest outputs exact; for the AVX-512
// and the AMX table.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/signs.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// Every table is looked up in one register; four bytes are added before they have to be widened,
// the even and the odd ones apart.
inline void SignSums(const std::uint8_t* code, int k_padded,
                     const kernels_internal::SignTable& table, float* to) {
  constexpr int kVectors = kSignOutputs / 64;
  const __m512i half = _mm512_set1_epi8(15);
  // Even and odd bytes: every other sum's low byte is wrong by what its high byte was, which is
  // known in the end.
  __m512i mixed[kVectors], odd[kVectors];
  Unroll<kVectors>([&]<int v>() __attribute__((always_inline)) {
    mixed[v] = odd[v] = _mm512_setzero_si512();
  });
  for (int g = 0; g < k_padded / 4; g += 4, code += 2 * kSignOutputs) {
    __m512i entry[4];
    Unroll<4>([&]<int i>() __attribute__((always_inline)) {
      entry[i] = _mm512_broadcast_i32x4(
          _mm_load_si128(reinterpret_cast<const __m128i*>(table.entry[g + i])));
    });
    Unroll<kVectors>([&]<int v>() __attribute__((always_inline)) {
      const __m512i first = _mm512_loadu_si512(code + 64 * v);
      const __m512i second = _mm512_loadu_si512(code + kSignOutputs + 64 * v);
      const auto high = [half](__m512i both) __attribute__((always_inline)) {
        return _mm512_and_si512(_mm512_srli_epi16(both, 4), half);
      };
      const __m512i sum = _mm512_add_epi8(
          _mm512_add_epi8(_mm512_shuffle_epi8(entry[0], _mm512_and_si512(first, half)),
                          _mm512_shuffle_epi8(entry[1], high(first))),
          _mm512_add_epi8(_mm512_shuffle_epi8(entry[2], _mm512_and_si512(second, half)),
                          _mm512_shuffle_epi8(entry[3], high(second))));
      mixed[v] = _mm512_add_epi16(mixed[v], sum);
      odd[v] = _mm512_add_epi16(odd[v], _mm512_srli_epi16(sum, 8));
    });
  }
  const auto store = [](__m256i sums, float* out) __attribute__((always_inline)) {
    _mm512_store_ps(out, _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums)));
  };
  Unroll<kVectors>([&]<int v>() __attribute__((always_inline)) {
    const __m512i even = _mm512_sub_epi16(mixed[v], _mm512_slli_epi16(odd[v], 8));
    store(_mm512_castsi512_si256(even), to + 64 * v);
    store(_mm512_extracti64x4_epi64(even, 1), to + 64 * v + 16);
    store(_mm512_castsi512_si256(odd[v]), to + 64 * v + 32);
    store(_mm512_extracti64x4_epi64(odd[v], 1), to + 64 * v + 48);
  });
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
