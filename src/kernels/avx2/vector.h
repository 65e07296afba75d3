#pragma once

// Sixteen lanes in two AVX2 registers.

#include <cstdint>

#include <immintrin.h>

#include "kernels/internal/transpose.h"

namespace lethe {
namespace {

struct Avx2Vector {
  static constexpr int kAttendVectors = 1;
  __m256 low, high;

  static Avx2Vector Set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Avx2Vector Load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  // All ones in the lanes first..first+7 that are below n.
  static __m256i Mask(int n, int first) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n - first), lanes);
  }
  static Avx2Vector LoadPartial(const float* p, int n) {
    if (n == 16) return Load(p);
    return {_mm256_maskload_ps(p, Mask(n, 0)), _mm256_maskload_ps(p + 8, Mask(n, 8))};
  }
  void Store(float* p) const {
    _mm256_storeu_ps(p, low);
    _mm256_storeu_ps(p + 8, high);
  }
  void StorePartial(float* p, int n) const {
    if (n == 16) return Store(p);
    _mm256_maskstore_ps(p, Mask(n, 0), low);
    _mm256_maskstore_ps(p + 8, Mask(n, 8), high);
  }
  static Avx2Vector LoadHalf(const std::uint16_t* p) {
    const auto* halves = reinterpret_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
  }
  void StoreHalf(std::uint16_t* p) const {
    constexpr int kToEven = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    auto* halves = reinterpret_cast<__m128i*>(p);
    _mm_storeu_si128(halves, _mm256_cvtps_ph(low, kToEven));
    _mm_storeu_si128(halves + 1, _mm256_cvtps_ph(high, kToEven));
  }
  void StoreShorts(std::int16_t* p) const {
    const __m256i shorts = _mm256_permute4x64_epi64(
        _mm256_packs_epi32(_mm256_cvtps_epi32(low), _mm256_cvtps_epi32(high)),
        _MM_SHUFFLE(3, 1, 2, 0));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), shorts);
  }
  void StoreBytes(std::uint8_t* p) const {
    const __m256i byte = _mm256_set1_epi32(255);
    const __m256i words = _mm256_permute4x64_epi64(
        _mm256_packus_epi32(_mm256_and_si256(_mm256_cvtps_epi32(low), byte),
                            _mm256_and_si256(_mm256_cvtps_epi32(high), byte)),
        _MM_SHUFFLE(3, 1, 2, 0));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(p),
        _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }
  static __m256i Quads(__m256 a, __m256 b, __m256 c, __m256 d) {
    const __m256i byte = _mm256_set1_epi32(255);
    const auto part = [byte](__m256 x) { return _mm256_and_si256(_mm256_cvtps_epi32(x), byte); };
    return _mm256_or_si256(
        _mm256_or_si256(part(a), _mm256_slli_epi32(part(b), 8)),
        _mm256_or_si256(_mm256_slli_epi32(part(c), 16), _mm256_slli_epi32(part(d), 24)));
  }
  struct Counts {
    __m256i low, high;
  };
  // Adds the four bytes of each lane.
  static __m256i AddQuads(__m256i counts, __m256i quads) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), quads);
    return _mm256_add_epi32(counts, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static void StoreQuads(const Avx2Vector* x, std::int8_t* p, Counts* counts) {
    auto* halves = reinterpret_cast<__m256i*>(p);
    const __m256i low = Quads(x[0].low, x[1].low, x[2].low, x[3].low);
    const __m256i high = Quads(x[0].high, x[1].high, x[2].high, x[3].high);
    *counts = {AddQuads(counts->low, low), AddQuads(counts->high, high)};
    _mm256_storeu_si256(halves, low);
    _mm256_storeu_si256(halves + 1, high);
  }
  static void StoreCounts(const Counts& counts, std::int32_t* p) {
    auto* halves = reinterpret_cast<__m256i*>(p);
    _mm256_storeu_si256(halves, counts.low);
    _mm256_storeu_si256(halves + 1, counts.high);
  }
  static void StoreTransposed(const float* x, std::int64_t ldx, int n, int m, float* y,
                              std::int64_t ldy) {
    lethe::StoreTransposed(x, ldx, n, m, y, ldy);
  }
  friend Avx2Vector operator+(Avx2Vector a, Avx2Vector b) {
    return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
  }
  friend Avx2Vector operator-(Avx2Vector a, Avx2Vector b) {
    return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
  }
  friend Avx2Vector operator*(Avx2Vector a, Avx2Vector b) {
    return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
  }
  friend Avx2Vector operator/(Avx2Vector a, Avx2Vector b) {
    return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
  }
  static Avx2Vector Fma(Avx2Vector a, Avx2Vector b, Avx2Vector c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static Avx2Vector Max(Avx2Vector a, Avx2Vector b) {
    return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
  }
  static Avx2Vector Min(Avx2Vector a, Avx2Vector b) {
    return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
  }
  static Avx2Vector Sqrt(Avx2Vector a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }
  static Avx2Vector Round(Avx2Vector a) {
    constexpr int kToEven = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(a.low, kToEven), _mm256_round_ps(a.high, kToEven)};
  }
  static __m256 SignBit() { return _mm256_set1_ps(-0.0f); }
  static Avx2Vector Abs(Avx2Vector a) {
    return {_mm256_andnot_ps(SignBit(), a.low), _mm256_andnot_ps(SignBit(), a.high)};
  }
  static Avx2Vector CopySign(Avx2Vector a, Avx2Vector sign) {
    a = Abs(a);
    return {_mm256_or_ps(a.low, _mm256_and_ps(SignBit(), sign.low)),
            _mm256_or_ps(a.high, _mm256_and_ps(SignBit(), sign.high))};
  }
  static __m256 Scale2(__m256 x, __m256 n) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
  }
  static Avx2Vector Scale2(Avx2Vector x, Avx2Vector n) {
    return {Scale2(x.low, n.low), Scale2(x.high, n.high)};
  }
  static __m256 Turn(__m256 x, __m256 angles) {
    return _mm256_addsub_ps(_mm256_mul_ps(x, _mm256_moveldup_ps(angles)),
                            _mm256_mul_ps(_mm256_permute_ps(x, 0xb1), _mm256_movehdup_ps(angles)));
  }
  static Avx2Vector Turn(Avx2Vector x, Avx2Vector angles) {
    return {Turn(x.low, angles.low), Turn(x.high, angles.high)};
  }
  static Avx2Vector KeepFirst(Avx2Vector a, int n, Avx2Vector other) {
    if (n == 16) return a;
    return {_mm256_blendv_ps(other.low, a.low, _mm256_castsi256_ps(Mask(n, 0))),
            _mm256_blendv_ps(other.high, a.high, _mm256_castsi256_ps(Mask(n, 8)))};
  }
  std::uint32_t AtLeast(Avx2Vector limit) const {
    const int first = _mm256_movemask_ps(_mm256_cmp_ps(low, limit.low, _CMP_GE_OQ));
    const int second = _mm256_movemask_ps(_mm256_cmp_ps(high, limit.high, _CMP_GE_OQ));
    return static_cast<std::uint32_t>(first | second << 8);
  }
  template <class F256, class F128>
  float Fold(F256 f256, F128 f128) const {
    const __m256 eight = f256(low, high);
    const __m128 four = f128(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = f128(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(f128(two, _mm_shuffle_ps(two, two, 1)));
  }
  static void SumFour(const Avx2Vector* v, float* sums) {
    for (int i = 0; i < 4; ++i) sums[i] = v[i].Sum();
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

// sum += row * column, two s16 by two s16 a lane. The two intrinsics do the same, but GCC 12 keeps
// some of the sums of a tile in memory then; here is exactly room for those of 6 x 2.
inline void MultiplyAdd(__m256i* sum, __m256i row, __m256i column) {
  __m256i product;
  __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0"
          : "+x"(*sum), "=&x"(product)
          : "x"(row), "x"(column));
}

}  // namespace
}  // namespace lethe
