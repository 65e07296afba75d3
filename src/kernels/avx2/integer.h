#pragma once

// Quantisation, for the AVX2 table, from which the AVX-VNNI one has it; what turns integer sums
// into outputs, for both.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx2/vector.h"
#include "kernels/internal/float_kernels.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

using kernels_internal::Unroll;

inline std::int32_t SumOfEight(__m256i x) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return _mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 1);
}

inline void QuantizeRows(const float* x, int m, int k, std::int64_t ldx, std::uint8_t* a, int lda,
                         RowScale* rows) {
  const __m256i ones = _mm256_set1_epi8(1);
  const __m256i pair_ones = _mm256_set1_epi16(1);
  for (int i = 0; i < m; ++i, x += ldx, a += lda) {
    const __m256 inverse = _mm256_set1_ps(kernels_internal::RowRange<Avx2Vector>(x, k, &rows[i]));
    const __m256i zero = _mm256_set1_epi32(rows[i].zero);
    __m256i sum = _mm256_setzero_si256();
    for (int p = 0; p < lda; p += 32) {
      __m256i q[4];
      for (int j = 0; j < 4; ++j) {
        const int at = p + 8 * j;
        const __m256i inside = Avx2Vector::Mask(k, at);
        const __m256 v = at + 8 <= k ? _mm256_loadu_ps(x + at)
                         : at < k    ? _mm256_maskload_ps(x + at, inside)
                                     : _mm256_setzero_ps();
        // A lane behind k is masked to 0, whatever the zero point is.
        q[j] = _mm256_and_si256(
            _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(v, inverse)), zero), inside);
      }
      const __m256i packed =
          _mm256_packus_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
      const __m256i bytes =
          _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(a + p), bytes);
      // At most 510 in 16 bits: no saturation.
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, ones), pair_ones));
    }
    rows[i].sum = SumOfEight(sum);
  }
}

// What turns sums into eight outputs.
struct Outputs {
  Outputs(const PackedWeights& w, int n)
      : zero(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w.zero + n))),
        correction(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w.correction + n))),
        scale(_mm256_loadu_ps(w.scale + n)),
        bias(w.bias != nullptr ? _mm256_loadu_ps(w.bias + n) : _mm256_setzero_ps()) {}
  void Store(__m256i sum, const RowScale& row, float* y, bool accumulate) const {
    const __m256i off =
        _mm256_add_epi32(_mm256_mullo_epi32(zero, _mm256_set1_epi32(row.sum)),
                         _mm256_mullo_epi32(correction, _mm256_set1_epi32(row.zero)));
    __m256 value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sum, off)),
                                   _mm256_mul_ps(_mm256_set1_ps(row.scale), scale), bias);
    if (accumulate) value = _mm256_add_ps(_mm256_loadu_ps(y), value);
    _mm256_storeu_ps(y, value);
  }
  __m256i zero, correction;
  __m256 scale, bias;
};

}  // namespace
}  // namespace lethe
