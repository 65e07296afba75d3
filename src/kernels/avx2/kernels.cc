#include "kernels/kernels.h"

#include <immintrin.h>

#include "kernels/avx2/frames.h"
#include "kernels/avx2/vector.h"
#include "kernels/internal/attend_frames.h"
#include "kernels/internal/float_kernels.h"
#include "kernels/internal/signs.h"
#include "kernels/internal/unroll.h"

namespace lethe {
namespace {

using kernels_internal::RowRange;
using kernels_internal::Unroll;

// How far ahead weights are fetched where they are waited for: hardware stops at a page's end.
constexpr int kAhead = 8192;

void QuantizeRows(const float* x, int m, int k, std::int64_t ldx, std::uint8_t* a, int lda,
                  RowScale* rows) {
  const __m256i ones = _mm256_set1_epi8(1);
  const __m256i pair_ones = _mm256_set1_epi16(1);
  for (int i = 0; i < m; ++i, x += ldx, a += lda) {
    const __m256 inverse = _mm256_set1_ps(RowRange<Avx2Vector>(x, k, &rows[i]));
    const __m256i zero = _mm256_set1_epi32(rows[i].zero);
    __m256i sum = _mm256_setzero_si256();
    for (int p = 0; p < lda; p += 32) {
      __m256i q[4];
      for (int j = 0; j < 4; ++j) {
        const int at = p + 8 * j;
        const __m256i inside = Avx2Vector::Mask(k, at);
        const __m256 v = at + 8 <= k ? _mm256_loadu_ps(x + at)
                         : at < k    ? _mm256_maskload_ps(x + at, inside)
                                     : _mm256_setzero_ps();
        // A lane behind k is masked to 0, whatever the zero point is.
        q[j] = _mm256_and_si256(
            _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(v, inverse)), zero), inside);
      }
      const __m256i packed =
          _mm256_packus_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
      const __m256i bytes =
          _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(a + p), bytes);
      // At most 510 in 16 bits: no saturation.
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, ones), pair_ones));
    }
    const __m128i four =
        _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    rows[i].sum = _mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 1);
  }
}

// Sums over even and odd pairs of inputs, for eight outputs, to one sum for each of eight outputs.
// `first` has outputs 0..3 as (even, odd) pairs, `second` 4..7.
__m256i JoinPairs(__m256i first, __m256i second) {
  const __m256i sums = _mm256_hadd_epi32(first, second);  // 0 1 4 5 | 2 3 6 7
  return _mm256_permute4x64_epi64(sums, _MM_SHUFFLE(3, 1, 2, 0));
}

// What turns sums into eight outputs.
struct Outputs {
  Outputs(const PackedWeights& w, int n)
      : zero(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w.zero + n))),
        correction(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w.correction + n))),
        scale(_mm256_loadu_ps(w.scale + n)),
        bias(w.bias != nullptr ? _mm256_loadu_ps(w.bias + n) : _mm256_setzero_ps()) {}
  void Store(__m256i sum, const RowScale& row, float* y, bool accumulate) const {
    const __m256i off =
        _mm256_add_epi32(_mm256_mullo_epi32(zero, _mm256_set1_epi32(row.sum)),
                         _mm256_mullo_epi32(correction, _mm256_set1_epi32(row.zero)));
    __m256 value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sum, off)),
                                   _mm256_mul_ps(_mm256_set1_ps(row.scale), scale), bias);
    if (accumulate) value = _mm256_add_ps(_mm256_loadu_ps(y), value);
    _mm256_storeu_ps(y, value);
  }
  __m256i zero, correction;
  __m256 scale, bias;
};

// kRows rows by kHalves * 8 outputs, from output n on. vpmaddubsw would saturate (255 * 127 * 2 >
// 32767); widening both sides to s16 for vpmaddwd cannot, and Zen and Skylake do two of either a
// cycle. x holds the rows widened already, ldx apart.
template <int kRows, int kHalves>
[[gnu::noinline]] void GemmTile(const std::int16_t* x, std::int64_t ldx, const RowScale* rows,
                                const PackedWeights& w, int n, float* y, std::int64_t ldy,
                                bool accumulate) {
  __m256i sum[kRows][kHalves * 2];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    Unroll<kHalves * 2>([&]<int j>()
                            __attribute__((always_inline)) { sum[i][j] = _mm256_setzero_si256(); });
  });
  const int k = w.k_padded;
  const std::int8_t* weight = w.weight + std::int64_t{n / 16} * k * 16 + (n % 16) * 4;
  for (int p = 0; p < k; p += 4, weight += 64) {
    // Few rows wait for weights, which are read in the order they lie in; for one alone hardware
    // fetches ahead by itself.
    if constexpr (kHalves == 2 && kRows > 1) {
      _mm_prefetch(reinterpret_cast<const char*>(weight + kAhead), _MM_HINT_T0);
    }
    __m256i column[kHalves * 2];
    Unroll<kHalves * 2>([&]<int j>() __attribute__((always_inline)) {
      column[j] =
          _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weight + 16 * j)));
    });
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      const __m256i four = _mm256_castpd_si256(
          _mm256_broadcast_sd(reinterpret_cast<const double*>(x + i * ldx + p)));
      Unroll<kHalves * 2>([&]<int j>() __attribute__((always_inline)) {
        MultiplyAdd(&sum[i][j], four, column[j]);
      });
    });
  }
  Unroll<kHalves>([&]<int h>() __attribute__((always_inline)) {
    const Outputs outputs(w, n + 8 * h);
    float* to = y + n + 8 * h;
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      outputs.Store(JoinPairs(sum[i][2 * h], sum[i][2 * h + 1]), rows[i], to + i * ldy, accumulate);
    });
  });
}

