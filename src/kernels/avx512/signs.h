#pragma once

// Products with the signs of weights, and what makes their largest outputs exact; the tables of
// VBMI and AMX have the latter from here.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/integer.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/signs.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// Sums of bytes for kSignOutputs outputs. Groups(table, g) are four groups of six inputs from g on;
// (code) is their sum for 64 outputs, as much as fits a byte. Before more is added the bytes are
// widened, the even and the odd ones apart.
template <class Groups, class Take>
[[gnu::always_inline]] inline void AddUpSigns(const std::uint8_t* code, int k_padded,
                                              const kernels_internal::SignTable& table,
                                              const Take& take) {
  constexpr int kVectors = kSignOutputs / 64;
  // Even and odd bytes: every other sum's low byte is wrong by what its high byte was, which is
  // known in the end.
  __m512i mixed[kVectors], odd[kVectors];
  Unroll<kVectors>([&]<int v>() __attribute__((always_inline)) {
    mixed[v] = odd[v] = _mm512_setzero_si512();
  });
  for (int g = 0; g < k_padded / kernels_internal::kGroup; g += 4, code += 4 * kSignOutputs) {
    const Groups groups(table, g);
    Unroll<kVectors>([&]<int v>() __attribute__((always_inline)) {
      const __m512i sum = groups(code + 64 * v);
      mixed[v] = _mm512_add_epi16(mixed[v], sum);
      odd[v] = _mm512_add_epi16(odd[v], _mm512_srli_epi16(sum, 8));
    });
  }
  const auto give = [&take](int n, __m256i sums) __attribute__((always_inline)) {
    take(n, Avx512Vector{_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums))});
  };
  Unroll<kVectors>([&]<int v>() __attribute__((always_inline)) {
    const __m512i even = _mm512_sub_epi16(mixed[v], _mm512_slli_epi16(odd[v], 8));
    give(64 * v, _mm512_castsi512_si256(even));
    give(64 * v + 16, _mm512_extracti64x4_epi64(even, 1));
    give(64 * v + 32, _mm512_castsi512_si256(odd[v]));
    give(64 * v + 48, _mm512_extracti64x4_epi64(odd[v], 1));
  });
}

// Three signs at a time are looked up in one register.
struct GroupsByThrees {
  GroupsByThrees(const kernels_internal::SignTable& table, int g) {
    Unroll<8>([&]<int i>() __attribute__((always_inline)) {
      entry[i] = _mm512_broadcast_i32x4(
          _mm_load_si128(reinterpret_cast<const __m128i*>(table.entry[g + i / 2] + i % 2 * 16)));
    });
  }
  __m512i operator()(const std::uint8_t* code) const {
    const __m512i low = _mm512_set1_epi8(7);
    __m512i sum = _mm512_setzero_si512();
    Unroll<4>([&]<int i>() __attribute__((always_inline)) {
      const __m512i six = _mm512_loadu_si512(code + i * kSignOutputs);
      const __m512i first = _mm512_and_si512(six, low);
      const __m512i second = _mm512_and_si512(_mm512_srli_epi16(six, 3), low);
      sum = _mm512_add_epi8(sum, _mm512_add_epi8(_mm512_shuffle_epi8(entry[2 * i], first),
                                                 _mm512_shuffle_epi8(entry[2 * i + 1], second)));
    });
    return sum;
  }
  __m512i entry[8];
};

// `sums` of GemmU8U1().
template <class Groups>
auto SignSums(const SignWeights& w) {
  return [k = w.k_padded](const std::uint8_t* code, const kernels_internal::SignTable& table,
                          const auto& take) __attribute__((always_inline)) {
    AddUpSigns<Groups>(code, k, table, take);
  };
}

inline void VnniGemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                         const SignWeights& w, float* y, std::int64_t ldy) {
  kernels_internal::GemmU8U1<Avx512Vector>(
      a, m, lda, rows, w, y, ldy, kernels_internal::FillByThrees, SignSums<GroupsByThrees>(w));
}

inline void VnniRefineLargest(const std::uint8_t* a, const RowScale& row, const SignWeights& w,
                              float* y) {
  using kernels_internal::kDots;
  kernels_internal::RefineLargest<Avx512Vector>(
      a, row, w, y,
      [&](const std::int8_t* const(&rows)[kDots], std::int32_t* sums)
          __attribute__((always_inline)) {
            __m512i sum[kDots];
            Unroll<kDots>([&]<int i>()
                              __attribute__((always_inline)) { sum[i] = _mm512_setzero_si512(); });
            for (int p = 0; p < w.k; p += 64) {
              const __m512i bytes = _mm512_loadu_si512(a + p);
              Unroll<kDots>([&]<int i>() __attribute__((always_inline)) {
                sum[i] = _mm512_dpbusd_epi32(sum[i], bytes, _mm512_loadu_si512(rows[i] + p));
              });
            }
            SumFour(sum, sums);
          });
}

}  // namespace
}  // namespace lethe
