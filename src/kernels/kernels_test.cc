// Every table this CPU can run gives the bits that the scalar table gives, at awkward sizes
// (nothing, one, a vector and one). scalar_kernels_test.cc has that one compared with formulas.

#include "kernels/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"
#include "kernels/internal/test_weights.h"

namespace lethe {
namespace {

using kernels_internal::ExpectSameBits;
using kernels_internal::Head;
using kernels_internal::Quantized;
using kernels_internal::RandomFloats;
using kernels_internal::Weights;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class KernelsTest : public testing::TestWithParam<const KernelTable*> {
 protected:
  const KernelTable& table_ = *GetParam();
  const KernelTable& scalar_ = ScalarKernels();
};

TEST_P(KernelsTest, QuantizedRowsAreThoseOfTheScalarTable) {
  for (int k : {1, 3, 16, 17, 31, 63, 64, 65, 288, 1152, 2016}) {
    std::vector<float> x = RandomFloats(5 * k, k);
    for (int p = 0; p < k; ++p) x[p] = 0.0f;                       // a row of zeros
    for (int p = k; p < 2 * k; ++p) x[p] = std::abs(x[p]) + 1.0f;  // all positive
    for (int p = 2 * k; p < 3 * k; ++p) x[p] = -std::abs(x[p]);    // all negative
    const Quantized a(table_, x, 5, k), b(scalar_, x, 5, k);
    ASSERT_EQ(a.bytes, b.bytes) << k;
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(a.rows[i].scale, b.rows[i].scale) << k;
      EXPECT_EQ(a.rows[i].zero, b.rows[i].zero) << k;
      EXPECT_EQ(a.rows[i].sum, b.rows[i].sum) << k;
    }
  }
}

// In every lane of rows side by side and of one alone.
TEST_P(KernelsTest, RowsWithWhatIsNoNumberOrInfiniteAreThoseOfTheScalarTable) {
  constexpr int kRows = 5, kInputs = 40;
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    for (int at = 0; at < kInputs; ++at) {
      std::vector<float> x = RandomFloats(kRows * kInputs, at);
      for (int i = 0; i < kRows; ++i) x[i * kInputs + (at + i) % kInputs] = odd;
      const Quantized a(table_, x, kRows, kInputs), b(scalar_, x, kRows, kInputs);
      ASSERT_EQ(a.bytes, b.bytes) << odd << " at " << at;
      for (int i = 0; i < kRows; ++i) {
        EXPECT_EQ(std::bit_cast<int>(a.rows[i].scale), std::bit_cast<int>(b.rows[i].scale));
        EXPECT_EQ(a.rows[i].zero, b.rows[i].zero);
        EXPECT_EQ(a.rows[i].sum, b.rows[i].sum);
      }
    }
  }
}

TEST_P(KernelsTest, IntegerProductIsThatOfTheScalarTable) {
  unsigned seed = 1;
  for (int m : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 23, 31, 33, 40, 97}) {
    for (int n : {1, 16, 17, 48}) {
      for (int k : {1, 4, 5, 63, 64, 100, 288}) {
        ++seed;
        const Weights w(n, k, seed, seed % 2 == 0);
        const std::vector<float> x = RandomFloats(static_cast<std::size_t>(m) * k, seed);
        const Quantized q(scalar_, x, m, k);
        const std::vector<float> before =
            RandomFloats(static_cast<std::size_t>(m) * w.view.n_padded, seed + 7);
        for (bool accumulate : {false, true}) {
          std::vector<float> y = before, expected = before;
          table_.gemm_u8s8(q.bytes.data(), m, q.lda, q.rows.data(), w.view, y.data(),
                           w.view.n_padded, accumulate);
          scalar_.gemm_u8s8(q.bytes.data(), m, q.lda, q.rows.data(), w.view, expected.data(),
                            w.view.n_padded, accumulate);
          ExpectSameBits(
              y, expected,
              "m " + std::to_string(m) + " n " + std::to_string(n) + " k " + std::to_string(k));
        }
      }
    }
  }
}

