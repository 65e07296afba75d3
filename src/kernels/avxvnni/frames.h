#pragma once

// Attention over frames with AVX-VNNI; see internal/attend_frames.h.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx2/frames.h"
#include "kernels/avxvnni/integer.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

struct AvxVnniFrames : Avx2Frames {
  static constexpr int kStep = 4;

  static void MultiplyAdd(__m256i* sum, __m256i queries, __m256i row) {
    MultiplyAddBytes(sum, queries, row);
  }
  static const char* PrepareRows(const PackedWeights& w, char*) {
    return reinterpret_cast<const char*>(w.weight);
  }
  static __m256i Quad(__m256i a, __m256i b, __m256i c, __m256i d) {
    return _mm256_or_si256(_mm256_or_si256(a, _mm256_slli_epi32(b, 8)),
                           _mm256_or_si256(_mm256_slli_epi32(c, 16), _mm256_slli_epi32(d, 24)));
  }
  static void StoreSteps(const Ints (&q)[4], char* to, Ints* total) {
    const __m256i ones = _mm256_set1_epi8(1);
    const __m256i low = Quad(q[0].low, q[1].low, q[2].low, q[3].low);
    const __m256i high = Quad(q[0].high, q[1].high, q[2].high, q[3].high);
    MultiplyAddBytes(&total->low, low, ones);
    MultiplyAddBytes(&total->high, high, ones);
    auto* halves = reinterpret_cast<__m256i*>(to);
    _mm256_storeu_si256(halves, low);
    _mm256_storeu_si256(halves + 1, high);
  }
};

}  // namespace
}  // namespace lethe
