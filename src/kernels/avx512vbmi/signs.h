#pragma once

// Products with the signs of weights where a byte looks up one of 64 (AVX-512 VBMI); the AMX table
// uses them too.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/signs.h"
#include "kernels/avx512/vector.h"
#include "kernels/internal/signs.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// All combinations of six signs: 64 bytes, of which those with bit j set have q[j] twice more.
inline void FillBySixes(const std::int8_t* q, std::uint8_t* entry) {
  constexpr std::uint64_t kSet[6] = {0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0,
                                     0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xffffffff00000000};
  __m512i sum = _mm512_setzero_si512();
  Unroll<6>([&]<int j>() __attribute__((always_inline)) {
    // |q| - q, or |q| + q, both of which are 0 or twice |q|.
    const int twice = 2 * q[j];
    sum = _mm512_mask_add_epi8(sum, twice < 0 ? ~kSet[j] : kSet[j], sum,
                               _mm512_set1_epi8(static_cast<char>(twice < 0 ? -twice : twice)));
  });
  _mm512_store_si512(entry, sum);
}

struct GroupsBySixes {
  GroupsBySixes(const kernels_internal::SignTable& table, int g) {
    Unroll<4>([&]<int i>() __attribute__((always_inline)) {
      entry[i] = _mm512_load_si512(table.entry[g + i]);
    });
  }
  __m512i operator()(const std::uint8_t* code) const {
    __m512i found[4];
    Unroll<4>([&]<int i>() __attribute__((always_inline)) {
      found[i] = _mm512_permutexvar_epi8(_mm512_loadu_si512(code + i * kSignOutputs), entry[i]);
    });
    return _mm512_add_epi8(_mm512_add_epi8(found[0], found[1]),
                           _mm512_add_epi8(found[2], found[3]));
  }
  __m512i entry[4];
};

inline void VbmiGemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                         const SignWeights& w, float* y, std::int64_t ldy) {
  kernels_internal::GemmU8U1<Avx512Vector>(a, m, lda, rows, w, y, ldy, FillBySixes,
                                           SignSums<GroupsBySixes>(w));
}

}  // namespace
}  // namespace lethe
