// Goal: the first convolution in integers is the one of floats, also where a voice is a hundred
// times less loud than what is beside it.

#include "model/moonshine/internal/wave_convolution.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"

namespace lethe::moonshine {
namespace {

constexpr int kWidth = 127, kChannels = 32, kStep = 64;

std::vector<float> Normal(std::size_t size, unsigned seed, float spread) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> values(size);
  for (float& value : values) value = normal(random);
  return values;
}

// In double precision.
std::vector<double> Reference(const std::vector<float>& taps, const std::vector<float>& samples,
                              int count) {
  std::vector<double> out(static_cast<std::size_t>(count) * kChannels);
  for (int t = 0; t < count; ++t) {
    for (int i = 0; i < kWidth; ++i) {
      for (int n = 0; n < kChannels; ++n) {
        out[t * kChannels + n] += double{taps[i * kChannels + n]} * samples[t * kStep + i];
      }
    }
  }
  return out;
}

// The root of the mean square error.
double Error(const std::vector<float>& taps, const std::vector<float>& samples, int count) {
  const WaveConvolution convolution(taps, kWidth, kChannels);
  const std::vector<double> expected = Reference(taps, samples, count);
  double error = 0;
  for (const KernelTable* table : AvailableKernels()) {
    WaveWindows windows;
    std::vector<float> out(expected.size());
    windows.Convolve(*table, samples.data(), count, kStep, convolution, out.data());
    double squares = 0;
    for (std::size_t i = 0; i < out.size(); ++i) squares += std::pow(out[i] - expected[i], 2);
    error = std::max(error, std::sqrt(squares / static_cast<double>(out.size())));
  }
  return error;
}

TEST(WaveConvolution, IsTheConvolution) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  for (const int count : {1, 2, 13, 96}) {
    const auto samples = Normal((count - 1) * kStep + kWidth, count, 0.1f);
    // Outputs are 0.11 in the root of the mean square.
    EXPECT_LT(Error(taps, samples, count), 1e-4) << count;
  }
}

TEST(WaveConvolution, AVoiceBesideAHumAHundredTimesAsLoudIsHeard) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  constexpr int kCount = 50;
  auto samples = Normal((kCount - 1) * kStep + kWidth, 3, 0.005f);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] += 0.5f * std::sin(0.02f * static_cast<float>(i));
  }
  // The voice alone makes outputs of 0.0056; what is lost of the hum is a tenth of that.
  EXPECT_LT(Error(taps, samples, kCount), 6e-4);
}

TEST(WaveConvolution, SamplesOutOfRangeAreSamples) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  const auto loud = Normal(kWidth, 4, 300.0f);
  EXPECT_LT(Error(taps, loud, 1), 0.3);
}

TEST(WaveConvolution, SilenceAndSilentChannelsAreZeros) {
  std::vector<float> taps(std::size_t{kWidth} * kChannels);
  EXPECT_EQ(Error(taps, Normal(kWidth, 5, 0.1f), 1), 0);
  EXPECT_EQ(Error(Normal(taps.size(), 1, 0.1f), std::vector<float>(kWidth), 1), 0);
}

// Nobody should send them, but nothing breaks.
TEST(WaveConvolution, WhatIsNoNumberStaysWithinItsWindows) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  auto samples = Normal(5 * kStep + kWidth, 6, 0.1f);
  const auto expected = Reference(taps, samples, 6);
  samples[0] = std::numeric_limits<float>::quiet_NaN();
  const WaveConvolution convolution(taps, kWidth, kChannels);
  WaveWindows windows;
  std::vector<float> out(expected.size());
  windows.Convolve(ScalarKernels(), samples.data(), 6, kStep, convolution, out.data());
  for (const float value : out) EXPECT_TRUE(std::isfinite(value));
  for (int n = 0; n < kChannels; ++n)
    EXPECT_NEAR(out[kChannels + n], expected[kChannels + n], 1e-3);
}

}  // namespace
}  // namespace lethe::moonshine