TEST_P(KernelsTest, ProductOfShortsIsThatOfTheScalarTable) {
  std::mt19937 random(8);
  std::uniform_int_distribution<int> any(-32768, 32767);
  for (int m : {0, 1, 5, 6, 7, 12, 13, 31}) {
    for (int n : {16, 32, 48, 288}) {
      for (int k : {2, 6, 128}) {
        for (int ldx : {k, 2, k + 3}) {  // rows overlap, or do not even lie beside each other
          std::vector<std::int16_t> x(static_cast<std::size_t>(m) * ldx + k), q(n * k);
          for (auto& v : x) v = static_cast<std::int16_t>(any(random));
          // As large as their sums may be.
          for (auto& v : q) v = static_cast<std::int16_t>(any(random) % (65535 / k));
          const std::vector<float> scale = RandomFloats(n, 9);
          const std::vector<float> rows = RandomFloats(m, 10), bias = RandomFloats(n, 11);
          const ShortWeights w{.n = n,
                               .k = k,
                               .weight = q.data(),
                               .scale = scale.data(),
                               .bias = m % 2 == 0 ? bias.data() : nullptr};
          std::vector<float> y(static_cast<std::size_t>(m) * (n + 3), 7.0f), expected = y;
          table_.gemm_s16(x.data(), m, ldx, rows.data(), w, y.data(), n + 3);
          scalar_.gemm_s16(x.data(), m, ldx, rows.data(), w, expected.data(), n + 3);
          ExpectSameBits(
              y, expected,
              "m " + std::to_string(m) + " n " + std::to_string(n) + " k " + std::to_string(k));
        }
      }
    }
  }
}

TEST_P(KernelsTest, ShortsAreThoseOfTheScalarTable) {
  for (int k : {1, 15, 16, 17, 100, 387}) {
    constexpr int kRows = 5;
    std::vector<float> x = RandomFloats(static_cast<std::size_t>(kRows) * k, k);
    for (int p = 0; p < k; ++p) x[k + p] = 0.0f;
    x[2 * k] = std::numeric_limits<float>::quiet_NaN();
    x[3 * k] = std::numeric_limits<float>::infinity();
    for (const int largest : {1, 8191, 32767}) {
      const int ldq = (k + 15) / 16 * 16 + 5;
      std::vector<std::int16_t> q(static_cast<std::size_t>(kRows) * ldq, 7), expected = q;
      std::vector<float> scale(kRows), expected_scale = scale;
      table_.quantize_shorts(x.data(), kRows, k, k, largest, q.data(), ldq, scale.data());
      scalar_.quantize_shorts(x.data(), kRows, k, k, largest, expected.data(), ldq,
                              expected_scale.data());
      ASSERT_EQ(q, expected) << k << " " << largest;
      EXPECT_EQ(scale, expected_scale) << k << " " << largest;
    }
  }
}

TEST_P(KernelsTest, IntegerProductHoldsAtTheLargestDepthAndTheLargestValues) {
  Weights w(16, kMaxGemmDepth, 5, false);
  for (auto& v : w.q) v = -128;
  std::vector<float> x(static_cast<std::size_t>(7) * kMaxGemmDepth, 1.0f);
  for (int i = 0; i < 7; ++i) x[static_cast<std::size_t>(i) * kMaxGemmDepth] = -1.0f;
  const Quantized q(scalar_, x, 7, kMaxGemmDepth);
  std::vector<float> y(7 * 16), expected(7 * 16);
  table_.gemm_u8s8(q.bytes.data(), 7, q.lda, q.rows.data(), w.view, y.data(), 16, false);
  scalar_.gemm_u8s8(q.bytes.data(), 7, q.lda, q.rows.data(), w.view, expected.data(), 16, false);
  ExpectSameBits(y, expected, "largest");
}

