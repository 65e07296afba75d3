#pragma once

// Quantisation and the integer product with VNNI; the AMX table uses them too, for what is too
// small for a tile.

#include <cstdint>

#include <immintrin.h>

#include "kernels/avx512/tile_rows.h"
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

// Writes a row of lda bytes; returns their sum in lanes.
inline __m512i QuantizeRow(const float* x, int k, __m512 inverse, std::int32_t zero_point,
                           std::uint8_t* a, int lda) {
  const __m512i ones = _mm512_set1_epi8(1);
  const __m512i zero = _mm512_set1_epi16(static_cast<std::int16_t>(zero_point));
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
          _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> (16 * j)), x + p + 16 * j), inverse);
    });
    const __m512i bytes = _mm512_maskz_mov_epi8(mask, ZeroedBytes(scaled, zero));
    sum = _mm512_dpbusd_epi32(sum, bytes, ones);
    _mm512_storeu_si512(a + p, bytes);
  }
  return sum;
}

// Four rows side by side, which share the way from sixteen lanes to one.
inline void QuantizeFourRows(const float* x, int k, std::int64_t ldx, std::uint8_t* a, int lda,
                             RowScale* rows) {
  using V = Avx512Vector;
  V low[4], high[4];
  Unroll<4>([&]<int r>() __attribute__((always_inline)) { low[r] = high[r] = V::Set(0.0f); });
  kernels_internal::EachVector(
      k, [&](int i, int rest) __attribute__((always_inline)) {
        Unroll<4>([&]<int r>() __attribute__((always_inline)) {
          const V v = V::LoadPartial(x + r * ldx + i, rest);
          low[r] = V::Min(low[r], v);
          high[r] = V::Max(high[r], v);
        });
      });
  alignas(16) float lowest[4], highest[4];
  _mm_store_ps(lowest, V::Quarters(V::FoldFour(
                           low, [](__m512 s, __m512 t) { return _mm512_min_ps(s, t); })));
  _mm_store_ps(highest, V::Quarters(V::FoldFour(
                            high, [](__m512 s, __m512 t) { return _mm512_max_ps(s, t); })));
  __m512i sums[4];
  Unroll<4>([&]<int r>() __attribute__((always_inline)) {
    const float inverse = kernels_internal::ScaleOfRange(lowest[r], highest[r], &rows[r]);
    sums[r] = QuantizeRow(x + r * ldx, k, _mm512_set1_ps(inverse), rows[r].zero, a + r * lda, lda);
  });
  std::int32_t totals[4];
  SumFour(sums, totals);
  for (int r = 0; r < 4; ++r) rows[r].sum = totals[r];
}