template <int kRows, int kHalves>
void GemmRows(const std::int16_t* x, std::int64_t ldx, const RowScale* rows, const PackedWeights& w,
              float* y, std::int64_t ldy, bool accumulate) {
  for (int n = 0; n < w.n_padded; n += 8 * kHalves) {
    GemmTile<kRows, kHalves>(x, ldx, rows, w, n, y, ldy, accumulate);
  }
}

// A row as s16, in whole vectors.
void Widen(const std::uint8_t* from, std::int64_t count, std::int16_t* to) {
  for (std::int64_t p = 0; p < count; p += 16) {
    _mm256_store_si256(
        reinterpret_cast<__m256i*>(to + p),
        _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + p))));
  }
}

void GemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows, const PackedWeights& w,
              float* y, std::int64_t ldy, bool accumulate) {
  // A block of rows is widened once; eight outputs' weights (8 k bytes) then stay in the
  // first-level cache while all its rows go over them.
  constexpr int kBlock = 24;
  alignas(32) std::int16_t x[kBlock * 2048];
  const std::int64_t ldx = (w.k_padded + 15) / 16 * 16;
  const int block = static_cast<int>(sizeof(x) / sizeof(x[0]) / ldx);
  const int most = block < kBlock ? block : kBlock;
  for (int first = 0; first < m; first += most) {
    const int count = m - first < most ? m - first : most;
    for (int i = 0; i < count; ++i) {
      Widen(a + std::int64_t{first + i} * lda, ldx, x + i * ldx);
    }
    const RowScale* scales = rows + first;
    float* out = y + first * ldy;
    switch (count) {
      case 1:
        GemmRows<1, 2>(x, ldx, scales, w, out, ldy, accumulate);
        continue;
      case 2:
        GemmRows<2, 2>(x, ldx, scales, w, out, ldy, accumulate);
        continue;
      case 3:
        GemmRows<3, 2>(x, ldx, scales, w, out, ldy, accumulate);
        continue;
      default:
        break;
    }
    for (int n = 0; n < w.n_padded; n += 8) {
      int i = 0;
      for (; i + 6 <= count; i += 6) {
        GemmTile<6, 1>(x + i * ldx, ldx, scales + i, w, n, out + i * ldy, ldy, accumulate);
      }
      if (i + 4 <= count) {
        GemmTile<4, 1>(x + i * ldx, ldx, scales + i, w, n, out + i * ldy, ldy, accumulate);
        i += 4;
      }
      for (; i < count; ++i) {
        GemmTile<1, 1>(x + i * ldx, ldx, scales + i, w, n, out + i * ldy, ldy, accumulate);
      }
    }
  }
}

// kRows rows by 16 outputs, from output n on.
template <int kRows>
void ShortTile(const std::int16_t* x, std::int64_t ldx, const float* scale, const ShortWeights& w,
               int n, float* y, std::int64_t ldy) {
  __m256i sum[kRows][2];
  Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
    sum[i][0] = sum[i][1] = _mm256_setzero_si256();
  });
  const std::int16_t* weight = w.weight + std::int64_t{n} * w.k;
  for (int p = 0; p < w.k; p += 2, weight += 32) {
    const auto* from = reinterpret_cast<const __m256i*>(weight);
    const __m256i column[2] = {_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)};
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      int both;
      __builtin_memcpy(&both, x + i * ldx + p, sizeof(both));
      const __m256i two = _mm256_set1_epi32(both);
      MultiplyAdd(&sum[i][0], two, column[0]);
      MultiplyAdd(&sum[i][1], two, column[1]);
    });
  }
  Unroll<2>([&]<int h>() __attribute__((always_inline)) {
    const int at = n + 8 * h;
    const __m256 by = _mm256_loadu_ps(w.scale + at);
    const __m256 bias = w.bias != nullptr ? _mm256_loadu_ps(w.bias + at) : _mm256_setzero_ps();
    Unroll<kRows>([&]<int i>() __attribute__((always_inline)) {
      _mm256_storeu_ps(y + i * ldy + at,
                       _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[i][h]),
                                       _mm256_mul_ps(_mm256_set1_ps(scale[i]), by), bias));
    });
  });
}