TEST_P(KernelsTest, RowAndElementKernelsAreThoseOfTheScalarTable) {
  for (int n : {1, 2, 15, 16, 17, 31, 33, 288, 1000}) {
    const std::vector<float> x = RandomFloats(3 * n, n, 20.0f), w = RandomFloats(n, 9);
    std::vector<float> a(3 * n), b = a;
    table_.layer_norm(x.data(), 3, n, w.data(), a.data());
    scalar_.layer_norm(x.data(), 3, n, w.data(), b.data());
    ExpectSameBits(a, b, "layer_norm");
    a = b = x;
    table_.gelu(a.data(), 3 * n);
    scalar_.gelu(b.data(), 3 * n);
    ExpectSameBits(a, b, "gelu");
    a = b = x;
    table_.tanh(a.data(), 3 * n);
    scalar_.tanh(b.data(), 3 * n);
    ExpectSameBits(a, b, "tanh");
    table_.silu_multiply(x.data(), x.data() + n, n, a.data());
    scalar_.silu_multiply(x.data(), x.data() + n, n, b.data());
    ExpectSameBits(a, b, "silu");
    a = b = x;
    table_.relu(a.data(), 3 * n);
    scalar_.relu(b.data(), 3 * n);
    ExpectSameBits(a, b, "relu");
    for (const auto& [table, to] : {std::pair(&table_, &a), std::pair(&scalar_, &b)}) {
      *to = x;
      table->scale_columns(to->data(), 2, n, w.data(), x.data() + 2 * n);
      table->moments(to->data(), n, &(*to)[n], &(*to)[2 * n]);
    }
    ExpectSameBits(a, b, "moments of scaled columns");
    table_.neighbour_products(x.data(), 3, n, a.data(), b.data());
    std::vector<float> squares(3), products(2);
    scalar_.neighbour_products(x.data(), 3, n, squares.data(), products.data());
    ExpectSameBits({a.begin(), a.begin() + 3}, squares, "squares");
    ExpectSameBits({b.begin(), b.begin() + 2}, products, "products of neighbours");
    // A row alone has no neighbour.
    table_.neighbour_products(x.data(), 1, n, a.data(), nullptr);
    EXPECT_EQ(a[0], squares[0]);
    int i = -1, j = -2;
    float p = 0, q = 1;
    table_.argmax_logsumexp(x.data(), n, &i, &p);
    scalar_.argmax_logsumexp(x.data(), n, &j, &q);
    EXPECT_EQ(i, j);
    EXPECT_EQ(p, q);
    EXPECT_EQ(i, std::max_element(x.begin(), x.begin() + n) - x.begin());
  }
  const std::vector<float> gates = RandomFloats(4 * 128, 11);
  std::vector<float> cell = RandomFloats(128, 12), cell2 = cell, hidden(128), hidden2(128);
  table_.lstm_cell(gates.data(), 128, cell.data(), hidden.data());
  scalar_.lstm_cell(gates.data(), 128, cell2.data(), hidden2.data());
  ExpectSameBits(cell, cell2, "cell");
  ExpectSameBits(hidden, hidden2, "hidden");
}

TEST_P(KernelsTest, HalfPrecisionIsThatOfTheScalarTable) {
  std::vector<float> x = RandomFloats(100, 1, 100.0f);
  for (float v : {0.0f, -0.0f, 1e-8f, 3e-8f, 6e-5f, -7e-6f, 65504.0f, 65519.0f, 65520.0f, -1e9f,
                  1.00048828125f, 1.00146484375f}) {
    x.push_back(v);
  }
  for (int n : {0, 1, 15, 16, 17, static_cast<int>(x.size())}) {
    std::vector<std::uint16_t> a(x.size(), 7), b = a;
    table_.to_half(x.data(), n, a.data());
    scalar_.to_half(x.data(), n, b.data());
    EXPECT_EQ(a, b) << n;
  }
}

TEST_P(KernelsTest, AttentionIsThatOfTheScalarTable) {
  for (int d : {1, 16, 17, 36, 52, 64}) {
    for (int count : {1, 2, 3, 4, 5, 15, 16, 17, 33, 48, 63, 64, 65, 200}) {
      const int padded = (count + 15) / 16 * 16;
      const std::vector<float> query = RandomFloats(d, 1, 0.3f);
      std::vector<std::uint16_t> keys(d * padded + 64), values(count * d + 64);
      const auto fill = [this](std::vector<std::uint16_t>* to, unsigned seed) {
        const std::vector<float> x = RandomFloats(to->size(), seed, 1.0f);
        scalar_.to_half(x.data(), static_cast<int>(x.size()), to->data());
      };
      fill(&keys, 2);
      fill(&values, 3);
      std::vector<float> scores(padded, 7.0f), scores2 = scores, out(d + 64), out2 = out;
      table_.attend(query.data(), d, keys.data(), values.data(), count, scores.data(), out.data());
      scalar_.attend(query.data(), d, keys.data(), values.data(), count, scores2.data(),
                     out2.data());
      out.resize(d);
      out2.resize(d);
      ExpectSameBits(scores, scores2, "scores");
      ExpectSameBits(out, out2, "attention of " + std::to_string(count));
    }
  }
}

TEST_P(KernelsTest, TurnedHeadsAreThoseOfTheScalarTable) {
  for (int d : {2, 16, 36, 52, 70}) {
    for (int turned : {2, 16, 32, 36, 70}) {
      if (turned > d) continue;
      std::vector<float> a = RandomFloats(3 * d + 5, d), b = a;
      const std::vector<float> angles = RandomFloats(turned, 8, 1.0f);
      table_.rotate(a.data(), 3, d, angles.data(), turned, 0.3f);
      scalar_.rotate(b.data(), 3, d, angles.data(), turned, 0.3f);
      ExpectSameBits(a, b, "turned " + std::to_string(turned) + " of " + std::to_string(d));
    }
  }
}

