// Every table this CPU can run gives the bits that the scalar table gives, at awkward sizes
// (nothing, one, a vector and one); and the scalar table is compared with plain formulas in double.

#include "kernels/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"

namespace lethe {
namespace {

std::vector<float> RandomFloats(std::size_t n, unsigned seed, float spread = 3.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

// A random matrix in the packed layout, with the arrays that PackedWeights points into.
struct Weights {
  Weights(int n, int k, unsigned seed, bool with_bias) {
    view.n = n;
    view.k = k;
    view.n_padded = (n + 15) / 16 * 16;
    view.k_padded = (k + 3) / 4 * 4;
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> any(-128, 127);
    q.resize(static_cast<std::size_t>(view.n_padded) * view.k_padded + 1024);
    for (auto& v : q) v = static_cast<std::int8_t>(any(random));
    scale = RandomFloats(view.n_padded, seed + 1, 0.02f);
    bias = RandomFloats(view.n_padded, seed + 2);
    for (int i = 0; i < view.n_padded; ++i) {
      zero.push_back(any(random));
      for (int p = k; p < view.k_padded; ++p) At(i, p) = static_cast<std::int8_t>(zero[i]);
      int sum = 0;
      for (int p = 0; p < k; ++p) sum += At(i, p) - zero[i];
      correction.push_back(sum);
    }
    view.weight = q.data();
    view.scale = scale.data();
    view.zero = zero.data();
    view.correction = correction.data();
    view.bias = with_bias ? bias.data() : nullptr;
  }
  std::int8_t& At(int n, int k) {
    return q[static_cast<std::size_t>(n / 16) * view.k_padded * 16 +
             static_cast<std::size_t>(k / 4) * 64 + (n % 16) * 4 + k % 4];
  }
  std::vector<std::int8_t> q;
  std::vector<float> scale, bias;
  std::vector<std::int32_t> zero, correction;
  PackedWeights view;
};

// Some coarse copy of w, off by what `error` says.
struct Coarse {
  explicit Coarse(Weights* w) {
    view.n_padded = w->view.n_padded;
    view.k_padded = (w->view.k + 7) / 8 * 8;
    weight.resize(static_cast<std::size_t>(view.n_padded) * view.k_padded / 2);
    scale = w->scale;
    for (float& s : scale) s *= 20;
    correction.resize(view.n_padded);
    error.resize(view.n_padded / 16);
    for (int n = 0; n < view.n_padded; ++n) {
      double squares = 0;
      for (int k = 0; k < w->view.k; ++k) {
        const int exact = w->At(n, k) - w->zero[n];
        const int q = std::clamp(exact / 20, -8, 7);
        weight[static_cast<std::size_t>(n / 16) * view.k_padded * 8 + (k / 8) * 64 + (n % 16) * 4 +
               k % 4] |= (q + 8) << (k % 8 < 4 ? 0 : 4);
        correction[n] += q;
        squares += (exact - 20 * q) * (exact - 20 * q);
      }
      error[n / 16] =
          std::max(error[n / 16], static_cast<float>(std::sqrt(squares)) * std::abs(w->scale[n]));
    }
    view.weight = weight.data();
    view.scale = scale.data();
    view.correction = correction.data();
    view.error = error.data();
  }
  std::vector<std::uint8_t> weight;
  std::vector<float> scale, error;
  std::vector<std::int32_t> correction;
  CoarseWeights view;
};

struct Quantized {
  Quantized(const KernelTable& table, const std::vector<float>& x, int m, int k) {
    lda = (k + kActivationAlign - 1) / kActivationAlign * kActivationAlign;
    bytes.resize(static_cast<std::size_t>(m) * lda + 64);
    rows.resize(m);
    table.quantize_rows(x.data(), m, k, k, bytes.data(), lda, rows.data());
  }
  int lda;
  std::vector<std::uint8_t> bytes;
  std::vector<RowScale> rows;
};

void ExpectSameBits(const std::vector<float>& a, const std::vector<float>& b,
                    const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(a[i]), std::bit_cast<std::uint32_t>(b[i]))
        << what << " at " << i << ": " << a[i] << " and " << b[i];
  }
}

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

TEST_P(KernelsTest, IntegerProductIsThatOfTheScalarTable) {
  unsigned seed = 1;
  for (int m : {0, 1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 23, 31, 33, 40, 97}) {
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

TEST_P(KernelsTest, CoarseProductIsThatOfTheScalarTableAndItsLargestOutputIsExact) {
  unsigned seed = 100;
  for (int m : {0, 1, 2, 3, 5, 8, 15, 17}) {
    for (int n : {1, 16, 40, 300}) {
      for (int k : {1, 4, 5, 12, 100, 288}) {
        ++seed;
        Weights w(n, k, seed, false);
        const Coarse coarse(&w);
        const std::vector<float> x = RandomFloats(static_cast<std::size_t>(m) * k, seed);
        const Quantized q(scalar_, x, m, k);
        std::vector<float> exact(static_cast<std::size_t>(m) * w.view.n_padded);
        std::vector<float> y = exact, expected = exact;
        const int ldy = w.view.n_padded;
        const auto compute = [&](const KernelTable& table, bool refine, float* to) {
          table.gemm_u8u4(q.bytes.data(), m, q.lda, q.rows.data(), coarse.view, to, ldy);
          for (int i = 0; refine && i < m; ++i) {
            table.refine_largest(q.bytes.data() + i * q.lda, q.rows[i], w.view, coarse.view,
                                 to + i * ldy);
          }
        };
        for (const bool refine : {false, true}) {
          compute(table_, refine, y.data());
          compute(scalar_, refine, expected.data());
          ExpectSameBits(y, expected,
                         "m " + std::to_string(m) + " n " + std::to_string(n) + " k " +
                             std::to_string(k) + (refine ? " refined" : ""));
        }
        scalar_.gemm_u8s8(q.bytes.data(), m, q.lda, q.rows.data(), w.view, exact.data(), ldy,
                          false);
        for (int i = 0; i < m; ++i) {
          const auto best = [&](const std::vector<float>& of) {
            const auto row = of.begin() + i * ldy;
            return std::max_element(row, row + n) - row;
          };
          ASSERT_EQ(best(y), best(exact));
          EXPECT_EQ(y[i * ldy + best(y)], exact[i * ldy + best(y)]);
        }
      }
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

TEST_P(KernelsTest, FloatProductIsThatOfTheScalarTable) {
  for (int m : {0, 1, 2, 4, 5, 6, 7, 13}) {
    for (int n : {16, 32, 48, 80, 272}) {
      for (int k : {0, 1, 2, 36, 127}) {
        const std::vector<float> a = RandomFloats(static_cast<std::size_t>(m) * k + 1, 3);
        const std::vector<float> b = RandomFloats(static_cast<std::size_t>(k) * n + 1, 4);
        const std::vector<float> bias = RandomFloats(n, 5);
        for (bool transposed : {false, true}) {
          std::vector<float> c(static_cast<std::size_t>(m) * n), expected = c;
          const int row = transposed ? 1 : k, column = transposed ? m : 1;
          const float* add = transposed ? bias.data() : nullptr;
          table_.sgemm(m, n, k, a.data(), row, column, b.data(), n, add, c.data(), n);
          scalar_.sgemm(m, n, k, a.data(), row, column, b.data(), n, add, expected.data(), n);
          ExpectSameBits(c, expected, "sgemm");
        }
      }
    }
  }
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
    table_.magnitudes(x.data(), x.data() + n, n, a.data());
    scalar_.magnitudes(x.data(), x.data() + n, n, b.data());
    ExpectSameBits(a, b, "magnitudes");
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
    for (int count : {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 200}) {
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

// Keys and values of a head, packed, and queries; all out of x [frames, 3d].
struct Head {
  Head(int num_frames, int dimensions)
      : frames(num_frames),
        d(dimensions),
        x(RandomFloats(static_cast<std::size_t>(3) * d * frames + kLanes, frames + d, 1.0f)),
        keys(frames, d, 1, false),
        values(d, frames, 2, false) {
    for (Weights* w : {&keys, &values}) std::fill(w->zero.begin(), w->zero.end(), 0);
    const KernelTable& table = ScalarKernels();
    table.pack_outputs(x.data() + d, frames, d, 3 * d, keys.q.data(), keys.scale.data(),
                       keys.correction.data());
    table.pack_inputs(x.data() + 2 * d, frames, d, 3 * d, values.q.data(), values.scale.data(),
                      values.correction.data());
  }
  // What the first m frames see, in rows of d + 3, of which three stay 7.
  std::vector<float> Attend(const KernelTable& table, int m) const {
    struct alignas(64) Line {
      char bytes[64];
    };
    std::vector<Line> scratch(static_cast<std::size_t>(AttendScratchBytes(frames, d)) / 64 + 1);
    std::vector<float> out(static_cast<std::size_t>(m) * (d + 3), 7.0f);
    table.attend_frames(x.data(), m, 3 * d, keys.view, values.view, scratch.data(), out.data(),
                        d + 3);
    return out;
  }
  int frames, d;
  std::vector<float> x;
  Weights keys, values;
};

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
      const std::vector<float> x = RandomFloats(static_cast<std::size_t>(n_padded + 8) * 120, 5);
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
    EXPECT_NEAR(gelu, 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), 4e-6 * std::abs(x));
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
    std::vector<float> scaled = rows, y(n), positive = x;
    t.scale_columns(scaled.data(), kRows, n, x.data(), other.data());
    for (int i = 0; i < kRows * n; ++i) {
      EXPECT_EQ(scaled[i], std::fma(rows[i], x[i % n], other[i % n])) << i;
    }
    t.magnitudes(x.data(), other.data(), n, y.data());
    t.relu(positive.data(), n);
    for (int i = 0; i < n; ++i) {
      const double length = std::hypot(double{x[i]}, double{other[i]});
      EXPECT_NEAR(y[i], length, 2e-7 * length) << i;
      EXPECT_EQ(positive[i], std::max(x[i], 0.0f)) << i;
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
  const int d = 36, count = 50, padded = 64;
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

TEST(DispatchTest, UnknownInstructionSetNamesTheKnownOnes) {
  const auto table = FindKernels("mmx");
  ASSERT_FALSE(table.ok());
  EXPECT_NE(table.status().message().find("scalar"), std::string::npos);
}

}  // namespace
}  // namespace lethe
