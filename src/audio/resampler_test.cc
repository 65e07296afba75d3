// Goal: 16 kHz sound with the right length, level and time, whatever the rate and the block size.
// Method: sines are compared with the same sine computed at 16 kHz, so level and delay are checked
// at once; the edges, where the filter sees the silence around a recording, are left out.

#include "audio/resampler.h"

#include <cmath>
#include <numbers>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audio/audio_source.h"

namespace lethe {
namespace {

// Pushes `input` in blocks of so many frames and collects everything.
std::vector<float> Resample(int rate, int channels, const std::vector<float>& input,
                            size_t block_frames) {
  auto resampler = Resampler::Create(rate, channels);
  EXPECT_TRUE(resampler.ok());
  std::vector<float> output;
  std::vector<float> piece;
  const auto pull = [&] {
    while (true) {
      const auto n = resampler->Pull(piece);
      ASSERT_TRUE(n.ok());
      ASSERT_LE(*n, Resampler::kMaxPull);
      ASSERT_EQ(piece.size(), *n * static_cast<size_t>(channels));
      if (*n == 0) break;
      output.insert(output.end(), piece.begin(), piece.end());
    }
  };
  std::span<const float> rest = input;
  while (!rest.empty()) {
    const size_t n = std::min(rest.size(), block_frames * static_cast<size_t>(channels));
    resampler->Push(rest.first(n));
    pull();
    rest = rest.subspan(n);
  }
  resampler->Finish();
  pull();
  EXPECT_EQ(resampler->Pull(piece).value(), 0U) << "the end did not stay the end";
  return output;
}

std::vector<float> Sine(double hertz, int rate, size_t num_samples, double level = 0.5) {
  std::vector<float> samples(num_samples);
  for (size_t i = 0; i < num_samples; ++i) {
    const double turns = hertz * static_cast<double>(i) / rate;
    samples[i] = static_cast<float>(level * std::sin(2 * std::numbers::pi * turns));
  }
  return samples;
}

std::vector<float> Noise(size_t num_samples) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> samples(num_samples);
  for (float& sample : samples) sample = uniform(random);
  return samples;
}

// The greatest difference, 50 ms at each edge left out.
float WorstError(const std::vector<float>& actual, const std::vector<float>& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  constexpr size_t kEdge = kSampleRate / 20;
  float worst = 0;
  for (size_t i = kEdge; i + kEdge < std::min(actual.size(), expected.size()); ++i) {
    worst = std::max(worst, std::abs(actual[i] - expected[i]));
  }
  return worst;
}

TEST(ResamplerTest, LengthIsThatOfTheInputRoundedToTheNearestSample) {
  for (const int rate : {1,      3,      100,    4'000,  7'999,   8'000,   11'025,  12'000,
                         15'999, 16'000, 16'001, 22'050, 24'000,  32'000,  37'800,  44'056,
                         44'100, 48'000, 88'200, 96'000, 176'400, 192'000, 384'000, 768'000}) {
    for (const size_t n : {0, 1, 2, 3, 7, 101, 1'023, 4'801, 30'011}) {
      if (rate < 4'000 && n > 101) continue;
      SCOPED_TRACE(testing::Message() << n << " samples at " << rate);
      const auto expected =
          static_cast<size_t>(std::floor(static_cast<double>(n) * kSampleRate / rate + 0.5));
      const std::vector<float> input(n, 0.25F);
      EXPECT_EQ(Resample(rate, 1, input, 1'000).size(), expected);
    }
  }
}

TEST(ResamplerTest, ATonePassesWithItsLevelAndWithoutDelay) {
  for (const int rate : {8'000, 11'025, 22'050, 32'000, 44'100, 48'000, 96'000, 192'000}) {
    for (const double hertz : {100.0, 1'000.0, 3'500.0}) {
      SCOPED_TRACE(testing::Message() << hertz << " Hz at " << rate);
      const auto output = Resample(rate, 1, Sine(hertz, rate, static_cast<size_t>(rate)), 999);
      // 20 bits of a level of one half; a delay of a tenth of a sample would be 0.01 and more.
      EXPECT_LT(WorstError(output, Sine(hertz, kSampleRate, kSampleRate)), 2e-6F);
    }
  }
}

TEST(ResamplerTest, WhatSixteenKilohertzCannotHoldIsTakenOut) {
  for (const int rate : {22'050, 44'100, 48'000, 96'000}) {
    for (const double hertz : {8'200.0, 9'000.0, 10'500.0}) {
      SCOPED_TRACE(testing::Message() << hertz << " Hz at " << rate);
      const auto output = Resample(rate, 1, Sine(hertz, rate, static_cast<size_t>(rate)), 999);
      EXPECT_LT(WorstError(output, std::vector<float>(kSampleRate)), 0.5F * 1e-5F);  // -100 dB
    }
  }
  const auto kept = Resample(48'000, 1, Sine(7'000, 48'000, 48'000), 999);
  EXPECT_LT(WorstError(kept, Sine(7'000, kSampleRate, kSampleRate)), 2e-6F);
}

TEST(ResamplerTest, BlockSizesDoNotChangeABit) {
  for (const int rate : {8'000, 11'025, 16'000, 44'100, 48'000, 192'000}) {
    SCOPED_TRACE(rate);
    const std::vector<float> input = Noise(20'002);
    const std::vector<float> whole = Resample(rate, 2, input, input.size());
    for (const size_t block : {1, 2, 7, 160, 4'096}) {
      EXPECT_EQ(Resample(rate, 2, input, block), whole) << "block of " << block;
    }
  }
}

TEST(ResamplerTest, ChannelsDoNotTouchEachOther) {
  const std::vector<float> noise = Noise(9'001);
  std::vector<float> input;
  for (const float sample : noise) input.insert(input.end(), {0.0F, sample, -sample});
  const std::vector<float> alone = Resample(44'100, 1, noise, 1'000);
  const std::vector<float> together = Resample(44'100, 3, input, 1'000);
  ASSERT_EQ(together.size(), 3 * alone.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(together[3 * i], 0.0F);
    ASSERT_EQ(together[3 * i + 1], alone[i]);
    ASSERT_EQ(together[3 * i + 2], -alone[i]);
  }
}

TEST(ResamplerTest, SixteenKilohertzPassesUnchanged) {
  const std::vector<float> input = Noise(50'000);
  EXPECT_EQ(Resample(kSampleRate, 1, input, input.size()), input);
  EXPECT_EQ(Resample(kSampleRate, 2, input, 3), input);
}

TEST(ResamplerTest, ImpossibleRatesAndChannelsAreRefused) {
  for (const int rate : {0, -1, -48'000, kMaxAudioSampleRate + 1}) {
    EXPECT_EQ(Resampler::Create(rate, 1).status().code(), StatusCode::kInvalidArgument) << rate;
  }
  for (const int channels : {0, -1, kMaxAudioChannels + 1}) {
    EXPECT_EQ(Resampler::Create(8'000, channels).status().code(), StatusCode::kInvalidArgument)
        << channels;
  }
  EXPECT_TRUE(Resampler::Create(1, kMaxAudioChannels).ok());
  EXPECT_TRUE(Resampler::Create(kMaxAudioSampleRate, 1).ok());
}

}  // namespace
}  // namespace lethe
