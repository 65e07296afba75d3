#pragma once

// Made-up models for the engine's tests: voice activity is loudness, and what was said is written
// into the loudness of the samples.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "kernels/kernels.h"
#include "model/speech_model.h"
#include "model/voice_activity.h"

namespace lethe {

inline constexpr int kVocabulary = 64;
inline constexpr int kBegin = 1, kEnd = 2, kFirstWord = 3;
// Speech of this loudness is understood well only with silence before it.
inline constexpr int kHardWord = 40;
// A word that is nearly the next one, with a twentieth of the probability.
inline constexpr int kVagueWord = 45;

// Loudness of the word "wN": N hundredths.
inline float LoudnessOf(int word) { return static_cast<float>(word) / 100.0f; }

class LoudnessState final : public VoiceActivityState {
 public:
  void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
    for (const float v : samples) {
      peak_ = std::max(peak_, std::abs(v));
      if (++count_ < 512) continue;
      probabilities->push_back(peak_ > 0.01f ? 0.95f : 0.02f);
      peak_ = 0;
      count_ = 0;
    }
  }

 private:
  float peak_ = 0;
  int count_ = 0;
};

class LoudnessActivity final : public VoiceActivityModel {
 public:
  int window_samples() const override { return 512; }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<LoudnessState>();
  }
};

class FakeSequence final : public SpeechSequence {
 public:
  int num_frames() const override { return 8; }
  int num_tokens() const override { return static_cast<int>(tokens.size()); }
  void Truncate(int num_tokens) override { tokens.resize(static_cast<std::size_t>(num_tokens)); }
  void CopyFrom(const SpeechSequence& other) override {
    *this = static_cast<const FakeSequence&>(other);
  }

  int word = 0;
  bool led_by_silence = false;
  std::vector<int> tokens;
};

// Says its word twice, then ends; or counts up from it, if it is told how far.
class FakeWorker final : public SpeechModelWorker {
 public:
  FakeWorker(std::atomic<int>* passes, const std::atomic<int>* counting)
      : passes_(passes), counting_(counting) {}

  void BeginEncode(std::span<const float> samples, SpeechSequence* sequence) override {
    auto* fake = static_cast<FakeSequence*>(sequence);
    float peak = 0;
    for (float v : samples) peak = std::max(peak, std::abs(v));
    // What is louder than every word is the loudest of them; a hard word is the next one too.
    fake->word = std::min(static_cast<int>(std::lround(peak * 100)), kVocabulary - kFirstWord - 2);
    // The padding of a segment is 400 ms, a second hearing adds 200 ms of silence.
    fake->led_by_silence = std::all_of(samples.begin(), samples.begin() + 9000,
                                       [](float v) { return std::abs(v) < 0.01f; });
    fake->tokens.clear();
  }
  bool EncodeMore(SpeechSequence*) override { return false; }

  void Step(std::span<const DecoderRow> rows) override {
    ++*passes_;
    LETHE_CHECK(rows.size() <= kMaxRows);
    logits_.assign(rows.size(), std::vector<float>(kVocabulary, 0.0f));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto* fake = static_cast<FakeSequence*>(rows[i].sequence);
      fake->tokens.push_back(rows[i].token);
      const bool hard = fake->word == kHardWord;
      const int said = hard && !fake->led_by_silence ? fake->word + 1 : fake->word;
      const int counting = *counting_;
      const int tokens = static_cast<int>(fake->tokens.size());
      const int word = counting > 0 ? said + tokens - 1 : said;
      const int next = tokens <= (counting > 0 ? counting : 2) ? kFirstWord + word : kEnd;
      logits_[i][static_cast<std::size_t>(next)] = hard && !fake->led_by_silence ? 4.5f : 20.0f;
      if (fake->word == kVagueWord && next != kEnd) {
        logits_[i][static_cast<std::size_t>(next) + 1] = 17.0f;
      }
      if (!rows[i].joint) continue;
      for (std::size_t j = 0; j < kVocabulary; ++j) {
        logits_[i][j] = 0.5f * (logits_[i - 1][j] + logits_[i][j]);
      }
      logits_[i - 1].clear();
    }
  }

  std::span<float> Logits(int row) override {
    LETHE_CHECK(!logits_[static_cast<std::size_t>(row)].empty());
    return logits_[static_cast<std::size_t>(row)];
  }
  std::span<const float> Attention(int) const override { return attention_; }
  void RecordAttention(bool) override {}
  void SetProbe(StageProbe) override {}

 private:
  std::atomic<int>* const passes_;
  const std::atomic<int>* const counting_;
  std::vector<std::vector<float>> logits_;
  std::vector<float> attention_ = std::vector<float>(8, 0.1f);
};

class FakeModel final : public SpeechModel {
 public:
  FakeModel() {
    std::vector<Piece> pieces(kVocabulary);
    for (int i = kFirstWord; i < kVocabulary; ++i) {
      pieces[static_cast<std::size_t>(i)] = {PieceKind::kText,
                                             " w" + std::to_string(i - kFirstWord)};
    }
    tokenizer_ = Tokenizer(std::move(pieces));
    traits_ = {.vocabulary = kVocabulary,
               .begin_token = kBegin,
               .end_token = kEnd,
               .max_tokens = 100,
               .frame_samples = 384,
               .max_samples = SampleIndex{64} * kSampleRate,
               .max_tokens_per_second = 6.5};
  }

  const ModelTraits& traits() const override { return traits_; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }
  const KernelTable& kernels() const override { return ScalarKernels(); }
  std::unique_ptr<SpeechSequence> NewSequence() const override {
    return std::make_unique<FakeSequence>();
  }
  std::unique_ptr<SpeechModelWorker> NewWorker() const override {
    return std::make_unique<FakeWorker>(&passes, &counting);
  }

  mutable std::atomic<int> passes = 0;
  std::atomic<int> counting = 0;  // words it counts up to

 private:
  Tokenizer tokenizer_;
  ModelTraits traits_;
};

/// Sample i of a word: a tone, for a stream takes a constant for an offset. Every sixteenth is as
/// loud as it gets, and sixteen have no mean.
inline float SampleOf(int word, std::size_t i) {
  constexpr float kTone[] = {0, 0.382683f, 0.707107f, 0.92388f, 1, 0.92388f, 0.707107f, 0.382683f};
  return (i % 16 < 8 ? LoudnessOf(word) : -LoudnessOf(word)) * kTone[i % 8];
}

inline void AppendWord(int word, std::size_t count, std::vector<float>* samples) {
  for (std::size_t i = 0; i < count; ++i) samples->push_back(SampleOf(word, i));
}

// Words of half a second, a second of silence before each and after the last.
inline std::vector<float> SpeechOf(const std::vector<int>& words) {
  std::vector<float> samples;
  for (int word : words) {
    samples.resize(samples.size() + kSampleRate, 0.0f);
    AppendWord(word, kSampleRate / 2, &samples);
  }
  samples.resize(samples.size() + kSampleRate, 0.0f);
  return samples;
}

/// A second of one word as samples of 16 bits, behind a WAV header.
inline std::string LoudRecording(int word) {
  constexpr int kSamples = 16'000;
  std::string wav("RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0", 36);
  wav += std::string("data\0\x7d\0\0", 8);
  for (int i = 0; i < kSamples; ++i) {
    const auto sample = static_cast<int>(SampleOf(word, static_cast<std::size_t>(i)) * 32'767);
    wav += static_cast<char>(sample & 0xff);
    wav += static_cast<char>(sample >> 8);
  }
  return wav;
}

}  // namespace lethe
