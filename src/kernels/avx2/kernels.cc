#include "kernels/kernels.h"

#include <immintrin.h>

#include "kernels/avx2/frames.h"
#include "kernels/avx2/integer.h"
#include "kernels/avx2/shorts.h"
#include "kernels/avx2/signs.h"
#include "kernels/avx2/vector.h"
#include "kernels/internal/attend_frames.h"
#include "kernels/internal/float_kernels.h"
#include "kernels/internal/signs.h"
#include "kernels/internal/unroll.h"

namespace lethe {
namespace {

// How far ahead weights are fetched where they are waited for: hardware stops at a page's end.
constexpr int kAhead = 8192;

// Sums over even and odd pairs of inputs, for eight outputs, to one sum for each of eight outputs.
// `first` has outputs 0..3 as (even, odd) pairs, `second` 4..7.
__m256i JoinPairs(__m256i first, __m256i second) {
  const __m256i sums = _mm256_hadd_epi32(first, second);  // 0 1 4 5 | 2 3 6 7
  return _mm256_permute4x64_epi64(sums, _MM_SHUFFLE(3, 1, 2, 0));
}

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

void RefineLargest(const std::uint8_t* a, const RowScale& row, const SignWeights& w, float* y) {
  alignas(32) std::int16_t x[kMaxSignDepth];
  Widen(a, (w.k + 15) / 16 * 16, x);
  // Behind a row's weights is its end, and zeros behind that of x.
  kernels_internal::RefineLargest<Avx2Vector>(
      a, row, w, y,
      kernels_internal::OneByOne([&](const std::int8_t* weight) __attribute__((always_inline)) {
        __m256i sum = _mm256_setzero_si256();
        for (int p = 0; p < w.k; p += 16) {
          const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weight + p));
          MultiplyAdd(&sum, _mm256_load_si256(reinterpret_cast<const __m256i*>(x + p)),
                      _mm256_cvtepi8_epi16(sixteen));
        }
        return SumOfEight(sum);
      }));
}

}  // namespace

const KernelTable& Avx2Kernels() {
  using namespace kernels_internal;
  static constexpr KernelTable table{"avx2",
                                     QuantizeRows,
                                     GemmU8S8,
                                     QuantizeShorts<Avx2Vector>,
                                     GemmS16<MultiplyAdd>,
                                     GemmU8U1,
                                     RefineLargest,
                                     LayerNorm<Avx2Vector>,
                                     Moments<Avx2Vector>,
                                     NeighbourProducts<Avx2Vector>,
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
