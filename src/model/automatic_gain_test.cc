// Quiet speech reaches the detector at the level of ordinary speech; ordinary speech, and noise, as
// they are. Method: a detector that keeps what it hears; tones for speech, with noise around them.

#include "model/automatic_gain.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/units.h"
#include "kernels/dispatch.h"
#include "model/internal/level.h"

namespace lethe {
namespace {

constexpr int kWindow = 512;

class KeepingState final : public VoiceActivityState {
 public:
  explicit KeepingState(std::vector<float>* heard) : heard_(*heard) {}
  void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
    heard_.insert(heard_.end(), samples.begin(), samples.end());
    probabilities->resize(probabilities->size() + samples.size() / kWindow, 0.5f);
  }

 private:
  std::vector<float>& heard_;
};

class KeepingActivity final : public VoiceActivityModel {
 public:
  explicit KeepingActivity(std::vector<float>* heard) : heard_(heard) {}
  int window_samples() const override { return kWindow; }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<KeepingState>(heard_);
  }

 private:
  std::vector<float>* const heard_;
};

// Both by their root mean square.
std::vector<float> Tone(double seconds, float level) {
  std::vector<float> samples(static_cast<std::size_t>(seconds * kSampleRate));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = level * std::numbers::sqrt2_v<float> *
                 std::sin(2 * std::numbers::pi_v<float> * static_cast<float>(i % 64) / 64);
  }
  return samples;
}

std::vector<float> Noise(double seconds, float level) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, level);
  std::vector<float> samples(static_cast<std::size_t>(seconds * kSampleRate));
  for (float& v : samples) v = normal(random);
  return samples;
}

