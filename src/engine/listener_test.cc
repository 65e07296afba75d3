// The ear of a stream: what it lets go of is not asked for again, and it holds little for ever.
// Method: voice activity that reads its probabilities out of the samples.

#include "engine/internal/listener.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace lethe {
namespace {

constexpr int kWindow = 512;

// Every sample of a window is its probability, or that below zero.
class WrittenState final : public VoiceActivityState {
 public:
  void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
    for (const float v : samples) {
      if (++count_ % kWindow == 0) probabilities->push_back(std::abs(v));
    }
  }

 private:
  std::int64_t count_ = 0;
};

class WrittenActivity final : public VoiceActivityModel {
 public:
  int window_samples() const override { return kWindow; }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<WrittenState>();
  }
};

std::vector<float> Windows(int count, float probability) {
  std::vector<float> samples(static_cast<std::size_t>(count) * kWindow, probability);
  for (std::size_t i = 0; i < samples.size(); i += 2) samples[i] = -probability;
  return samples;
}

// Hears a stream in pieces of `step` samples; the audio of every span.
std::vector<Utterance> Hear(const std::vector<float>& stream, std::size_t step,
                            Listener::Growth growth = Listener::Growth::kBySecond) {
  Listener listener(WrittenActivity{}, {}, growth);
  std::vector<Utterance> heard;
  for (std::size_t i = 0; i < stream.size(); i += step) {
    const auto piece = std::span(stream).subspan(i, std::min(step, stream.size() - i));
    for (const HeardSpan& span : listener.Push(piece)) heard.push_back(listener.Copy(span));
  }
  for (const HeardSpan& span : listener.Finish()) heard.push_back(listener.Copy(span));
  return heard;
}

void ExpectPartsOf(const std::vector<float>& stream, const std::vector<Utterance>& heard) {
  for (const Utterance& utterance : heard) {
    const auto end = utterance.start + static_cast<SampleIndex>(utterance.samples.size());
    ASSERT_LE(end, static_cast<SampleIndex>(stream.size()));
    EXPECT_EQ(utterance.samples,
              std::vector<float>(stream.begin() + utterance.start, stream.begin() + end));
    const SpeechWindows& speech = utterance.speech;
    ASSERT_LE(speech.start, utterance.start);
    SampleIndex window_end = speech.start;
    for (const float probability : speech.probabilities) {
      window_end += speech.window_samples;
      ASSERT_LE(window_end, static_cast<SampleIndex>(stream.size()));
      EXPECT_EQ(probability, stream[window_end - 1]);
    }
    // All of them, but for one that the stream did not fill.
    EXPECT_GT(window_end + kWindow, end);
  }
}

TEST(ListenerTest, AFaintWordIsThereAtTheEndOfALongSilence) {
  for (const int before : {0, 10, 30, 100}) {
    for (const int after : {0, 10, 40, 4000}) {
      std::vector<float> stream = Windows(before, 0.02f);
      for (const auto& part : {Windows(1, 0.4f), Windows(after, 0.02f)}) {
        stream.insert(stream.end(), part.begin(), part.end());
      }
      const std::vector<Utterance> heard = Hear(stream, 1600);
      ASSERT_EQ(heard.size(), 1u) << before << " before, " << after << " after";
      EXPECT_LE(heard[0].start, before * kWindow);
      EXPECT_FALSE(heard[0].certain);
      ExpectPartsOf(stream, heard);
    }
  }
}

// Silence, faint places, clicks and speech in any order, in pieces of any size.
TEST(ListenerTest, EverySpanIsCopiedFromWhereItWas) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<float> stream;
    std::discrete_distribution<int> kind({round % 4 == 0 ? 0.1 : 0.0, 0.3, 0.2, 1.0});
    for (int part = 0; part < 12; ++part) {
      const int which = kind(random);
      const float level = std::array{0.9f, 0.3f, 0.6f, 0.02f}[which];
      const int most = which == 3 ? 120 : which == 0 ? 60 : 1;
      const auto windows = Windows(std::uniform_int_distribution(1, most)(random),
                                   level + 0.001f * static_cast<float>(random() % 50));
      stream.insert(stream.end(), windows.begin(), windows.end());
    }
    const std::vector<Utterance> whole = Hear(stream, 16'000);
    ExpectPartsOf(stream, whole);
    for (const std::size_t step : {std::size_t{160}, std::size_t{5'000}}) {
      const std::vector<Utterance> pieces = Hear(stream, step, Listener::Growth::kDoubling);
      ASSERT_EQ(pieces.size(), whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(pieces[i].start, whole[i].start);
        EXPECT_EQ(pieces[i].samples, whole[i].samples);
      }
    }
  }
}

TEST(ListenerTest, ADayOfSilenceBehindAFaintWordTakesNoMemory) {
  Listener listener(WrittenActivity{}, {}, Listener::Growth::kBySecond);
  listener.Push(Windows(30, 0.02f));
  listener.Push(Windows(1, 0.4f));
  const std::vector<float> silence = Windows(31, 0.02f);
  std::size_t most = 0;
  for (int i = 0; i < 2'000; ++i) {
    listener.Push(silence);
    most = std::max(most, listener.held_samples());
  }
  EXPECT_LE(most, std::size_t{6} * kSampleRate);
  ASSERT_EQ(listener.Finish().size(), 1u);
}

}  // namespace
}  // namespace lethe
