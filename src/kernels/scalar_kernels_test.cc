// The scalar table, which is the oracle of the others, is compared with plain formulas in double.

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <numbers>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/internal/test_weights.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

using kernels_internal::Head;
using kernels_internal::Quantized;
using kernels_internal::RandomFloats;
using kernels_internal::Signals;
using kernels_internal::Weights;

TEST(ScalarKernelsTest, IntegerProductIsThePlainFormula) {
  const int m = 3, n = 20, k = 50;
  Weights w(n, k, 3, true);
  const std::vector<float> x = RandomFloats(m * k, 4);
  const Quantized q(ScalarKernels(), x, m, k);
  std::vector<float> y(m * w.view.n_padded);
  ScalarKernels().gemm_u8s8(q.bytes.data(), m, q.lda, q.rows.data(), w.view, y.data(),
                            w.view.n_padded, false);
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = w.bias[j], size = std::abs(sum);
      for (int p = 0; p < k; ++p) {
        const double a = q.rows[i].scale * (q.bytes[i * q.lda + p] - q.rows[i].zero);
        EXPECT_NEAR(a, x[i * k + p], q.rows[i].scale * 0.51);
        const double term = a * w.scale[j] * (w.At(j, p) - w.zero[j]);
        sum += term;
        size += std::abs(term);
      }
      EXPECT_NEAR(y[i * w.view.n_padded + j], sum, size * 1e-6);
    }
  }
}

TEST(ScalarKernelsTest, ProductOfShortsIsThePlainFormula) {
  constexpr int kOutputs = 32, kInputs = 6;
  std::vector<std::int16_t> x = {32767, -32768, 3, 4, 5, 6, 7, 8}, q(kOutputs * kInputs);
  std::vector<float> scale;
  for (int n = 0; n < kOutputs; ++n) {
    scale.push_back(0.5f + static_cast<float>(n));
    for (int k = 0; k < kInputs; ++k) {
      q[n / 16 * kInputs * 16 + k / 2 * 32 + n % 16 * 2 + k % 2] =
          static_cast<std::int16_t>(100 * n - k);
    }
  }
  std::vector<float> y(2 * kOutputs);
  ScalarKernels().gemm_s16(x.data(), 2, 2, std::vector<float>{2.0f, 3.0f}.data(),
                           {.n = kOutputs, .k = kInputs, .weight = q.data(), .scale = scale.data()},
                           y.data(), kOutputs);
  for (int i = 0; i < 2; ++i) {
    for (int n = 0; n < kOutputs; ++n) {
      double sum = 0;
      for (int k = 0; k < kInputs; ++k) sum += x[2 * i + k] * (100 * n - k);
      EXPECT_FLOAT_EQ(y[i * kOutputs + n], static_cast<float>((2.0 + i) * scale[n] * sum));
    }
  }
}

TEST(ScalarKernelsTest, TheLoudestOfARowHasAllBits) {
  const std::vector<float> x = {0.1f, -0.2f, 0.05f, 0.0f, 0.0f, 0.0f};
  std::vector<std::int16_t> q(32, 7);
  std::vector<float> scale(2);
  ScalarKernels().quantize_shorts(x.data(), 2, 3, 3, 1000, q.data(), 16, scale.data());
  EXPECT_EQ(q[0], 500);
  EXPECT_EQ(q[1], -1000);
  EXPECT_EQ(q[2], 250);
  for (int i = 3; i < 32; ++i) EXPECT_EQ(q[i], 0) << i;
  EXPECT_FLOAT_EQ(scale[0], 0.0002f);
}

