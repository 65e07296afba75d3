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
  void StoreShorts(std::int16_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(Ints()));
  }
  void StoreBytes(std::uint8_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(Ints()));
  }
  using Counts = __m512i;
  static void StoreQuads(const Avx512Vector* x, std::int8_t* p, Counts* counts) {
    // In every lane the low byte, for each of its four places.
    const __m512i low = _mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
    __m512i quads = _mm512_shuffle_epi8(x[0].Ints(), low);
    quads = _mm512_mask_shuffle_epi8(quads, 0x2222222222222222, x[1].Ints(), low);
    quads = _mm512_mask_shuffle_epi8(quads, 0x4444444444444444, x[2].Ints(), low);
    quads = _mm512_mask_shuffle_epi8(quads, 0x8888888888888888, x[3].Ints(), low);
    *counts = _mm512_dpbusd_epi32(*counts, _mm512_set1_epi8(1), quads);
    _mm512_storeu_si512(p, quads);
  }
  static void StoreCounts(Counts counts, std::int32_t* p) { _mm512_storeu_si512(p, counts); }
  // Sixteen rows by four columns at a time: four rows' quarters in a register, of which quarter l
  // becomes the quarter of rows 4l to 4l + 3.
  static void StoreTransposed(const float* x, std::int64_t ldx, int n, int m, float* y,
                              std::int64_t ldy) {
    const int whole_n = n / 16 * 16, whole_m = m / 4 * 4;
    for (int i = 0; i < whole_n; i += 16) {
      for (int j = 0; j < whole_m; j += 4) {
        const float* from = x + i * ldx + j;
        const auto rows = [ from, ldx ](int first) __attribute__((always_inline)) {
          const auto quarter = [=](int row) __attribute__((always_inline)) {
            return _mm_loadu_ps(from + row * ldx);
          };
          __m512 four = _mm512_castps128_ps512(quarter(first));
          four = _mm512_mask_broadcast_f32x4(four, 0x00f0, quarter(first + 4));
          four = _mm512_mask_broadcast_f32x4(four, 0x0f00, quarter(first + 8));
          return _mm512_mask_broadcast_f32x4(four, 0xf000, quarter(first + 12));
        };
        const __m512 a = rows(0), b = rows(1), c = rows(2), d = rows(3);
        const __m512 ab_low = _mm512_unpacklo_ps(a, b), ab_high = _mm512_unpackhi_ps(a, b);
        const __m512 cd_low = _mm512_unpacklo_ps(c, d), cd_high = _mm512_unpackhi_ps(c, d);
        float* to = y + j * ldy + i;
        _mm512_storeu_ps(to, _mm512_shuffle_ps(ab_low, cd_low, 0x44));
        _mm512_storeu_ps(to + ldy, _mm512_shuffle_ps(ab_low, cd_low, 0xee));
        _mm512_storeu_ps(to + 2 * ldy, _mm512_shuffle_ps(ab_high, cd_high, 0x44));
        _mm512_storeu_ps(to + 3 * ldy, _mm512_shuffle_ps(ab_high, cd_high, 0xee));
      }
      for (int j = whole_m; j < m; ++j) {
        for (int r = 0; r < 16; ++r) y[j * ldy + i + r] = x[(i + r) * ldx + j];
      }
    }
    lethe::StoreTransposed(x + whole_n * ldx, ldx, n - whole_n, m, y + whole_n, ldy);
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
  static Avx512Vector Scale2(Avx512Vector x, Avx512Vector n) {
    return {_mm512_scalef_ps(x.v, n.v)};
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
  // Fold() of four vectors, that of vector i in all of quarter i.
  template <class F>
  static __m512 FoldFour(const Avx512Vector* x, F f) {
    const auto half = [&f](__m512 a, __m512 b) __attribute__((always_inline)) {
      return f(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
    };
    const __m512 eights[2] = {half(x[0].v, x[1].v), half(x[2].v, x[3].v)};
    const __m512 fours = f(_mm512_shuffle_f32x4(eights[0], eights[1], 0x88),
                           _mm512_shuffle_f32x4(eights[0], eights[1], 0xdd));
    const __m512 twos = f(fours, _mm512_shuffle_ps(fours, fours, 0x4e));
    return f(twos, _mm512_shuffle_ps(twos, twos, 0xb1));
  }
  // One of each quarter.
  static __m128 Quarters(__m512 x) {
    const __m512i each = _mm512_set_epi32(12, 8, 4, 0, 12, 8, 4, 0, 12, 8, 4, 0, 12, 8, 4, 0);
    return _mm512_castps512_ps128(_mm512_permutexvar_ps(each, x));
  }
  static void SumFour(const Avx512Vector* v, float* sums) {
    const __m512 all = FoldFour(v, [](__m512 a, __m512 b) { return _mm512_add_ps(a, b); });
    _mm_storeu_ps(sums, Quarters(all));
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

// The sums of four registers of sixteen integers.
inline void SumFour(const __m512i* v, std::int32_t* sums) {
  Avx512Vector x[4];
  for (int i = 0; i < 4; ++i) x[i].v = _mm512_castsi512_ps(v[i]);
  const __m512 all = Avx512Vector::FoldFour(x, [](__m512 a, __m512 b) {
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  });
  _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), _mm_castps_si128(Avx512Vector::Quarters(all)));
}

}  // namespace
}  // namespace lethe
