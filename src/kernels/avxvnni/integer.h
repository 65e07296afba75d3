#pragma once

// The products of integers with AVX-VNNI: VNNI in registers of 256 bits, for CPUs without AVX-512.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx2/integer.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

// sum += row * column, four u8 by four s8 a lane. In assembly, because GCC 12 copies sums around
// the intrinsics; with its VEX encoding, which is what AVX-VNNI means.
inline void MultiplyAddBytes(__m256i* sum, __m256i row, __m256i column) {
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(*sum) : "x"(row), "x"(column));
}

// The same of two s16 by two s16 a lane.
inline void MultiplyAddShorts(__m256i* sum, __m256i row, __m256i column) {
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(*sum) : "x"(row), "x"(column));
}

inline __m256i LoadBytes(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

inline __m256i BroadcastFour(const std::uint8_t* p) {
  int four;
  __builtin_memcpy(&four, p, sizeof(four));
  return _mm256_set1_epi32(four);
}

// kRows rows by 16 outputs, from output n on.
template <int kRows>
[[gnu::noinline]] void VnniTile(const std::uint8_t* a, int lda, const RowScale* rows,
                                const PackedWeights& w, int n, float* y, std::int64_t ldy,
                                bool accumulate) {
  __m256i sum[kRows][2];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    sum[i][0] = sum[i][1] = _mm256_setzero_si256();
  });
  const int k = w.k_padded;
  const std::int8_t* weight = w.weight + std::int64_t{n} * k;
  for (int p = 0; p < k; p += 4, weight += 64) {
    const __m256i column[2] = {LoadBytes(weight), LoadBytes(weight + 32)};
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const __m256i row = BroadcastFour(a + std::int64_t{i} * lda + p);
      MultiplyAddBytes(&sum[i][0], row, column[0]);
      MultiplyAddBytes(&sum[i][1], row, column[1]);
    });
  }
  Unroll<2>([&]<int h>() __attribute__((always_inline)) {
    const Outputs outputs(w, n + 8 * h);
    float* to = y + n + 8 * h;
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      outputs.Store(sum[i][h], rows[i], to + i * ldy, accumulate);
    });
  });
}

// One row waits for weights, which are read in the order they lie in. Eight sums run side by side,
// because each waits for its own last addition.
inline void VnniOneRow(const std::uint8_t* a, const RowScale& row, const PackedWeights& w, float* y,
                       bool accumulate) {
  const int k = w.k_padded, whole = k / 16 * 16;
  const std::int8_t* weight = w.weight;
  for (int n = 0; n < w.n_padded; n += 16) {
    __m256i sum[4][2];
    Unroll<4>([&]<int j>() __attribute__((always_inline)) {
      sum[j][0] = sum[j][1] = _mm256_setzero_si256();
    });
    int p = 0;
    for (; p < whole; p += 16, weight += 256) {
      Unroll<4>([&]<int j>() __attribute__((always_inline)) {
        const __m256i four = BroadcastFour(a + p + 4 * j);
        MultiplyAddBytes(&sum[j][0], four, LoadBytes(weight + 64 * j));
        MultiplyAddBytes(&sum[j][1], four, LoadBytes(weight + 64 * j + 32));
      });
    }
    for (; p < k; p += 4, weight += 64) {
      const __m256i four = BroadcastFour(a + p);
      MultiplyAddBytes(&sum[0][0], four, LoadBytes(weight));
      MultiplyAddBytes(&sum[0][1], four, LoadBytes(weight + 32));
    }
    Unroll<2>([&]<int h>() __attribute__((always_inline)) {
      const __m256i all = _mm256_add_epi32(_mm256_add_epi32(sum[0][h], sum[1][h]),
                                           _mm256_add_epi32(sum[2][h], sum[3][h]));
      Outputs(w, n + 8 * h).Store(all, row, y + n + 8 * h, accumulate);
    });
  }
}

// By the number of rows that are left over.
using VnniTileFunction = void (*)(const std::uint8_t*, int, const RowScale*, const PackedWeights&,
                                  int, float*, std::int64_t, bool);
constexpr VnniTileFunction kVnniRest[6] = {nullptr,     VnniTile<1>, VnniTile<2>,
                                           VnniTile<3>, VnniTile<4>, VnniTile<5>};

inline void VnniGemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                         const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate) {
  if (m == 1) return VnniOneRow(a, *rows, w, y, accumulate);
  // Weights of 16 outputs (16 k bytes) stay in the first-level cache while a block of rows goes
  // over them.
  constexpr int kBlock = 96;
  for (int first = 0; first < m; first += kBlock) {
    const int end = m - first < kBlock ? m : first + kBlock;
    for (int n = 0; n < w.n_padded; n += 16) {
      int i = first;
      for (; i + 6 <= end; i += 6) {
        VnniTile<6>(a + std::int64_t{i} * lda, lda, rows + i, w, n, y + i * ldy, ldy, accumulate);
      }
      if (i < end) {
        kVnniRest[end - i](a + std::int64_t{i} * lda, lda, rows + i, w, n, y + i * ldy, ldy,
                           accumulate);
      }
    }
  }
}

}  // namespace
}  // namespace lethe