TEST(ScalarKernelsTest, ElementKernelsKeepTheirPromisedAccuracy) {
  const KernelTable& table = ScalarKernels();
  for (float x = -12.0f; x < 12.0f; x += 0.0137f) {
    const float scores[] = {0.0f, -std::abs(x)};
    std::uint8_t weights[kActivationAlign];
    RowScale row;
    table.softmax_quantize(scores, 1, 2, 2, weights, kActivationAlign, &row);
    EXPECT_EQ(weights[0], 255);
    EXPECT_NEAR(weights[1], 255 * std::exp(double{scores[1]}), 0.502);
    float gelu = x, tanh = x, silu = 0, one = 1.0f;
    table.gelu(&gelu, 1);
    table.tanh(&tanh, 1);
    table.silu_multiply(&one, &x, 1, &silu);
    EXPECT_NEAR(gelu, 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), 8e-5);
    EXPECT_NEAR(tanh, std::tanh(x), 3e-7);
    EXPECT_NEAR(silu, x / (1 + std::exp(-double{x})), 1e-6 * (std::abs(x) + 1));
  }
}

TEST(ScalarKernelsTest, RowKernelsArePlainFormulas) {
  const KernelTable& t = ScalarKernels();
  for (int n : {1, 5, 16, 19, 288}) {
    const std::vector<float> x = RandomFloats(n, n), other = RandomFloats(n, n + 1);
    float sum = 0, squares = 0;
    t.moments(x.data(), n, &sum, &squares);
    double exact_sum = 0, exact_squares = 0, magnitude = 0;
    for (const float v : x) {
      exact_sum += v;
      exact_squares += double{v} * v;
      magnitude += std::abs(v);
    }
    EXPECT_NEAR(sum, exact_sum, 1e-6 * magnitude);
    EXPECT_NEAR(squares, exact_squares, 1e-6 * exact_squares);

    constexpr int kRows = 3;
    const std::vector<float> rows = RandomFloats(kRows * n, n + 2);
    // Behind the last row nothing is written.
    std::vector<float> row_squares(kRows), products(kRows, -1.0f);
    t.neighbour_products(rows.data(), kRows, n, row_squares.data(), products.data());
    for (int r = 0; r < kRows; ++r) {
      double square = 0, product = 0;
      for (int i = r * n; i < (r + 1) * n; ++i) {
        square += double{rows[i]} * rows[i];
        if (r + 1 < kRows) product += double{rows[i]} * rows[i + n];
      }
      EXPECT_NEAR(row_squares[r], square, 1e-6 * square);
      EXPECT_NEAR(products[r], r + 1 < kRows ? product : -1, 1e-6 * square + 1e-6) << r;
    }
    std::vector<float> scaled = rows, positive = x;
    t.scale_columns(scaled.data(), kRows, n, x.data(), other.data());
    for (int i = 0; i < kRows * n; ++i) {
      EXPECT_EQ(scaled[i], std::fma(rows[i], x[i % n], other[i % n])) << i;
    }
    t.relu(positive.data(), n);
    for (int i = 0; i < n; ++i) {
      EXPECT_EQ(positive[i], std::max(x[i], 0.0f)) << i;
    }
  }
}

