#pragma once

// Attention over frames with products of 16 bits; see internal/attend_frames.h.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx2/vector.h"
#include "kernels/internal/vector.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

struct Avx2Frames {
  using V = Avx2Vector;
  static constexpr int kVectors = 1, kStep = 2, kRows = 4;
  static constexpr bool kTilesApart = false;

  struct Ints {
    __m256i low, high;
    static Ints Zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
    static Ints Add(Ints a, Ints b) {
      return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
    }
    static Ints Less(Ints sum, Ints zero, std::int32_t n) {
      const __m256i count = _mm256_set1_epi32(n);
      return {_mm256_sub_epi32(sum.low, _mm256_mullo_epi32(zero.low, count)),
              _mm256_sub_epi32(sum.high, _mm256_mullo_epi32(zero.high, count))};
    }
    static __m256i Byte(__m256i n) {
      return _mm256_min_epi32(_mm256_max_epi32(n, _mm256_setzero_si256()), _mm256_set1_epi32(255));
    }
    static Ints Byte(Ints n) { return {Byte(n.low), Byte(n.high)}; }
    static Ints Rounded(V x) { return {_mm256_cvtps_epi32(x.low), _mm256_cvtps_epi32(x.high)}; }
    V Floats() const { return {_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high)}; }
  };
  using Register = __m256i;
  static __m256i Zero() { return _mm256_setzero_si256(); }
  static __m256i Load(const char* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static __m256i Broadcast(const char* p) {
    int two;
    __builtin_memcpy(&two, p, sizeof(two));
    return _mm256_set1_epi32(two);
  }

  static void MultiplyAdd(__m256i* sum, __m256i queries, __m256i row) {
    lethe::MultiplyAdd(sum, queries, row);
  }
  // In 16 bits, two inputs a step.
  static const char* PrepareRows(const PackedWeights& w, char* to) {
    const __m256i apart = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    const std::int64_t groups = std::int64_t{w.n_padded} / 16 * (w.k_padded / 4);
    const std::int8_t* from = w.weight;
    char* step = to;
    for (std::int64_t g = 0; g < groups; ++g, from += 64, step += 128) {
      for (int r = 0; r < 4; ++r) {  // four rows of the group
        const __m256i four = _mm256_permutevar8x32_epi32(
            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 16 * r))),
            apart);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(step + 16 * r), _mm256_castsi256_si128(four));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(step + 64 + 16 * r),
                         _mm256_extracti128_si256(four, 1));
      }
    }
    return to;
  }
  static Ints ByteExp(V s, V offset) { return Ints::Rounded(kernels_internal::ByteExp(s, offset)); }
  static void StoreSteps(const Ints (&q)[4], char* to, Ints* total) {
    *total = Ints::Add(*total, Ints::Add(Ints::Add(q[0], q[1]), Ints::Add(q[2], q[3])));
    auto* halves = reinterpret_cast<__m256i*>(to);
    for (int s = 0; s < 2; ++s, halves += 2) {
      const Ints &a = q[2 * s], &b = q[2 * s + 1];
      _mm256_storeu_si256(halves, _mm256_or_si256(a.low, _mm256_slli_epi32(b.low, 16)));
      _mm256_storeu_si256(halves + 1, _mm256_or_si256(a.high, _mm256_slli_epi32(b.high, 16)));
    }
  }
};

}  // namespace
}  // namespace lethe
