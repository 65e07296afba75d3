#pragma once

// Products with the signs of weights, by AVX2; the AVX-VNNI table has them from the AVX2 one.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx2/vector.h"
#include "kernels/internal/signs.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

using kernels_internal::Unroll;

// As the AVX-512 table does it, of 64 outputs at a time.
template <class Take>
[[gnu::always_inline]] inline void SignSums(const std::uint8_t* code, int k_padded,
                                            const kernels_internal::SignTable& table,
                                            const Take& take) {
  const __m256i low = _mm256_set1_epi8(7);
  const auto look_up = [](const std::uint8_t* entry, __m256i at) __attribute__((always_inline)) {
    const __m128i sixteen = _mm_load_si128(reinterpret_cast<const __m128i*>(entry));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteen), at);
  };
  __m256i mixed[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  __m256i odd[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (int g = 0; g < k_padded / kernels_internal::kGroup; g += 4, code += 4 * kSignOutputs) {
    Unroll<2>([&]<int h>() __attribute__((always_inline)) {
      __m256i sum = _mm256_setzero_si256();
      Unroll<4>([&]<int i>() __attribute__((always_inline)) {
        const __m256i six =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(code + i * kSignOutputs + 32 * h));
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(six, 3), low);
        const std::uint8_t* entry = table.entry[g + i];
        sum = _mm256_add_epi8(sum, _mm256_add_epi8(look_up(entry, _mm256_and_si256(six, low)),
                                                   look_up(entry + 16, high)));
      });
      mixed[h] = _mm256_add_epi16(mixed[h], sum);
      odd[h] = _mm256_add_epi16(odd[h], _mm256_srli_epi16(sum, 8));
    });
  }
  const auto give = [&take](int n, __m256i sums) __attribute__((always_inline)) {
    const auto floats = [](__m128i eight) __attribute__((always_inline)) {
      return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(eight));
    };
    take(n, Avx2Vector{floats(_mm256_castsi256_si128(sums)),
                       floats(_mm256_extracti128_si256(sums, 1))});
  };
  Unroll<2>([&]<int h>() __attribute__((always_inline)) {
    give(16 * h, _mm256_sub_epi16(mixed[h], _mm256_slli_epi16(odd[h], 8)));
    give(32 + 16 * h, odd[h]);
  });
}

inline void GemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                     const SignWeights& w, float* y, std::int64_t ldy) {
  kernels_internal::GemmU8U1<Avx2Vector>(
      a, m, lda, rows, w, y, ldy, kernels_internal::FillByThrees,
      [&](const std::uint8_t* code, const kernels_internal::SignTable& table, const auto& take)
          __attribute__((always_inline)) {
            for (int n = 0; n < kSignOutputs; n += 64) {
              SignSums(
                  code + n, w.k_padded,
                  table, [&](int i, Avx2Vector sums) __attribute__((always_inline)) {
                    take(n + i, sums);
                  });
            }
          });
}

}  // namespace
}  // namespace lethe
