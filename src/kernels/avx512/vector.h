#pragma once

// Sixteen lanes in one AVX-512 register.

#include <cstdint>

#include <immintrin.h>

#include "kernels/internal/transpose.h"

namespace lethe {
namespace {

struct Avx512Vector {
  static constexpr int kAttendVectors = 3;
  __m512 v;

  static __mmask16 Mask(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
  static Avx512Vector Set(float x) { return {_mm512_set1_ps(x)}; }
  static Avx512Vector Load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Avx512Vector LoadPartial(const float* p, int n) {
    if (n == 16) return Load(p);
    return {_mm512_maskz_loadu_ps(Mask(n), p)};
  }
  void Store(float* p) const { _mm512_storeu_ps(p, v); }
  void StorePartial(float* p, int n) const {
    if (n == 16) return Store(p);
    _mm512_mask_storeu_ps(p, Mask(n), v);
  }
  static Avx512Vector LoadHalf(const std::uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  void StoreHalf(std::uint16_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  __m512i Ints() const { return _mm512_cvtps_epi32(v); }
  void StoreInts(std::int32_t* p) const { _mm512_storeu_si512(p, Ints()); }
  void StoreShorts(std::int16_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(Ints()));
  }
  void StoreBytes(std::uint8_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(Ints()));
  }
  static void StoreQuads(const Avx512Vector* q, std::int8_t* p) {
    const __m512i low = _mm512_set1_epi32(255);
    const __m512i first = _mm512_or_si512(_mm512_and_si512(q[0].Ints(), low),
                                          _mm512_slli_epi32(_mm512_and_si512(q[1].Ints(), low), 8));
    const __m512i second =
        _mm512_or_si512(_mm512_slli_epi32(_mm512_and_si512(q[2].Ints(), low), 16),
                        _mm512_slli_epi32(q[3].Ints(), 24));
    _mm512_storeu_si512(p, _mm512_or_si512(first, second));
  }
  static void StoreTransposed(const float* x, std::int64_t ldx, int n, int m, float* y,
                              std::int64_t ldy) {
    lethe::StoreTransposed(x, ldx, n, m, y, ldy);
  }
  friend Avx512Vector operator+(Avx512Vector a, Avx512Vector b) {
    return {_mm512_add_ps(a.v, b.v)};
  }
  friend Avx512Vector operator-(Avx512Vector a, Avx512Vector b) {
    return {_mm512_sub_ps(a.v, b.v)};
  }
  friend Avx512Vector operator*(Avx512Vector a, Avx512Vector b) {
    return {_mm512_mul_ps(a.v, b.v)};
  }
  friend Avx512Vector operator/(Avx512Vector a, Avx512Vector b) {
    return {_mm512_div_ps(a.v, b.v)};
  }
  static Avx512Vector Fma(Avx512Vector a, Avx512Vector b, Avx512Vector c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  static Avx512Vector Max(Avx512Vector a, Avx512Vector b) { return {_mm512_max_ps(a.v, b.v)}; }
  static Avx512Vector Min(Avx512Vector a, Avx512Vector b) { return {_mm512_min_ps(a.v, b.v)}; }
  static Avx512Vector Sqrt(Avx512Vector a) { return {_mm512_sqrt_ps(a.v)}; }
  static Avx512Vector Round(Avx512Vector a) { return {_mm512_roundscale_ps(a.v, 0x08)}; }
  static Avx512Vector Abs(Avx512Vector a) { return {_mm512_abs_ps(a.v)}; }
  static Avx512Vector CopySign(Avx512Vector a, Avx512Vector sign) {
    const __m512 bit = _mm512_set1_ps(-0.0f);
    return {_mm512_or_ps(_mm512_andnot_ps(bit, a.v), _mm512_and_ps(bit, sign.v))};
  }
  // Adds n to the exponent field, as the AVX2 vector does.
  static Avx512Vector Scale2(Avx512Vector x, Avx512Vector n) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_cvtps_epi32(n.v), 23);
    return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x.v), exponent))};
  }
  static Avx512Vector Turn(Avx512Vector x, Avx512Vector angles) {
    const __m512 same = _mm512_mul_ps(x.v, _mm512_moveldup_ps(angles.v));
    const __m512 other = _mm512_mul_ps(_mm512_permute_ps(x.v, 0xb1), _mm512_movehdup_ps(angles.v));
    return {_mm512_mask_sub_ps(_mm512_add_ps(same, other), 0x5555, same, other)};
  }
  static Avx512Vector KeepFirst(Avx512Vector a, int n, Avx512Vector other) {
    if (n == 16) return a;
    return {_mm512_mask_blend_ps(Mask(n), other.v, a.v)};
  }
  std::uint32_t AtLeast(Avx512Vector limit) const {
    return _mm512_cmp_ps_mask(v, limit.v, _CMP_GE_OQ);
  }
  template <class F256, class F128>
  float Fold(F256 f256, F128 f128) const {
    const __m256 eight = f256(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 four = f128(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = f128(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(f128(two, _mm_shuffle_ps(two, two, 1)));
  }
  float Sum() const {
    return Fold([](__m256 a, __m256 b) { return _mm256_add_ps(a, b); },
                [](__m128 a, __m128 b) { return _mm_add_ps(a, b); });
  }
  float Largest() const {
    return Fold([](__m256 a, __m256 b) { return _mm256_max_ps(a, b); },
                [](__m128 a, __m128 b) { return _mm_max_ps(a, b); });
  }
  float Smallest() const {
    return Fold([](__m256 a, __m256 b) { return _mm256_min_ps(a, b); },
                [](__m128 a, __m128 b) { return _mm_min_ps(a, b); });
  }
};

}  // namespace
}  // namespace lethe
