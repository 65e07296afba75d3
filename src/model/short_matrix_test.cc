// Goal: a convolution in 16-bit integers is the one of floats, also where a voice is a hundred
// times less loud than what is beside it.

#include "model/internal/short_matrix.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"

namespace lethe {
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

std::vector<float> Convolve(const KernelTable& table, const std::vector<float>& taps,
                            const std::vector<float>& samples, int count) {
  const ShortMatrix matrix(taps, kWidth, kChannels, 32767);
  const int size = (count - 1) * kStep + kWidth;
  std::vector<std::int16_t> shorts(size + kLanes);
  float scale = 0;
  table.quantize_shorts(samples.data(), 1, size, size, 32767, shorts.data(), size, &scale);
  std::vector<float> out(static_cast<std::size_t>(count) * kChannels);
  table.gemm_s16(shorts.data(), count, kStep, std::vector<float>(count, scale).data(),
                 matrix.View(), out.data(), kChannels);
  return out;
}

// The root of the mean square error.
double Error(const std::vector<float>& taps, const std::vector<float>& samples, int count) {
  const std::vector<double> expected = Reference(taps, samples, count);
  double error = 0;
  for (const KernelTable* table : AvailableKernels()) {
    const std::vector<float> out = Convolve(*table, taps, samples, count);
    double squares = 0;
    for (std::size_t i = 0; i < out.size(); ++i) squares += std::pow(out[i] - expected[i], 2);
    error = std::max(error, std::sqrt(squares / static_cast<double>(out.size())));
  }
  return error;
}

TEST(ShortMatrix, IsTheConvolution) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  for (const int count : {1, 2, 13, 96}) {
    const auto samples = Normal((count - 1) * kStep + kWidth, count, 0.1f);
    // Outputs are 0.11 in the root of the mean square.
    EXPECT_LT(Error(taps, samples, count), 1e-4) << count;
  }
}

TEST(ShortMatrix, AVoiceBesideAHumAHundredTimesAsLoudIsHeard) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  constexpr int kCount = 50;
  auto samples = Normal((kCount - 1) * kStep + kWidth, 3, 0.005f);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] += 0.5f * std::sin(0.02f * static_cast<float>(i));
  }
  // The voice alone makes outputs of 0.0056; what is lost of the hum is a tenth of that.
  EXPECT_LT(Error(taps, samples, kCount), 6e-4);
}

TEST(ShortMatrix, SamplesOutOfRangeAreSamples) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  const auto loud = Normal(kWidth, 4, 300.0f);
  EXPECT_LT(Error(taps, loud, 1), 0.3);
}

TEST(ShortMatrix, SilenceAndSilentChannelsAreZeros) {
  std::vector<float> taps(std::size_t{kWidth} * kChannels);
  EXPECT_EQ(Error(taps, Normal(kWidth, 5, 0.1f), 1), 0);
  EXPECT_EQ(Error(Normal(taps.size(), 1, 0.1f), std::vector<float>(kWidth), 1), 0);
}

TEST(ShortMatrix, SumsHaveRoomWhateverTheWeights) {
  for (const int k : {1, 2, 127, 390, 1000}) {
    for (const int largest : {8191, 32767}) {
      for (const float weight : {1.0f, 0.37f, -1e-20f}) {
        // Alternately alike and spread, and so rounded up or not.
        std::vector<float> w(static_cast<std::size_t>(k) * kChannels, weight);
        for (std::size_t i = 0; i < w.size(); i += 3) w[i] *= 1.0f + static_cast<float>(i % 7) / 7;
        const ShortMatrix matrix(w, k, kChannels, largest);
        const ShortWeights view = matrix.View();
        for (int n = 0; n < kChannels; ++n) {
          std::int64_t sum = 0;
          for (int i = 0; i < view.k; ++i) {
            sum += std::abs(
                std::int64_t{view.weight[n / 16 * view.k * 16 + i / 2 * 32 + n % 16 * 2 + i % 2]});
          }
          EXPECT_LE(sum * largest, std::numeric_limits<std::int32_t>::max()) << k;
          EXPECT_GE(sum * largest * 2,
                    std::min<std::int64_t>(std::numeric_limits<std::int32_t>::max(),
                                           std::int64_t{32767} * largest))
              << k;
        }
      }
    }
  }
}

// Nobody should send them, but nothing breaks.
TEST(ShortMatrix, WhatIsNoNumberStaysWithinItsWindows) {
  const auto taps = Normal(std::size_t{kWidth} * kChannels, 1, 0.1f);
  auto samples = Normal(5 * kStep + kWidth, 6, 0.1f);
  const auto expected = Reference(taps, samples, 6);
  for (const KernelTable* table : AvailableKernels()) {
    samples[0] = std::numeric_limits<float>::infinity();
    for (const float value : Convolve(*table, taps, samples, 6)) EXPECT_TRUE(std::isfinite(value));
  }
  samples[0] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> out = Convolve(ScalarKernels(), taps, samples, 6);
  for (const float value : out) EXPECT_TRUE(std::isfinite(value));
  for (int n = 0; n < kChannels; ++n)
    EXPECT_NEAR(out[kChannels + n], expected[kChannels + n], 1e-3);
}

}  // namespace
}  // namespace lethe
