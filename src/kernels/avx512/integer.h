#pragma once

// Quantisation and the integer product with VNNI; the AMX table uses them too, for what is too
// small for a tile.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/vector.h"
#include "kernels/internal/float_kernels.h"
#include "kernels/internal/unroll.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

using kernels_internal::Unroll;

// 64 products as bytes, zero point added. Packing and adding saturate on the way, which cuts off
// what is outside of a byte; what is no number is the least integer, and so becomes 0.
inline __m512i ZeroedBytes(const __m512 (&x)[4], __m512i zero) {
  __m512i q[4];
  Unroll<4>([&]<int j>() __attribute__((always_inline)) { q[j] = _mm512_cvtps_epi32(x[j]); });
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero);
  // Packing goes by quarters of a register: four bytes of each vector, then the next four.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
}

void QuantizeRows(const float* x, int m, int k, std::int64_t ldx, std::uint8_t* a, int lda,
                  RowScale* rows) {
  const __m512i ones = _mm512_set1_epi8(1);
  for (int i = 0; i < m; ++i, x += ldx, a += lda) {
    const __m512 inverse = _mm512_set1_ps(kernels_internal::RowRange<Avx512Vector>(x, k, &rows[i]));
    const __m512i zero = _mm512_set1_epi16(static_cast<std::int16_t>(rows[i].zero));
    __m512i sum = _mm512_setzero_si512();
    __m512 scaled[4];
    int p = 0;
    for (; p + 64 <= k; p += 64) {
      Unroll<4>([&]<int j>() __attribute__((always_inline)) {
        scaled[j] = _mm512_mul_ps(_mm512_loadu_ps(x + p + 16 * j), inverse);
      });
      const __m512i bytes = ZeroedBytes(scaled, zero);
      sum = _mm512_dpbusd_epi32(sum, bytes, ones);
      _mm512_storeu_si512(a + p, bytes);
    }
    for (; p < lda; p += 64) {
      const int rest = k - p < 0 ? 0 : k - p;
      const std::uint64_t mask = (std::uint64_t{1} << rest) - 1;
      Unroll<4>([&]<int j>() __attribute__((always_inline)) {
        scaled[j] = _mm512_mul_ps(
            _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> (16 * j)), x + p + 16 * j),
            inverse);
      });
      const __m512i bytes = _mm512_maskz_mov_epi8(mask, ZeroedBytes(scaled, zero));
      sum = _mm512_dpbusd_epi32(sum, bytes, ones);
      _mm512_storeu_si512(a + p, bytes);
    }
    rows[i].sum = _mm512_reduce_add_epi32(sum);
  }
}

// What turns sums into sixteen outputs.
struct Outputs {
  Outputs(const PackedWeights& w, int n)
      : zero(_mm512_loadu_si512(w.zero + n)),
        correction(_mm512_loadu_si512(w.correction + n)),
        scale(_mm512_loadu_ps(w.scale + n)),
        bias(w.bias != nullptr ? _mm512_loadu_ps(w.bias + n) : _mm512_setzero_ps()) {}
  __m512 Value(__m512i sum, const RowScale& row) const {
    const __m512i off =
        _mm512_add_epi32(_mm512_mullo_epi32(zero, _mm512_set1_epi32(row.sum)),
                         _mm512_mullo_epi32(correction, _mm512_set1_epi32(row.zero)));
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, off)),
                           _mm512_mul_ps(_mm512_set1_ps(row.scale), scale), bias);
  }
  void Store(__m512i sum, const RowScale& row, float* y, bool accumulate) const {
    __m512 value = Value(sum, row);
    if (accumulate) value = _mm512_add_ps(_mm512_loadu_ps(y), value);
    _mm512_storeu_ps(y, value);
  }
  __m512i zero, correction;
  __m512 scale, bias;
};

// sum += row * column, four u8 by four s8 a lane. The intrinsic _mm512_dpbusd_epi32 does the same,
// but GCC 12 copies the sums of a large tile from register to register around each one.
inline void MultiplyAdd(__m512i* sum, __m512i row, __m512i column) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(row), "v"(column));
}