// Also where nearly all of the sum is one value, or many that are nothing by themselves.
TEST(ScalarKernelsTest, LargestAndLogarithmOfTheSumAreThoseOfTheFormula) {
  for (const int n : {1, 5, 16, 100, 32'768}) {
    for (const float spread : {0.001f, 3.0f, 40.0f}) {
      std::vector<float> x = RandomFloats(n, n, spread);
      for (const float ahead : {0.0f, 30.0f}) {
        x[n / 2] += ahead;
        const auto largest = std::max_element(x.begin(), x.end());
        double sum = 0;
        for (const float v : x) sum += std::exp(double{v} - *largest);
        int index = -1;
        float log_sum = 0;
        ScalarKernels().argmax_logsumexp(x.data(), n, &index, &log_sum);
        EXPECT_EQ(index, largest - x.begin());
        const double expected = *largest + std::log(sum);
        EXPECT_NEAR(log_sum, expected, 1e-5 + 1e-7 * std::abs(expected)) << n << ' ' << spread;
        EXPECT_GE(log_sum, *largest) << n << ' ' << spread;
      }
    }
  }
}

TEST(ScalarKernelsTest, SpectrumIsTheWindowedFourierTransform) {
  for (const int size : {4, 8, 64, 256}) {
    for (const int m : {1, 3, 16}) {
      const Signals signals(m, size);
      const std::vector<float> y = signals.Spectrum(ScalarKernels());
      for (int i = 0; i < m; ++i) {
        const float* row = y.data() + std::size_t(i) * signals.ldy();
        for (int k = 0; k <= size / 2; ++k) {
          std::complex<double> sum = 0;
          double most = 0;
          for (int t = 0; t < size; ++t) {
            const double sample = double{signals.x[i * signals.ldx + t]} * signals.window[t];
            sum += std::polar(sample, -2 * std::numbers::pi * k * t / size);
            most += std::abs(sample);
          }
          EXPECT_NEAR(row[k], std::abs(sum), 1e-6 * most) << size << ": " << k;
        }
        for (int k = size / 2 + 1; k < signals.ldy(); ++k) EXPECT_EQ(row[k], 7.0f) << k;
      }
    }
  }
}

TEST(ScalarKernelsTest, HeadsAreTurnedByTheirAngles) {
  constexpr int kHeads = 3;
  constexpr float kScale = 0.25f;
  for (const auto& [d, turned] : {std::pair(36, 32), {16, 16}, {20, 4}, {8, 0}}) {
    std::vector<float> x = RandomFloats(kHeads * d, d), angles(turned);
    const std::vector<float> before = x;
    for (int i = 0; i < turned; i += 2) {
      angles[i] = std::cos(0.3f * static_cast<float>(i + 1));
      angles[i + 1] = std::sin(0.3f * static_cast<float>(i + 1));
    }
    ScalarKernels().rotate(x.data(), kHeads, d, angles.data(), turned, kScale);
    for (int i = 0; i < kHeads * d; i += 2) {
      const double a = before[i], b = before[i + 1];
      const bool turns = i % d < turned;
      const double c = turns ? angles[i % d] : 1, s = turns ? angles[i % d + 1] : 0;
      EXPECT_NEAR(x[i], kScale * (a * c - b * s), 1e-6 * (std::abs(a) + std::abs(b)));
      EXPECT_NEAR(x[i + 1], kScale * (b * c + a * s), 1e-6 * (std::abs(a) + std::abs(b)));
    }
  }
}

TEST(ScalarKernelsTest, GeluOfWhatIsFarFromZeroIsItOrNothing) {
  for (const float x : {4.2f, 5.0f, 1e3f, 1e6f, 1e30f}) {
    float above = x, below = -x;
    ScalarKernels().gelu(&above, 1);
    ScalarKernels().gelu(&below, 1);
    EXPECT_FLOAT_EQ(above, x);
    EXPECT_NEAR(below, 0, std::max(8e-5f, 1e-7f * x)) << x;
  }
}

TEST(ScalarKernelsTest, HalfPrecisionRoundsToEven) {
  const std::vector<float> x = {
      1.0f,         -2.0f,       0.1f,     65504.0f,        65520.0f,
      0x1p-24f,     0x1p-25f,    0x3p-25f, 1.0f + 0x1p-11f, 1.0f + 0x3p-11f,
      0x1.ff8p-15f, 0x1.ffcp-15f};
  const std::vector<std::uint16_t> expected = {0x3c00, 0xc000, 0x2e66, 0x7bff, 0x7c00, 0x0001,
                                               0x0000, 0x0002, 0x3c00, 0x3c02, 0x03ff, 0x0400};
  std::vector<std::uint16_t> y(x.size());
  ScalarKernels().to_half(x.data(), static_cast<int>(x.size()), y.data());
  EXPECT_EQ(y, expected);
}

TEST(ScalarKernelsTest, AttentionIsThePlainFormula) {
  for (const int count : {1, 16, 17, 33, 48, 49, 63, 64, 65, 100, 130}) {
    SCOPED_TRACE(count);
    const int d = 36, padded = (count + 15) / 16 * 16;
    const std::vector<float> query = RandomFloats(d, 1, 0.3f);
    std::vector<float> k(d * padded), v(count * d + 64);
    // Small integers are themselves in half precision.
    for (std::size_t i = 0; i < k.size(); ++i) k[i] = static_cast<float>(i * 7 % 11) - 5.0f;
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i * 5 % 13) - 6.0f;
    std::vector<std::uint16_t> keys(k.size()), values(v.size());
    ScalarKernels().to_half(k.data(), static_cast<int>(k.size()), keys.data());
    ScalarKernels().to_half(v.data(), static_cast<int>(v.size()), values.data());
    std::vector<float> scores(padded), out(d + 64);
    ScalarKernels().attend(query.data(), d, keys.data(), values.data(), count, scores.data(),
                           out.data());
    std::vector<double> weight(count);
    double sum = 0;
    for (int t = 0; t < count; ++t) {
      double score = 0;
      for (int i = 0; i < d; ++i) score += double{query[i]} * k[(t / 16 * d + i) * 16 + t % 16];
      sum += weight[t] = std::exp(score);
    }
    for (int i = 0; i < d; ++i) {
      double expected = 0;
      for (int t = 0; t < count; ++t) expected += weight[t] / sum * v[t * d + i];
      EXPECT_NEAR(out[i], expected, 1e-4) << i;
    }
  }
}

