// An offset goes, a voice stays as it is, and how a stream is cut into calls changes nothing.

#include "engine/internal/offset_removal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/units.h"

namespace lethe {
namespace {

constexpr int kSecond = kSampleRate;

std::vector<float> Tone(int samples, float hertz, float amplitude, float offset) {
  std::vector<float> tone(static_cast<std::size_t>(samples));
  for (int i = 0; i < samples; ++i) {
    const double turns = static_cast<double>(hertz) * i / kSampleRate;
    tone[i] = offset + amplitude * static_cast<float>(std::sin(2 * std::numbers::pi * turns));
  }
  return tone;
}

std::vector<float> Removed(std::vector<float> samples) {
  OffsetRemoval().Remove(samples);
  return samples;
}

float FarthestFromZero(const std::vector<float>& samples, std::size_t from) {
  float most = 0;
  for (std::size_t i = from; i < samples.size(); ++i) most = std::max(most, std::abs(samples[i]));
  return most;
}

TEST(OffsetRemovalTest, AConstantIsGoneSoon) {
  for (const float offset : {0.5f, -0.5f, 0.02f}) {
    const std::vector<float> rest = Removed(std::vector<float>(kSecond, offset));
    EXPECT_LT(FarthestFromZero(rest, kSecond / 5), 0.1f * std::abs(offset));
    EXPECT_LT(FarthestFromZero(rest, kSecond - 1), 0.02f * std::abs(offset));
  }
}

TEST(OffsetRemovalTest, AnOffsetThatComesLaterGoesInTwoSeconds) {
  std::vector<float> samples(kSecond, 0.0f);
  samples.resize(4 * kSecond, 0.2f);
  EXPECT_LT(FarthestFromZero(Removed(samples), 3 * kSecond), 0.004f);
}

TEST(OffsetRemovalTest, WithoutAnOffsetToSpeakOfEverySampleStays) {
  for (const float offset : {0.0f, 0.012f, -0.012f}) {
    std::vector<float> tone = Tone(2 * kSecond, 150, 0.03f, offset);
    // What begins in a voice has no mean yet.
    std::fill_n(tone.begin(), kSecond / 4, offset);
    EXPECT_EQ(Removed(tone), tone) << offset;
  }
}

// The lowest voices are at 80 Hz.
TEST(OffsetRemovalTest, AVoiceBesideAnOffsetIsWhatItWouldBeWithoutOne) {
  const std::vector<float> rest = Removed(Tone(3 * kSecond, 80, 0.1f, 0.3f));
  const std::vector<float> voice = Tone(3 * kSecond, 80, 0.1f, 0);
  for (int i = 2 * kSecond; i < 3 * kSecond; ++i) ASSERT_NEAR(rest[i], voice[i], 0.002f) << i;
}

TEST(OffsetRemovalTest, HowAStreamIsCutChangesNoBit) {
  std::mt19937 random(1);
  std::normal_distribution<float> noise(0.05f, 0.1f);
  std::vector<float> samples(kSecond);
  for (float& v : samples) v = noise(random);
  const std::vector<float> whole = Removed(samples);
  ASSERT_NE(whole, samples);
  for (const std::size_t step : {1, 5, 16, 17, 100, 512}) {
    OffsetRemoval removal;
    std::vector<float> pieces = samples;
    for (std::size_t i = 0; i < pieces.size(); i += step) {
      removal.Remove(std::span(pieces).subspan(i, std::min(step, pieces.size() - i)));
    }
    EXPECT_EQ(pieces, whole) << step;
  }
}

TEST(OffsetRemovalTest, AbsurdSamplesDoNotSpoilWhatFollows) {
  std::vector<float> samples(3 * kSecond, 0.1f);
  constexpr float kMost = std::numeric_limits<float>::max();
  samples[5] = samples[6] = kMost;
  samples[100] = samples[104] = kMost;
  samples[101] = samples[105] = -kMost;
  samples[5000] = -1e20f;
  EXPECT_LT(FarthestFromZero(Removed(samples), 2 * kSecond), 0.01f);
}

}  // namespace
}  // namespace lethe
