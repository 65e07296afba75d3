// The plainest correct code: the oracle of all the other tables, and what runs where there is no
// AVX2.

#include "kernels/kernels.h"

#include "kernels/internal/attend_frames.h"
#include "kernels/internal/float_kernels.h"
#include "kernels/internal/signs.h"
#include "kernels/scalar/vector.h"

namespace lethe {
namespace {

using kernels_internal::RowRange;

void QuantizeRows(const float* x, int m, int k, std::int64_t ldx, std::uint8_t* a, int lda,
                  RowScale* rows) {
  for (int i = 0; i < m; ++i, x += ldx, a += lda) {
    const float inverse = RowRange<ScalarVector>(x, k, &rows[i]);
    std::int32_t sum = 0;
    for (int p = 0; p < lda; ++p) {
      std::int32_t q = 0;
      if (p < k) {
        q = static_cast<std::int32_t>(__builtin_nearbyintf(x[p] * inverse)) + rows[i].zero;
        q = q < 0 ? 0 : q > 255 ? 255 : q;
      }
      a[p] = static_cast<std::uint8_t>(q);
      sum += q;
    }
    rows[i].sum = sum;
  }
}

// One row by outputs n..n+15.
void Panel(const std::uint8_t* a, const RowScale& row, const PackedWeights& w, int n, float* y,
           bool accumulate) {
  const std::int8_t* group = w.weight + std::int64_t{n} * w.k_padded;
  std::int32_t sums[16] = {};
  for (int p = 0; p < w.k_padded; p += 4, group += 64) {
    for (int j = 0; j < 16; ++j) {
      for (int r = 0; r < 4; ++r) sums[j] += a[p + r] * group[4 * j + r];
    }
  }
  for (int j = 0; j < 16; ++j) {
    const int at = n + j;
    const std::int32_t sum = sums[j] - (w.zero[at] * row.sum + row.zero * w.correction[at]);
    const float value = __builtin_fmaf(static_cast<float>(sum), row.scale * w.scale[at],
                                       w.bias != nullptr ? w.bias[at] : 0.0f);
    y[at] = accumulate ? y[at] + value : value;
  }
}

void GemmU8S8(const std::uint8_t* a, int m, int lda, const RowScale* rows, const PackedWeights& w,
              float* y, std::int64_t ldy, bool accumulate) {
  for (int i = 0; i < m; ++i, a += lda, y += ldy) {
    for (int n = 0; n < w.n_padded; n += 16) Panel(a, rows[i], w, n, y, accumulate);
  }
}

void GemmS16(const std::int16_t* x, int m, std::int64_t ldx, const float* scale,
             const ShortWeights& w, float* y, std::int64_t ldy) {
  for (int i = 0; i < m; ++i, x += ldx, y += ldy) {
    for (int n = 0; n < w.n; ++n) {
      const std::int16_t* weight = w.weight + std::int64_t{n / 16} * w.k * 16 + n % 16 * 2;
      std::int32_t sum = 0;
      for (int p = 0; p < w.k; ++p) sum += x[p] * weight[p / 2 * 32 + p % 2];
      y[n] = __builtin_fmaf(static_cast<float>(sum), scale[i] * w.scale[n],
                            w.bias != nullptr ? w.bias[n] : 0.0f);
    }
  }
}

void GemmU8U1(const std::uint8_t* a, int m, int lda, const RowScale* rows, const SignWeights& w,
              float* y, std::int64_t ldy) {
  kernels_internal::GemmU8U1<ScalarVector>(
      a, m, lda, rows, w, y, ldy, kernels_internal::FillByThrees,
      [&](const std::uint8_t* code, const kernels_internal::SignTable& table, const auto& take) {
        const auto sum_of = [&](int i) {
          const int byte = SignByte(i);
          int sum = 0;
          for (int g = 0; g < w.k_padded / kernels_internal::kGroup; ++g) {
            const int six = code[g * kSignOutputs + byte];
            sum += table.entry[g][six & 7] + table.entry[g][16 + (six >> 3)];
          }
          return static_cast<float>(sum);
        };
        for (int n = 0; n < kSignOutputs; n += kLanes) {
          take(n, ScalarVector::Each([&](int i) { return sum_of(n + i); }));
        }
      });
}

void RefineLargest(const std::uint8_t* a, const RowScale& row, const SignWeights& w, float* y) {
  kernels_internal::RefineLargest<ScalarVector>(
      a, row, w, y, kernels_internal::OneByOne([&](const std::int8_t* weight) {
        std::int32_t sum = 0;
        for (int p = 0; p < w.k; ++p) sum += a[p] * weight[p];
        return sum;
      }));
}

}  // namespace

const KernelTable& ScalarKernels() {
  using namespace kernels_internal;
  static constexpr KernelTable table{
      "scalar",
      QuantizeRows,
      GemmU8S8,
      QuantizeShorts<ScalarVector>,
      GemmS16,
      GemmU8U1,
      RefineLargest,
      LayerNorm<ScalarVector>,
      Moments<ScalarVector>,
      NeighbourProducts<ScalarVector>,
      ScaleColumns<ScalarVector>,
      Spectrum<ScalarVector>,
      Relu<ScalarVector>,
      Rotate<ScalarVector>,
      Gelu<ScalarVector>,
      TanhAll<ScalarVector>,
      SiluMultiply<ScalarVector>,
      SoftmaxQuantize<ScalarVector>,
      PackOutputs<ScalarVector>,
      PackInputs<ScalarVector>,
      AttendByProducts<QuantizeRows, GemmU8S8, SoftmaxQuantize<ScalarVector>>,
      ToHalf<ScalarVector>,
      Attend<ScalarVector>,
      ArgmaxLogSumExp<ScalarVector>,
      LstmCell<ScalarVector>};
  return table;
}

}  // namespace lethe
