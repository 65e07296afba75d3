// Goal: the second convolution in two products gives what it gives in one, for sounds that it was
// not made with; and where it would not, or would spare nothing, there is none.
//
// Method: convolutions of made-up weights. What is compared is computed in double precision from
// the weights as they were and as they come back from 8 bits.

#include "model/internal/reduced_convolution.h"

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace lethe {
namespace {

constexpr int kWidth = 127, kTaps = 7, kStep = 64;

struct Stem {
  int hidden;
  std::vector<float> conv1, norm_weight, norm_bias, conv2, bias;

  StemWeights View() const {
    return {.hidden = hidden,
            .conv1 = conv1,
            .norm_weight = norm_weight,
            .norm_bias = norm_bias,
            .conv2 = conv2,
            .conv2_bias = bias};
  }
};

// Channels that listen to a band each, as trained ones do; `loudness` is how far tanh bends them.
Stem MakeStem(int hidden, float loudness) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(0.0f, 1.0f);
  Stem stem{
      .hidden = hidden, .conv1 = {}, .norm_weight = {}, .norm_bias = {}, .conv2 = {}, .bias = {}};
  stem.conv1.resize(static_cast<std::size_t>(kWidth) * hidden);
  for (int j = 0; j < hidden; ++j) {
    const float turn = 3.0f * uniform(random), phase = 6.0f * uniform(random);
    for (int t = 0; t < kWidth; ++t) {
      const float window = std::sin(std::numbers::pi_v<float> * (t + 1) / (kWidth + 1));
      stem.conv1[static_cast<std::size_t>(t) * hidden + j] =
          loudness * window * std::cos(turn * t + phase);
    }
    stem.norm_weight.push_back(0.5f + uniform(random));
    stem.norm_bias.push_back(0.01f * normal(random));
  }
  stem.conv2.resize(static_cast<std::size_t>(2 * hidden) * kTaps * hidden);
  for (float& weight : stem.conv2) weight = 0.02f * normal(random);
  for (int i = 0; i < 2 * hidden; ++i) stem.bias.push_back(0.1f * normal(random));
  return stem;
}

// Tones that glide, with a little noise: [frames, hidden] behind the group norm.
std::vector<double> Channels(const Stem& stem, int frames, double offset) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  std::vector<double> out(static_cast<std::size_t>(frames) * stem.hidden);
  std::vector<double> samples(static_cast<std::size_t>(frames - 1) * kStep + kWidth);
  double angle = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    angle += 0.03 + 0.02 * std::sin(0.0007 * static_cast<double>(i));
    for (int k = 1; k < 20; ++k) samples[i] += 0.05 / k * std::sin(k * angle);
    samples[i] += offset + 0.002 * normal(random);
  }
  double sum = 0, squares = 0;
  for (int f = 0; f < frames; ++f) {
    for (int j = 0; j < stem.hidden; ++j) {
      double v = 0;
      for (int t = 0; t < kWidth; ++t) {
        v += samples[f * kStep + t] * stem.conv1[static_cast<std::size_t>(t) * stem.hidden + j];
      }
      v = std::tanh(v);
      out[static_cast<std::size_t>(f) * stem.hidden + j] = v;
      sum += v;
      squares += v * v;
    }
  }
  const double count = static_cast<double>(out.size()), mean = sum / count;
  const double scale = 1 / std::sqrt(squares / count - mean * mean + 1e-5);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t j = i % static_cast<std::size_t>(stem.hidden);
    out[i] = (out[i] - mean) * scale * stem.norm_weight[j] + stem.norm_bias[j];
  }
  return out;
}

// [rows - taps + 1, n] of rows [rows, k] and weights [n, taps * k], one step a frame.
std::vector<double> Convolve(const std::vector<double>& rows, int k, int taps,
                             const std::vector<float>& weights, int n) {
  const int count = static_cast<int>(rows.size()) / k - taps + 1;
  std::vector<double> out;
  for (int f = 0; f < count; ++f) {
    for (int i = 0; i < n; ++i) {
      double sum = 0;
      for (int j = 0; j < taps * k; ++j) {
        sum += rows[static_cast<std::size_t>(f) * k + j] *
               weights[static_cast<std::size_t>(i) * taps * k + j];
      }
      out.push_back(sum);
    }
  }
  return out;
}