TEST_P(KernelsTest, SpectrumIsThatOfTheScalarTable) {
  for (const int size : {4, 8, 64, 256}) {
    for (const int m : {1, 3, 15, 16}) {
      const kernels_internal::Signals signals(m, size);
      ExpectSameBits(signals.Spectrum(table_), signals.Spectrum(scalar_), std::to_string(size));
    }
  }
}

TEST_P(KernelsTest, AttentionOverFramesIsThatOfTheScalarTable) {
  for (int d : {1, 4, 6, 36, 52, 64}) {
    for (int frames : {1, 2, 4, 7, 16, 17, 50, 115}) {
      const Head head(frames, d);
      for (int m : {0, 1, 3, 16, 17, 32, 48, 49, frames}) {
        if (m > frames) continue;
        ExpectSameBits(head.Attend(table_, m), head.Attend(scalar_, m),
                       std::to_string(m) + " of " + std::to_string(frames) + " frames, " +
                           std::to_string(d) + " dimensions");
      }
    }
  }
}

// The exponents of most weights are beyond what a float has.
TEST_P(KernelsTest, AttentionOfScoresFarApartIsThatOfTheScalarTable) {
  const Head head(50, 36, 12.0f);
  ExpectSameBits(head.Attend(table_, 50), head.Attend(scalar_, 50), "50 frames");
}

TEST_P(KernelsTest, QuantisedSoftmaxIsThatOfTheScalarTable) {
  for (int n : {1, 2, 15, 16, 17, 63, 64, 65, 458}) {
    const int lda = (n + kActivationAlign - 1) / kActivationAlign * kActivationAlign;
    const std::vector<float> s = RandomFloats(static_cast<std::size_t>(3) * (n + 5), n, 4.0f);
    std::vector<std::uint8_t> a(static_cast<std::size_t>(3) * lda, 9), b = a;
    std::vector<RowScale> rows(3), rows2(3);
    table_.softmax_quantize(s.data(), 3, n, n + 5, a.data(), lda, rows.data());
    scalar_.softmax_quantize(s.data(), 3, n, n + 5, b.data(), lda, rows2.data());
    EXPECT_EQ(a, b) << n;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(rows[i].scale, rows2[i].scale);
      EXPECT_EQ(rows[i].zero, 0);
      EXPECT_EQ(rows[i].sum, rows2[i].sum);
    }
  }
}

TEST_P(KernelsTest, PackedActivationsAreThoseOfTheScalarTable) {
  for (int n : {1, 15, 16, 17, 40}) {
    for (int k : {1, 3, 4, 16, 17, 36, 100}) {
      const int n_padded = (n + 15) / 16 * 16, k_padded = (k + 3) / 4 * 4;
      const auto size = static_cast<std::size_t>(n_padded) * k_padded;
      std::vector<float> x = RandomFloats(static_cast<std::size_t>(n_padded + 8) * 120, 5);
      x[static_cast<std::size_t>(k)] = std::numeric_limits<float>::quiet_NaN();
      for (const bool outputs : {true, false}) {
        std::vector<std::int8_t> w(size, 7), w2(size, 8);
        std::vector<float> scale(n_padded), scale2 = scale;
        std::vector<std::int32_t> correction(n_padded), correction2 = correction;
        const auto pack = [&](const KernelTable& table, auto* weight, auto* s, auto* c) {
          if (outputs) {
            table.pack_outputs(x.data(), n, k, k + 3, weight->data(), s->data(), c->data());
          } else {
            table.pack_inputs(x.data(), k, n, n_padded + 8, weight->data(), s->data(), c->data());
          }
        };
        pack(table_, &w, &scale, &correction);
        pack(scalar_, &w2, &scale2, &correction2);
        EXPECT_EQ(w, w2) << n << " by " << k;
        ExpectSameBits(scale, scale2, "scale");
        EXPECT_EQ(correction, correction2);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryTable, KernelsTest, testing::ValuesIn(AvailableKernels()),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST(DispatchTest, UnknownInstructionSetNamesTheKnownOnes) {
  const auto table = FindKernels("mmx");
  ASSERT_FALSE(table.ok());
  EXPECT_NE(table.status().message().find("scalar"), std::string::npos);
}

}  // namespace
}  // namespace lethe
