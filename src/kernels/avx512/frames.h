#pragma once

// Attention over frames with VNNI; see internal/attend_frames.h.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

struct Avx512Frames {
  using V = Avx512Vector;
  static constexpr int kVectors = 3, kStep = 4, kRows = 8;
  static constexpr bool kTilesApart = true;

  struct Ints {
    __m512i v;
    static Ints Zero() { return {_mm512_setzero_si512()}; }
    static Ints Add(Ints a, Ints b) { return {_mm512_add_epi32(a.v, b.v)}; }
    static Ints Less(Ints sum, Ints zero, std::int32_t n) {
      return {_mm512_sub_epi32(sum.v, _mm512_mullo_epi32(zero.v, _mm512_set1_epi32(n)))};
    }
    static Ints Byte(Ints n) {
      return {
          _mm512_min_epi32(_mm512_max_epi32(n.v, _mm512_setzero_si512()), _mm512_set1_epi32(255))};
    }
    static Ints Rounded(V x) { return {x.Ints()}; }
    V Floats() const { return {_mm512_cvtepi32_ps(v)}; }
  };
  using Register = __m512i;
  static __m512i Zero() { return _mm512_setzero_si512(); }
  static __m512i Load(const char* p) { return _mm512_loadu_si512(p); }
  static __m512i Broadcast(const char* p) {
    int four;
    __builtin_memcpy(&four, p, sizeof(four));
    return _mm512_set1_epi32(four);
  }

  static const char* PrepareRows(const PackedWeights& w, char*) {
    return reinterpret_cast<const char*>(w.weight);
  }
  static void StoreSteps(const Ints (&q)[4], char* to) {
    const __m512i first = _mm512_or_si512(q[0].v, _mm512_slli_epi32(q[1].v, 8));
    const __m512i second = _mm512_slli_epi32(q[2].v, 16), third = _mm512_slli_epi32(q[3].v, 24);
    constexpr int kOrOfThree = 0xfe;
    _mm512_storeu_si512(to, _mm512_ternarylogic_epi32(first, second, third, kOrOfThree));
  }
};

}  // namespace
}  // namespace lethe