std::vector<float> operator+(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// What the detector hears of samples that come in pieces of `step`.
std::vector<float> Heard(const std::vector<float>& samples, std::size_t step = kSampleRate) {
  std::vector<float> heard;
  const auto activity =
      WithAutomaticGain(std::make_shared<KeepingActivity>(&heard), *AvailableKernels().back());
  const auto state = activity->NewState();
  std::vector<float> probabilities;
  for (std::size_t i = 0; i < samples.size(); i += step) {
    state->Push(std::span(samples).subspan(i, std::min(step, samples.size() - i)), &probabilities);
  }
  EXPECT_EQ(probabilities.size(), samples.size() / kWindow);
  EXPECT_EQ(heard.size(), samples.size() / kWindow * kWindow);
  return heard;
}

// The level of a stretch.
float Level(const std::vector<float>& samples, double from, double to) {
  double squares = 0;
  const auto begin = static_cast<std::size_t>(from * kSampleRate);
  const auto end = static_cast<std::size_t>(to * kSampleRate);
  for (std::size_t i = begin; i < end; ++i) squares += double{samples[i]} * samples[i];
  return static_cast<float>(std::sqrt(squares / static_cast<double>(end - begin)));
}

TEST(AutomaticGainTest, OrdinarySpeechIsHeardAsItIs) {
  const auto samples = Tone(1, 0.1f) + Noise(2, 0.005f) + Tone(1, 0.03f) + Tone(1, 0.3f);
  auto whole = samples;
  whole.resize(samples.size() / kWindow * kWindow);
  EXPECT_EQ(Heard(samples), whole);
}

TEST(AutomaticGainTest, QuietSpeechIsRaisedToTheLevelOfOrdinarySpeech) {
  for (const float level : {0.01f, 0.001f, 0.0003f}) {
    const auto heard = Heard(Noise(1, level / 100) + Tone(1, level));
    EXPECT_NEAR(Level(heard, 1.1, 1.3), 0.025f, 0.001f) << level;
  }
  // By forty decibels at most.
  EXPECT_NEAR(Level(Heard(Noise(1, 1e-5f) + Tone(1, 1e-4f)), 1.1, 1.2), 0.009f, 0.001f);
}

TEST(AutomaticGainTest, NoiseIsNotRaisedToWhereSpeechIs) {
  for (const float level : {0.001f, 0.0003f, 0.00003f}) {
    EXPECT_LT(Level(Heard(Noise(20, level)), 0, 19.9), 0.0013f) << level;
  }
  const auto loud = Noise(64 * kWindow / double{kSampleRate}, 0.0013f);
  EXPECT_EQ(Heard(loud), loud);
}

TEST(AutomaticGainTest, WhatIsFarAwayIsNotRaisedBetweenWordsButBehindAPause) {
  const auto heard = Heard(Noise(1, 3e-5f) + Tone(1, 0.1f) + Noise(0.3, 3e-5f) + Tone(0.3, 0.001f) +
                           Noise(1.9, 3e-5f) + Tone(0.5, 0.001f));
  EXPECT_NEAR(Level(heard, 2.35, 2.55), 0.001f, 1e-5f);
  // Two seconds behind the loud voice it is all that is there: 20 dB a second.
  EXPECT_GT(Level(heard, 4.65, 4.95), 0.02f);
}

TEST(AutomaticGainTest, AClickIsNoSpeech) {
  const auto heard = Heard(Noise(1, 3e-5f) + Tone(0.03, 0.5f) + Noise(1, 3e-5f) + Tone(1, 0.001f));
  EXPECT_NEAR(Level(heard, 2.15, 2.25), 0.025f, 0.001f);
  // Nor is one raised to where it deafens.
  const auto clicked = Heard(Noise(1, 3e-5f) + Tone(0.03, 0.01f) + Noise(1, 3e-5f));
  for (std::size_t i = 0; i < clicked.size(); i += kWindow) {
    const double from = static_cast<double>(i) / kSampleRate;
    EXPECT_LT(Level(clicked, from, from + 0.032), 0.101f) << from;
  }
}

TEST(AutomaticGainTest, WhatIsHeardDoesNotDependOnHowTheStreamIsCut) {
  const auto samples = Noise(1, 1e-4f) + Tone(1, 0.002f) + Noise(1, 1e-4f) + Tone(1, 0.2f);
  const auto heard = Heard(samples);
  for (const std::size_t step : {std::size_t{1}, std::size_t{160}, std::size_t{511},
                                 std::size_t{513}, std::size_t{1600}, samples.size()}) {
    EXPECT_EQ(Heard(samples, step), heard) << step;
  }
}

TEST(AutomaticGainTest, SilenceStaysSilence) {
  const std::vector<float> silence(kWindow * 100, 0.0f);
  EXPECT_EQ(Heard(silence), silence);
}

float GainOf(const std::vector<float>& samples) {
  return GainOfQuiet(*AvailableKernels().back(), samples);
}

TEST(GainOfQuietTest, AnUtteranceIsRaisedByItsLoudestSpeech) {
  EXPECT_NEAR(GainOf(Noise(1, 1e-4f) + Tone(1, 0.001f)), 25, 0.1);
  EXPECT_NEAR(GainOf(Tone(1, 0.001f) + Tone(0.2, 0.005f) + Tone(1, 0.001f)), 5, 0.1);
  EXPECT_NEAR(GainOf(Tone(1, 0.001f) + Tone(0.03, 0.9f) + Tone(1, 0.001f)), 25, 0.1);
  EXPECT_EQ(GainOf(Tone(1, 1e-5f)), 100);
}

TEST(GainOfQuietTest, AnOrdinaryOneIsLeftAsItIsAndSoIsOneWithoutALevel) {
  EXPECT_EQ(GainOf(Noise(3, 1e-4f) + Tone(0.2, 0.05f)), 1);
  EXPECT_EQ(GainOf({}), 1);
  EXPECT_EQ(GainOf(Tone(0.09, 0.001f)), 1);  // two windows
  EXPECT_EQ(GainOf(std::vector<float>(16'000, 0.0f)), 1);
}

}  // namespace
}  // namespace lethe