inline void QuantizeRows(const float* x, int m, int k, std::int64_t ldx, std::uint8_t* a, int lda,
                         RowScale* rows) {
  int i = 0;
  for (; i + 4 <= m; i += 4, x += 4 * ldx, a += 4 * lda) {
    QuantizeFourRows(x, k, ldx, a, lda, rows + i);
  }
  for (; i < m; ++i, x += ldx, a += lda) {
    const float inverse = kernels_internal::RowRange<Avx512Vector>(x, k, &rows[i]);
    rows[i].sum =
        _mm512_reduce_add_epi32(QuantizeRow(x, k, _mm512_set1_ps(inverse), rows[i].zero, a, lda));
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

inline __m512i BroadcastFour(const std::uint8_t* p) {
  int four;
  __builtin_memcpy(&four, p, sizeof(four));
  return _mm512_set1_epi32(four);
}

// kRows rows by kPanels * 16 outputs from output n on. While weights are used, those `ahead` bytes
// behind them are asked for.
template <int kRows, int kPanels>
void VnniTile(const std::uint8_t* a, int lda, const RowScale* rows, const PackedWeights& w, int n,
              std::int64_t ahead, float* y, std::int64_t ldy, bool accumulate) {
  __m512i sum[kRows][kPanels];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kPanels>([&]<int j>()
                        __attribute__((always_inline)) { sum[i][j] = _mm512_setzero_si512(); });
  });
  const int k = w.k_padded;
  const std::int64_t panel = std::int64_t{k} * 16;
  const std::int8_t* weight = w.weight + (n / 16) * panel;
  TileRows<kRows> tile(a, lda);
  for (int p = 0; p < k; p += 4, weight += 64, tile.Advance()) {
    __m512i column[kPanels];
    Unroll<kPanels>([&]<int j>() __attribute__((always_inline)) {
      column[j] = _mm512_loadu_si512(weight + j * panel);
      _mm_prefetch(reinterpret_cast<const char*>(weight + j * panel + ahead), _MM_HINT_T0);
    });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const __m512i row = tile.template Broadcast<i>();
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

using VnniTileFunction = void (*)(const std::uint8_t*, int, const RowScale*, const PackedWeights&,
                                  int, std::int64_t, float*, std::int64_t, bool);
// By the number of rows, for one panel and for two.
template <int kPanels>
constexpr VnniTileFunction kVnniTile[13] = {
    nullptr,
    VnniTile<1, kPanels>,
    VnniTile<2, kPanels>,
    VnniTile<3, kPanels>,
    VnniTile<4, kPanels>,
    VnniTile<5, kPanels>,
    VnniTile<6, kPanels>,
    VnniTile<7, kPanels>,
    VnniTile<8, kPanels>,
    VnniTile<9, kPanels>,
    VnniTile<10, kPanels>,
    VnniTile<11, kPanels>,
    VnniTile<12, kPanels>,
};

// kRows rows by all outputs. Few rows wait for weights, so these are read strictly in the order
// they lie in, for which hardware fetches ahead by itself, whether they come from the third-level
// cache or from memory; asking for each line of them besides takes longer. kGroups sums of each row
// run side by side, because each waits for its own last addition.
template <int kRows, int kGroups>
void VnniFewRows(const std::uint8_t* a, int lda, const RowScale* rows, const PackedWeights& w,
                 float* y, std::int64_t ldy, bool accumulate) {
  const int k = w.k_padded, whole = k / (4 * kGroups) * (4 * kGroups);
  const std::int8_t* weight = w.weight;
  for (int n = 0; n < w.n_padded; n += 16) {
    __m512i sum[kRows][kGroups];
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      Unroll<kGroups>([&]<int j>()
                          __attribute__((always_inline)) { sum[i][j] = _mm512_setzero_si512(); });
    });
    int p = 0;
    for (; p < whole; p += 4 * kGroups, weight += 64 * kGroups) {
      Unroll<kGroups>([&]<int j>() __attribute__((always_inline)) {
        const __m512i column = _mm512_loadu_si512(weight + 64 * j);
        Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
          MultiplyAdd(&sum[i][j], BroadcastFour(a + std::int64_t{i} * lda + p + 4 * j), column);
        });
      });
    }
    for (; p < k; p += 4, weight += 64) {
      const __m512i column = _mm512_loadu_si512(weight);
      Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
        MultiplyAdd(&sum[i][0], BroadcastFour(a + std::int64_t{i} * lda + p), column);
      });
    }
    const Outputs outputs(w, n);
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      Unroll<kGroups - 1>([&]<int j>() __attribute__((always_inline)) {
        sum[i][0] = _mm512_add_epi32(sum[i][0], sum[i][j + 1]);
      });
      outputs.Store(sum[i][0], rows[i], y + n + i * ldy, accumulate);
    });
  }
}

inline void VnniGemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows,
                         const PackedWeights& w, float* y, std::int64_t ldy, bool accumulate) {
  switch (m) {
    case 1:
      return VnniFewRows<1, 4>(a, lda, rows, w, y, ldy, accumulate);
    case 2:
      return VnniFewRows<2, 2>(a, lda, rows, w, y, ldy, accumulate);
    case 3:
      return VnniFewRows<3, 2>(a, lda, rows, w, y, ldy, accumulate);
    case 4:
      return VnniFewRows<4, 2>(a, lda, rows, w, y, ldy, accumulate);
    case 5:
      return VnniFewRows<5, 2>(a, lda, rows, w, y, ldy, accumulate);
    default:
      break;
  }
  // Two panels of weights (32 k bytes) stay in the first-level cache while a block of rows goes
  // over them. The first of these waits for them, since hardware does not fetch two streams far
  // enough ahead of so much arithmetic, and asks for the next two.
  constexpr int kBlock = 96, kTile = 12;
  for (int first = 0; first < m; first += kBlock) {
    const int end = m - first < kBlock ? m : first + kBlock;
    for (int n = 0; n < w.n_padded; n += 32) {
      const int panels = n + 32 <= w.n_padded ? 2 : 1;
      for (int i = first; i < end; i += kTile) {
        const int count = end - i < kTile ? end - i : kTile;
        const std::int64_t ahead = i == first ? std::int64_t{w.k_padded} * 32 : 0;
        const auto tile = panels == 2 ? kVnniTile<2>[count] : kVnniTile<1>[count];
        tile(a + std::int64_t{i} * lda, lda, rows + i, w, n, ahead, y + i * ldy, ldy, accumulate);
      }
    }
  }
}

}  // namespace
}  // namespace lethe
