#pragma once

// Attention over frames with VNNI; see internal/attend_frames.h.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/vector.h"
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

  static void MultiplyAdd(__m512i* sum, __m512i queries, __m512i row) {
    lethe::MultiplyAdd(sum, queries, row);
  }
  static const char* PrepareRows(const PackedWeights& w, char*) {
    return reinterpret_cast<const char*>(w.weight);
  }
  // vscalefps takes every exponent: what is too small need not be held back to become 0.
  static Ints ByteExp(V s, V offset) {
    const V t = V::Fma(s, V::Set(kernels_internal::kLog2E), offset), n = V::Round(t);
    return Ints::Rounded({_mm512_scalef_ps(kernels_internal::ByteExp2(t - n).v, n.v)});
  }
  static void StoreSteps(const Ints (&q)[4], char* to, Ints* total) {
    // In every lane the low byte, for each of its four places.
    const __m512i low = _mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
    __m512i step = _mm512_mask_shuffle_epi8(q[0].v, 0x2222222222222222, q[1].v, low);
    step = _mm512_mask_shuffle_epi8(step, 0x4444444444444444, q[2].v, low);
    step = _mm512_mask_shuffle_epi8(step, 0x8888888888888888, q[3].v, low);
    MultiplyAdd(&total->v, step, _mm512_set1_epi8(1));
    _mm512_storeu_si512(to, step);
  }
};

}  // namespace
}  // namespace lethe
