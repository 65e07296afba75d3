// Products with the signs of weights: every table this CPU can run gives the bits that the scalar
// table gives, at awkward sizes and at the ends of what a byte holds, and what may be the largest
// output is made exact.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"
#include "kernels/internal/test_weights.h"
#include "kernels/kernels.h"

namespace lethe {
namespace {

using kernels_internal::ExpectSameBits;
using kernels_internal::Quantized;
using kernels_internal::RandomFloats;
using kernels_internal::Signs;
using kernels_internal::Weights;

class SignKernelsTest : public testing::TestWithParam<const KernelTable*> {
 protected:
  const KernelTable& table_ = *GetParam();
  const KernelTable& scalar_ = ScalarKernels();
};

TEST_P(SignKernelsTest, ProductOfSignsIsThatOfTheScalarTable) {
  unsigned seed = 100;
  for (int m : {0, 1, 2, 3, 8, 17}) {
    for (int n : {1, 16, 40, 64, 300}) {
      for (int k : {1, 4, 5, 16, 100, 288, kMaxSignDepth}) {
        ++seed;
        Weights w(n, k, seed, false);
        const Signs signs(&w);
        std::vector<float> x = RandomFloats(static_cast<std::size_t>(m) * k, seed);
        for (int p = 0; m > 2 && p < k; ++p) x[2 * k + p] = 0.0f;
        const Quantized q(scalar_, x, m, k);
        // What is behind n must not be written.
        const int ldy = n + 3;
        std::vector<float> y(static_cast<std::size_t>(m) * ldy, 7.0f), expected = y;
        const auto compute = [&](const KernelTable& table, bool refine, std::vector<float>* to) {
          table.gemm_u8u1(q.bytes.data(), m, q.lda, q.rows.data(), signs.view, to->data(), ldy);
          for (int i = 0; refine && i < m; ++i) {
            table.refine_largest(q.bytes.data() + i * q.lda, q.rows[i], signs.view,
                                 to->data() + i * ldy);
          }
        };
        for (const bool refine : {false, true}) {
          compute(table_, refine, &y);
          compute(scalar_, refine, &expected);
          ExpectSameBits(y, expected,
                         "m " + std::to_string(m) + " n " + std::to_string(n) + " k " +
                             std::to_string(k) + (refine ? " refined" : ""));
        }
        for (int i = 0; i < m; ++i) {
          for (int j = n; j < ldy; ++j) ASSERT_EQ(y[i * ldy + j], 7.0f);
        }
      }
    }
  }
}

TEST_P(SignKernelsTest, EstimatesThatAreNoNumbersTouchNothingBehindTheLastOutput) {
  constexpr int kOutputs = 50, kInputs = 288;
  Weights w(kOutputs, kInputs, 3, false);
  const Signs signs(&w);
  const Quantized q(scalar_, RandomFloats(kInputs, 4), 1, kInputs);
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -3.4e38f}) {
    std::vector<float> y(64, 7.0f);
    std::fill_n(y.begin(), kOutputs, value);
    table_.refine_largest(q.bytes.data(), q.rows[0], signs.view, y.data());
    for (int n = kOutputs; n < 64; ++n) EXPECT_EQ(y[n], 7.0f) << n;
  }
}

// Also where a row resembles an output's weights, as it does where a token is sure.
TEST_P(SignKernelsTest, TheLargestOutputOfSignsIsExact) {
  constexpr int kOutputs = 2000, kInputs = 288, kRows = 40;
  Weights w(kOutputs, kInputs, 3, false);
  for (int i = 0; i < w.view.n_padded; ++i) {
    w.scale[i] = std::abs(w.scale[i]) + 0.01f;
    w.zero[i] = w.correction[i] = 0;
    for (int p = 0; p < kInputs; ++p) w.correction[i] += w.At(i, p);
  }
  const Signs signs(&w);
  std::vector<float> x = RandomFloats(std::size_t{kRows} * kInputs, 4);
  for (int i = 0; i < kRows; i += 2) {
    for (int p = 0; p < kInputs; ++p) x[i * kInputs + p] += 0.02f * w.At(30 * i, p);
  }
  const Quantized q(scalar_, x, kRows, kInputs);
  std::vector<float> exact(std::size_t{kRows} * w.view.n_padded), y = exact;
  const int ldy = w.view.n_padded;
  scalar_.gemm_u8s8(q.bytes.data(), kRows, q.lda, q.rows.data(), w.view, exact.data(), ldy, false);
  table_.gemm_u8u1(q.bytes.data(), kRows, q.lda, q.rows.data(), signs.view, y.data(), ldy);
  int as_found = 0;
  for (int i = 0; i < kRows; ++i) {
    const auto best = [i, ldy](const std::vector<float>& of) {
      const auto row = of.begin() + i * ldy;
      return std::max_element(row, row + kOutputs) - row;
    };
    as_found += best(y) == best(exact) ? 1 : 0;
    table_.refine_largest(q.bytes.data() + i * q.lda, q.rows[i], signs.view, y.data() + i * ldy);
    ASSERT_EQ(best(y), best(exact)) << i;
    EXPECT_EQ(y[i * ldy + best(y)], exact[i * ldy + best(y)]) << i;
  }
  EXPECT_GE(as_found, kRows / 2);  // nearness is what says which may be the largest
  EXPECT_LT(as_found, kRows);      // otherwise this shows nothing
}

// Six inputs come nearest to the most that a group of them may add, and all groups are such.
TEST_P(SignKernelsTest, SumsThatAreAsLargeAsTheyGetDoNotRunOver) {
  constexpr int kInputs = kMaxSignDepth, kOutputs = kSignOutputs;
  const std::vector<float> scale(kOutputs, 1.0f), mean(kInputs, 0.0f);
  for (const auto& [zero, group] :
       {std::pair(0, std::array{9, 9, 9, 9, 9, 11}), std::pair(0, std::array{9, 9, 9, 9, 11, 11}),
        std::pair(0, std::array{255, 0, 0, 0, 0, 0}),
        std::pair(255, std::array{0, 255, 0, 255, 0, 255})}) {
    std::vector<std::uint8_t> a(kInputs + kActivationAlign);
    RowScale row{1.0f, zero, 0};
    int all = 0;
    for (int p = 0; p < kInputs; ++p) {
      a[p] = static_cast<std::uint8_t>(group[p % 6]);
      row.sum += a[p];
      all += a[p] - zero;
    }
    for (const int code : {63, 0}) {
      const std::vector<std::uint8_t> codes(std::size_t{kOutputs} * kInputs / 6,
                                            static_cast<std::uint8_t>(code));
      const SignWeights w{.n = kOutputs,
                          .k = kInputs,
                          .n_padded = kOutputs,
                          .k_padded = kInputs,
                          .code = codes.data(),
                          .mean = mean.data(),
                          .scale = scale.data()};
      std::vector<float> y(kOutputs), expected(kOutputs);
      table_.gemm_u8u1(a.data(), 1, kInputs, &row, w, y.data(), kOutputs);
      scalar_.gemm_u8u1(a.data(), 1, kInputs, &row, w, expected.data(), kOutputs);
      ExpectSameBits(y, expected, std::to_string(group[0]));
      // Every input may be off by half a step, of which the largest six have 28.
      EXPECT_NEAR(y[0], code == 0 ? -all : all, 0.12 * std::abs(all)) << group[0];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryTable, SignKernelsTest, testing::ValuesIn(AvailableKernels()),
                         [](const auto& instance) { return std::string(instance.param->name); });

}  // namespace
}  // namespace lethe
