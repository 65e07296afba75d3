// Goal: the signs of a matrix estimate its products without a bias, as far off as they say, and its
// weights lie row by row.

#include "model/moonshine/internal/sign_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"
#include "tensor/quantized_linear.h"

namespace lethe::moonshine {
namespace {

constexpr int kOutputs = 1000, kInputs = 288;

const std::vector<float> kEven(kInputs, 1.0f);

// A matrix that is not in the middle: all its rows have something in common. Its first inputs are
// `wide` times as wide.
struct Matrix {
  explicit Matrix(int first = 0, float wide = 1) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> common(kInputs), w;
    for (float& value : common) value = 0.5f * normal(random);
    for (int n = 0; n < kOutputs; ++n) {
      const float length = 0.5f + std::abs(normal(random));
      for (int i = 0; i < kInputs; ++i) {
        w.push_back((length * normal(random) + common[i]) * (i < first ? wide : 1));
      }
    }
    q = QuantizePerOutput(w, kOutputs, kInputs);
    packed.resize(RoundUp(kOutputs, kLanes) * kInputs + 1024);
    correction.resize(RoundUp(kOutputs, kLanes));
    q.scale.resize(correction.size());
    q.zero.resize(correction.size());
    for (int n = 0; n < kOutputs; ++n) {
      for (int i = 0; i < kInputs; ++i) {
        const std::int8_t value = q.q[n * kInputs + i];
        packed[n / 16 * kInputs * 16 + i / 4 * 64 + n % 16 * 4 + i % 4] = value;
        correction[n] += value - q.zero[n];
      }
    }
    view = {.n = kOutputs,
            .k = kInputs,
            .n_padded = RoundUp(kOutputs, kLanes),
            .k_padded = kInputs,
            .weight = packed.data(),
            .scale = q.scale.data(),
            .zero = q.zero.data(),
            .correction = correction.data()};
  }
  float At(int n, int i) const {
    return q.scale[n] * static_cast<float>(q.q[n * kInputs + i] - q.zero[n]);
  }
  LinearToPack q;
  std::vector<std::int8_t> packed;
  std::vector<std::int32_t> correction;
  PackedWeights view;
};

// How far the estimates of all outputs are off, in what they say of it.
std::vector<float> Deviations(const Matrix& matrix, const SignWeights& signs,
                              std::span<const float> x) {
  const KernelTable& table = ScalarKernels();
  const int lda = RoundUp(kInputs, kActivationAlign);
  std::vector<std::uint8_t> a(lda);
  RowScale row;
  table.quantize_rows(x.data(), 1, kInputs, kInputs, a.data(), lda, &row);
  std::vector<float> exact(matrix.view.n_padded), y = exact;
  table.gemm_u8s8(a.data(), 1, lda, &row, matrix.view, exact.data(), 0, false);
  table.gemm_u8u1(a.data(), 1, lda, &row, signs, y.data(), 0);
  float squares = 0;
  for (const float value : x) squares += value * value;
  std::vector<float> off;
  for (int n = 0; n < kOutputs; ++n) {
    off.push_back((y[n] - exact[n]) / (std::sqrt(squares) * signs.error[n]));
  }
  return off;
}

TEST(SignMatrix, EstimatesAreAsFarOffAsTheySay) {
  const Matrix matrix;
  const SignMatrix signs(matrix.view, kEven);
  EXPECT_TRUE(signs.trusted());
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  double sum = 0, squares = 0;
  constexpr int kRows = 50;
  for (int row = 0; row < kRows; ++row) {
    std::vector<float> x(kInputs);
    for (float& value : x) value = normal(random);
    for (const float off : Deviations(matrix, signs.View(), x)) {
      EXPECT_LT(std::abs(off), 6);
      sum += off;
      squares += off * off;
    }
  }
  EXPECT_NEAR(sum / (kRows * kOutputs), 0, 0.05);
  EXPECT_NEAR(squares / (kRows * kOutputs), 1, 0.05);
}

TEST(SignMatrix, EstimatesOfWhatResemblesTheInputHaveNoBias) {
  const Matrix matrix;
  const SignMatrix signs(matrix.view, kEven);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  double sum = 0;
  constexpr int kRows = 200;
  for (int n = 0; n < kRows; ++n) {
    std::vector<float> x(kInputs);
    for (int i = 0; i < kInputs; ++i) x[i] = matrix.At(n, i) + normal(random);
    sum += Deviations(matrix, signs.View(), x)[n];
  }
  EXPECT_NEAR(sum / kRows, 0, 0.25);
}

// Such errors are not normal, and to look only 4.5 deviations far would miss the largest.
TEST(SignMatrix, IsNotTrustedWhereFewInputsAreMuchWiderThanTheOthers) {
  std::vector<float> widths = kEven;
  EXPECT_TRUE(SignMatrix(Matrix(1, 2).view, widths).trusted());
  EXPECT_FALSE(SignMatrix(Matrix(1, 8).view, widths).trusted());
  widths[0] = 8;
  EXPECT_FALSE(SignMatrix(Matrix().view, widths).trusted());
}

TEST(SignMatrix, IsNotTrustedWhereSomethingIsNoNumber) {
  Matrix matrix;
  matrix.q.scale[7] = 3e38f;
  EXPECT_FALSE(SignMatrix(matrix.view, kEven).trusted());
}

TEST(SignMatrix, WeightsLieRowByRow) {
  const Matrix matrix;
  const SignMatrix signs(matrix.view, kEven);
  const SignWeights view = signs.View();
  for (int n = 0; n < kOutputs; ++n) {
    const std::int8_t* row = view.weight + std::size_t(n) * SignRowBytes(kInputs);
    const auto from = matrix.q.q.begin() + std::ptrdiff_t{n} * kInputs;
    ASSERT_TRUE(std::equal(from, from + kInputs, row)) << n;
    SignRowEnd end;
    std::memcpy(&end, row + SignRowBytes(kInputs) - sizeof(end), sizeof(end));
    EXPECT_EQ(end.scale, matrix.view.scale[n]) << n;
    EXPECT_EQ(end.zero, matrix.view.zero[n]) << n;
    EXPECT_EQ(end.correction, matrix.view.correction[n]) << n;
  }
}

}  // namespace
}  // namespace lethe::moonshine