TEST(ScalarKernelsTest, AttentionOverFramesIsThePlainFormula) {
  const int frames = 70, d = 36, m = 60;
  const Head head(frames, d);
  const std::vector<float> out = head.Attend(ScalarKernels(), m);
  for (int i = 0; i < m; ++i) {
    const auto at = [&head](int frame, int part) { return head.x.data() + (3 * frame + part) * d; };
    std::vector<double> weight(frames);
    double sum = 0;
    for (int t = 0; t < frames; ++t) {
      double score = 0;
      for (int j = 0; j < d; ++j) score += double{at(i, 0)[j]} * at(t, 1)[j];
      sum += weight[t] = std::exp(score);
    }
    for (int j = 0; j < d; ++j) {
      double expected = 0;
      for (int t = 0; t < frames; ++t) expected += weight[t] / sum * at(t, 2)[j];
      EXPECT_NEAR(out[i * (d + 3) + j], expected, 0.15) << i << " " << j;
    }
  }
}

TEST(ScalarKernelsTest, PackedActivationsAreTheMatrixAndItsTranspose) {
  const int n = 20, k = 37, n_padded = 32, k_padded = 40;
  const std::vector<float> x = RandomFloats(n_padded * 48, 6);
  std::vector<std::int8_t> w(n_padded * k_padded);
  std::vector<float> scale(n_padded);
  std::vector<std::int32_t> correction(n_padded);
  for (const bool outputs : {true, false}) {
    if (outputs) {
      ScalarKernels().pack_outputs(x.data(), n, k, 48, w.data(), scale.data(), correction.data());
    } else {
      ScalarKernels().pack_inputs(x.data(), k, n, 32, w.data(), scale.data(), correction.data());
    }
    for (int i = 0; i < n; ++i) {
      int sum = 0;
      for (int p = 0; p < k; ++p) {
        const int at = (i / 16) * k_padded * 16 + (p / 4) * 64 + (i % 16) * 4 + p % 4;
        const int q = int{w[at]};
        EXPECT_NEAR(q * scale[i], outputs ? x[i * 48 + p] : x[p * 32 + i], scale[i] * 0.501);
        sum += q;
      }
      EXPECT_EQ(sum, correction[i]);
    }
  }
}

}  // namespace
}  // namespace lethe