// kRows rows by kPanels * 16 outputs from output n on.
template <int kRows, int kPanels>
void VnniTile(const std::uint8_t* a, int lda, const RowScale* rows, const PackedWeights& w, int n,
              float* y, std::int64_t ldy, bool accumulate) {
  __m512i sum[kRows][kPanels];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kPanels>([&]<int j>()
                        __attribute__((always_inline)) { sum[i][j] = _mm512_setzero_si512(); });
  });
  const int k = w.k_padded;
  const std::int64_t panel = std::int64_t{k} * 16;
  const std::int8_t* weight = w.weight + (n / 16) * panel;
  for (int p = 0; p < k; p += 4, weight += 64) {
    __m512i column[kPanels];
    Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
      column[j] = _mm512_loadu_si512(weight + j * panel);
      // With few rows the product waits for weights, and hardware does not fetch ahead across a
      // page. The same place of the next panels is asked for while these are used.
      if constexpr (kRows <= 8) {
        _mm_prefetch(reinterpret_cast<const char*>(weight + (j + kPanels) * panel), _MM_HINT_T1);
      }
    });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      int four;
      __builtin_memcpy(&four, a + std::int64_t{i} * lda + p, sizeof(four));
      const __m512i row = _mm512_set1_epi32(four);
      Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
        MultiplyAdd(&sum[i][j], row, column[j]);
      });
    });
  }
  Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
    const Outputs outputs(w, n + 16 * j);
    float* to = y + n + 16 * j;
    if (accumulate) {
      Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
        outputs.Store(sum[i][j], rows[i], to + i * ldy, true);
      });
    } else {
      Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
        outputs.Store(sum[i][j], rows[i], to + i * ldy, false);
      });
    }
  });
}

template <int kRows>
void VnniRows(const std::uint8_t* a, int lda, const RowScale* rows, const PackedWeights& w, int n,
              int panels, float* y, std::int64_t ldy, bool accumulate) {
  if (panels == 2) {
    VnniTile<kRows, 2>(a, lda, rows, w, n, y, ldy, accumulate);
  } else {
    VnniTile<kRows, 1>(a, lda, rows, w, n, y, ldy, accumulate);
  }
}

// One row waits for weights, so they are read strictly in the order they lie in, for which hardware
// fetches ahead by itself; asking for each line of them besides takes a quarter more. Four sums run
// side by side, because each waits for its own last addition.
void VnniOneRow(const std::uint8_t* a, const RowScale& row, const PackedWeights& w, float* y,
                bool accumulate) {
  const int k = w.k_padded, whole = k / 16 * 16;
  const std::int8_t* weight = w.weight;
  for (int n = 0; n < w.n_padded; n += 16) {
    __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                      _mm512_setzero_si512()};
    int p = 0;
    for (; p < whole; p += 16, weight += 256) {
      Unroll<4>([&]<int j>() __attribute__((always_inline)) {
        int four;
        __builtin_memcpy(&four, a + p + 4 * j, sizeof(four));
        MultiplyAdd(&sum[j], _mm512_set1_epi32(four), _mm512_loadu_si512(weight + 64 * j));
      });
    }
    for (; p < k; p += 4, weight += 64) {
      int four;
      __builtin_memcpy(&four, a + p, sizeof(four));
      MultiplyAdd(&sum[0], _mm512_set1_epi32(four), _mm512_loadu_si512(weight));
    }
    const __m512i all =
        _mm512_add_epi32(_mm512_add_epi32(sum[0], sum[1]), _mm512_add_epi32(sum[2], sum[3]));
    Outputs(w, n).Store(all, row, y + n, accumulate);
  }
}

// By the number of rows that are left over.
using VnniRowsFunction = void (*)(const std::uint8_t*, int, const RowScale*, const PackedWeights&,
                                  int, int, float*, std::int64_t, bool);
constexpr VnniRowsFunction kVnniRest[12] = {nullptr,     VnniRows<1>, VnniRows<2>,  VnniRows<3>,
                                            VnniRows<4>, VnniRows<5>, VnniRows<6>,  VnniRows<7>,
                                            VnniRows<8>, VnniRows<9>, VnniRows<10>, VnniRows<11>};

void VnniGemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                  const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate) {
  if (m == 1) return VnniOneRow(a, *rows, w, y, accumulate);
  // Two panels of weights (32 k bytes) stay in the first-level cache while a block of rows goes
  // over them.
  constexpr int kBlock = 96;
  for (int first = 0; first < m; first += kBlock) {
    const int end = m - first < kBlock ? m : first + kBlock;
    for (int n = 0; n < w.n_padded; n += 32) {
      const int panels = n + 32 <= w.n_padded ? 2 : 1;
      int i = first;
      for (; i + 12 <= end; i += 12) {
        VnniRows<12>(a + std::int64_t{i} * lda, lda, rows + i, w, n, panels, y + i * ldy, ldy,
                     accumulate);
      }
      if (i < end) {
        kVnniRest[end - i](a + std::int64_t{i} * lda, lda, rows + i, w, n, panels, y + i * ldy, ldy,
                           accumulate);
      }
    }
  }
}

}  // namespace
}  // namespace lethe