// How much of the outputs' energy two products lose; `sizes` is how large each sum is.
double Loss(const Stem& stem, const ReducedConvolution& reduced, double offset,
            std::vector<double>* sizes) {
  const std::vector<double> channels = Channels(stem, 40, offset);
  const std::vector<double> whole = Convolve(channels, 288, kTaps, stem.conv2, 576);
  const std::vector<double> sums =
      Convolve(channels, 288, 1, TrueWeights(reduced.reduce), kReducedChannels);
  const std::vector<double> parts =
      Convolve(sums, kReducedChannels, kTaps, TrueWeights(reduced.taps), 576);
  double energy = 0, error = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    energy += whole[i] * whole[i];
    error += (whole[i] - parts[i]) * (whole[i] - parts[i]);
  }
  sizes->assign(kReducedChannels, 0.0);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    (*sizes)[i % kReducedChannels] += sums[i] * sums[i];
  }
  return error / energy;
}

TEST(ReducedConvolutionTest, TwoProductsGiveWhatOneGives) {
  const Stem stem = MakeStem(288, 0.05f);
  const auto reduced = ReduceConvolution(stem.View());
  ASSERT_TRUE(reduced.has_value());
  EXPECT_EQ(reduced->reduce.n, kReducedChannels);
  EXPECT_EQ(reduced->reduce.k, 288);
  EXPECT_EQ(reduced->taps.n, 576);
  EXPECT_EQ(reduced->taps.k, 7 * kReducedChannels);
  EXPECT_TRUE(reduced->reduce.bias.empty());
  EXPECT_EQ(reduced->taps.bias, stem.bias);
  std::vector<double> sizes;
  const double loss = Loss(stem, *reduced, 0, &sizes);
  EXPECT_LT(loss, 2e-4);
  // All sums are of a size, or a frame's eight bits would be those of its largest.
  const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
  EXPECT_LT(*most, 10 * *least);
}

TEST(ReducedConvolutionTest, AMicrophonesOffsetIsHeardAsBefore) {
  Stem stem = MakeStem(288, 0.05f);
  for (std::size_t i = 0; i < stem.conv1.size(); ++i) {
    stem.conv1[i] += 0.01f * (static_cast<float>(i % 288 % 13) - 6.0f);
  }
  const auto reduced = ReduceConvolution(stem.View());
  ASSERT_TRUE(reduced.has_value());
  std::vector<double> sizes;
  EXPECT_LT(Loss(stem, *reduced, 0.3, &sizes), 2.5e-4);
}

// 128 sums would do, but for what cannot be told from roundings.
TEST(ReducedConvolutionTest, AConvolutionOfFewDimensionsIsKept) {
  Stem stem = MakeStem(288, 0.05f);
  Stem columns = stem;
  for (std::size_t i = 0; i < stem.conv2.size(); ++i) {
    if (i % 288 >= 100) columns.conv2[i] = 0;
    // Twenty patterns, each output's tap a multiple of one.
    stem.conv2[i] = static_cast<float>(1 + i / 288 % 7) *
                    std::sin(static_cast<float>(1 + i / 288 % 20) * static_cast<float>(i % 288));
  }
  EXPECT_FALSE(ReduceConvolution(stem.View()).has_value());
  EXPECT_FALSE(ReduceConvolution(columns.View()).has_value());
}

// tanh of something large is a sign, and signs of a window have far more than 128 dimensions.
TEST(ReducedConvolutionTest, ChannelsThatAreBentTooMuchAreKept) {
  EXPECT_FALSE(ReduceConvolution(MakeStem(288, 50.0f).View()).has_value());
}

TEST(ReducedConvolutionTest, FewChannelsAreKept) {
  EXPECT_FALSE(ReduceConvolution(MakeStem(160, 0.05f).View()).has_value());
}

}  // namespace
}  // namespace lethe