void GemmS16(const std::int16_t* x, int m, std::int64_t ldx, const float* scale,
             const ShortWeights& w, float* y, std::int64_t ldy) {
  // Weights of 16 outputs (32 k bytes) stay in the first-level cache while all rows go over them.
  for (int n = 0; n < w.n; n += 16) {
    int i = 0;
    for (; i + 6 <= m; i += 6) ShortTile<6>(x + i * ldx, ldx, scale + i, w, n, y + i * ldy, ldy);
    for (; i < m; ++i) ShortTile<1>(x + i * ldx, ldx, scale + i, w, n, y + i * ldy, ldy);
  }
}

// As the AVX-512 table does it, of 64 outputs at a time.
void SignSums(const std::uint8_t* code, int k_padded, const kernels_internal::SignTable& table,
              float* to) {
  const __m256i half = _mm256_set1_epi8(15);
  const auto look_up = [](const std::uint8_t* entry, __m256i at) __attribute__((always_inline)) {
    const __m128i sixteen = _mm_load_si128(reinterpret_cast<const __m128i*>(entry));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(sixteen), at);
  };
  __m256i mixed[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  __m256i odd[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (int g = 0; g < k_padded / 4; g += 4, code += 2 * kSignOutputs) {
    Unroll<2>([&]<int h>() __attribute__((always_inline)) {
      const auto load = [code](int at) __attribute__((always_inline)) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(code + at));
      };
      const auto high = [half](__m256i both) __attribute__((always_inline)) {
        return _mm256_and_si256(_mm256_srli_epi16(both, 4), half);
      };
      const __m256i first = load(32 * h), second = load(kSignOutputs + 32 * h);
      const __m256i sum = _mm256_add_epi8(
          _mm256_add_epi8(look_up(table.entry[g], _mm256_and_si256(first, half)),
                          look_up(table.entry[g + 1], high(first))),
          _mm256_add_epi8(look_up(table.entry[g + 2], _mm256_and_si256(second, half)),
                          look_up(table.entry[g + 3], high(second))));
      mixed[h] = _mm256_add_epi16(mixed[h], sum);
      odd[h] = _mm256_add_epi16(odd[h], _mm256_srli_epi16(sum, 8));
    });
  }
  const auto store = [](__m256i sums, float* out) __attribute__((always_inline)) {
    _mm256_store_ps(out, _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(sums))));
    _mm256_store_ps(out + 8,
                    _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(sums, 1))));
  };
  Unroll<2>([&]<int h>() __attribute__((always_inline)) {
    store(_mm256_sub_epi16(mixed[h], _mm256_slli_epi16(odd[h], 8)), to + 16 * h);
    store(odd[h], to + 32 + 16 * h);
  });
}

void GemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows, const SignWeights& w,
              float* y, std::int64_t ldy) {
  kernels_internal::GemmU8U1<Avx2Vector>(
      a, m, lda, rows, w, y, ldy,
      [&](const std::uint8_t* code, const kernels_internal::SignTable& table, float* to)
          __attribute__((always_inline)) {
            for (int n = 0; n < kSignOutputs; n += 64)
              SignSums(code + n, w.k_padded, table, to + n);
          });
}

void RefineLargest(const std::uint8_t* a, const RowScale& row, const PackedWeights& w,
                   const SignWeights& signs, float* y) {
  alignas(32) std::int16_t x[kMaxSignDepth];
  Widen(a, (w.k + 15) / 16 * 16, x);
  // Behind a row's end are the next one's weights, and zeros behind that of x.
  kernels_internal::RefineLargest<Avx2Vector>(
      a, row, w, signs, y, [&](const std::int8_t* weight) __attribute__((always_inline)) {
        __m256i sum = _mm256_setzero_si256();
        for (int p = 0; p < w.k; p += 16) {
          const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weight + p));
          MultiplyAdd(&sum, _mm256_load_si256(reinterpret_cast<const __m256i*>(x + p)),
                      _mm256_cvtepi8_epi16(sixteen));
        }
        __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
        four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(2, 3, 0, 1)));
        return _mm_cvtsi128_si32(four);
      });
}

}  // namespace

const KernelTable& Avx2Kernels() {
  using namespace kernels_internal;
  static constexpr KernelTable table{"avx2",
                                     QuantizeRows,
                                     GemmU8S8,
                                     QuantizeShorts<Avx2Vector>,
                                     GemmS16,
                                     GemmU8U1,
                                     RefineLargest,
                                     LayerNorm<Avx2Vector>,
                                     Moments<Avx2Vector>,
                                     ScaleColumns<Avx2Vector>,
                                     Spectrum<Avx2Vector>,
                                     Relu<Avx2Vector>,
                                     Rotate<Avx2Vector>,
                                     Gelu<Avx2Vector>,
                                     TanhAll<Avx2Vector>,
                                     SiluMultiply<Avx2Vector>,
                                     SoftmaxQuantize<Avx2Vector>,
                                     PackOutputs<Avx2Vector>,
                                     PackInputs<Avx2Vector>,
                                     AttendFrames<Avx2Frames>,
                                     ToHalf<Avx2Vector>,
                                     Attend<Avx2Vector>,
                                     ArgmaxLogSumExp<Avx2Vector>,
                                     LstmCell<Avx2Vector>};
  return table;
}

}  // namespace lethe
