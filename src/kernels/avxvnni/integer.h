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

// Rows of a tile that leaves no register free.
constexpr int kWholeTile = 6;

// kRows rows by 16 outputs, from output n on. A whole tile asks for the weights `ahead` bytes
// behind those it uses; fewer rows read weights so fast that hardware fetches ahead by itself.
// kGroups sums of each row and half of the outputs run side by side, because each waits for its own
// last addition.
template <int kRows, int kGroups>
[[gnu::noinline]] void VnniTile(const std::uint8_t* a, int lda, const RowScale* rows,
                                const PackedWeights& w, int n, std::int64_t ahead, float* y,
                                std::int64_t ldy, bool accumulate) {
  __m256i sum[kRows][kGroups][2];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kGroups>([&]<int j>() __attribute__((always_inline)) {
      sum[i][j][0] = sum[i][j][1] = _mm256_setzero_si256();
    });
  });
  const int k = w.k_padded, whole = k / (4 * kGroups) * (4 * kGroups);
  const std::int8_t* weight = w.weight + std::int64_t{n} * k;
  int p = 0;
  for (; p < whole; p += 4 * kGroups, weight += 64 * kGroups) {
    Unroll<kGroups>([&]<int j>() __attribute__((always_inline)) {
      const std::int8_t* from = weight + 64 * j;
      const __m256i column[2] = {LoadBytes(from), LoadBytes(from + 32)};
      if constexpr (kRows == kWholeTile) {
        _mm_prefetch(reinterpret_cast<const char*>(from + ahead), _MM_HINT_T0);
      }
      Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
        const __m256i row = BroadcastFour(a + std::int64_t{i} * lda + p + 4 * j);
        MultiplyAddBytes(&sum[i][j][0], row, column[0]);
        MultiplyAddBytes(&sum[i][j][1], row, column[1]);
      });
    });
  }
  for (; p < k; p += 4, weight += 64) {
    const __m256i column[2] = {LoadBytes(weight), LoadBytes(weight + 32)};
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const __m256i row = BroadcastFour(a + std::int64_t{i} * lda + p);
      MultiplyAddBytes(&sum[i][0][0], row, column[0]);
      MultiplyAddBytes(&sum[i][0][1], row, column[1]);
    });
  }
  Unroll<2>([&]<int h>() __attribute__((always_inline)) {
    const Outputs outputs(w, n + 8 * h);
    float* to = y + n + 8 * h;
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      Unroll<kGroups - 1>([&]<int j>() __attribute__((always_inline)) {
        sum[i][0][h] = _mm256_add_epi32(sum[i][0][h], sum[i][j + 1][h]);
      });
      outputs.Store(sum[i][0][h], rows[i], to + i * ldy, accumulate);
    });
  });
}

// By the number of rows, with as many sums as there are registers for.
using VnniTileFunction = void (*)(const std::uint8_t*, int, const RowScale*, const PackedWeights&,
                                  int, std::int64_t, float*, std::int64_t, bool);
constexpr VnniTileFunction kVnniTile[kWholeTile + 1] = {
    nullptr,        VnniTile<1, 4>, VnniTile<2, 3>, VnniTile<3, 2>,
    VnniTile<4, 1>, VnniTile<5, 1>, VnniTile<6, 1>};

inline void VnniGemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                         const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate) {
  // Weights of 16 outputs (16 k bytes) stay in the first-level cache while a block of rows goes
  // over them. The first tile of these waits for them, and asks for the next ones.
  constexpr int kBlock = 96;
  for (int first = 0; first < m; first += kBlock) {
    const int end = m - first < kBlock ? m : first + kBlock;
    for (int n = 0; n < w.n_padded; n += 16) {
      for (int i = first; i < end; i += kWholeTile) {
        const int count = end - i < kWholeTile ? end - i : kWholeTile;
        const std::int64_t ahead = i == first ? std::int64_t{w.k_padded} * 16 : 0;
        kVnniTile[count](a + std::int64_t{i} * lda, lda, rows + i, w, n, ahead, y + i * ldy, ldy,
                         accumulate);
      }
    }
  }
}

}  // namespace
}  // namespace lethe
