#pragma once

// A made-up speech model in which everything that may go wrong in a batch shows: its numbers are
// made of the utterance's every sample and of all tokens taken so far, its encoder has layers, and
// a test sees, and may interfere with, whatever it is about to do.
//
// What was said is written into the loudness of the samples: a *sentence*, a number from 20 to 990.
// Every word has a homophone, which hot words bring out. Every fifth sentence is unsure and is
// heard wrongly at first: it takes a second hearing and a joint search of both. But every 25th is
// heard in the same way again, and every other of these surely.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/hot_words.h"
#include "kernels/kernels.h"
#include "model/speech_model.h"
#include "model/voice_activity.h"

namespace lethe {

class ScriptedSequence final : public SpeechSequence {
 public:
  int num_frames() const override { return frames; }
  int num_tokens() const override { return static_cast<int>(tokens.size()); }
  void Truncate(int num_tokens) override {
    LETHE_CHECK(num_tokens <= this->num_tokens());
    tokens.resize(static_cast<std::size_t>(num_tokens));
  }
  void CopyFrom(const SpeechSequence& other) override {
    *this = static_cast<const ScriptedSequence&>(other);
  }

  int sentence = 0;
  bool again = false;       // a second hearing, with silence around it
  std::uint64_t sound = 0;  // of every sample
  std::size_t samples = 0;
  int frames = 0;
  int layers_left = 0;
  std::vector<int> tokens;
};

class ScriptedModel final : public SpeechModel {
 public:
  static constexpr int kWords = 30;
  static constexpr int kBegin = 1, kEnd = 2, kFirst = 3;
  static constexpr int kVocabulary = kFirst + 2 * kWords;
  static constexpr int kFrame = 384;

  ScriptedModel() {
    std::vector<Piece> pieces(kVocabulary);
    for (int word = 0; word < kWords; ++word) {
      for (const bool homophone : {false, true}) {
        pieces[static_cast<std::size_t>(Token(word, homophone))] = {PieceKind::kText,
                                                                    " " + Text(word, homophone)};
      }
    }
    tokenizer_ = Tokenizer(std::move(pieces));
    traits_ = {.vocabulary = kVocabulary,
               .begin_token = kBegin,
               .end_token = kEnd,
               .max_tokens = 100,
               .frame_samples = kFrame,
               .max_samples = SampleIndex{64} * kSampleRate,
               .max_tokens_per_second = 6.5};
  }

  static int Token(int word, bool homophone = false) {
    return kFirst + 2 * word + (homophone ? 1 : 0);
  }
  /// "faton", and "phaton" that sounds the same.
  static std::string Text(int word, bool homophone) {
    const std::size_t w = static_cast<std::size_t>(word);
    return std::string(homophone ? "ph" : "f") + "a" + "bmtlsr"[w % 6] + "o" + "ndlkv"[w / 6];
  }
  static bool IsUnsure(int sentence, bool again = false) {
    return sentence % 5 == 0 && (!again || sentence % 50 != 25);
  }
  static bool IsMisheard(int sentence) { return sentence % 5 == 0 && sentence % 25 != 0; }
  static int NumWords(int sentence) { return 4 + sentence % 7; }
  static int WordAt(int sentence, std::size_t position) {
    return static_cast<int>(Mix(static_cast<std::uint64_t>(sentence) * 1000 + position) % kWords);
  }
  static std::vector<int> Tokens(int sentence) {
    std::vector<int> tokens;
    for (std::size_t i = 0; i < static_cast<std::size_t>(NumWords(sentence)); ++i) {
      tokens.push_back(Token(WordAt(sentence, i)));
    }
    return tokens;
  }
  static std::uint64_t Mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }

  const ModelTraits& traits() const override { return traits_; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }
  const KernelTable& kernels() const override { return ScalarKernels(); }
  std::unique_ptr<SpeechSequence> NewSequence() const override {
    return std::make_unique<ScriptedSequence>();
  }
  std::unique_ptr<SpeechModelWorker> NewWorker() const override;

  // Set before anything is made of the model. A hook is called on the thread of who works, before
  // the work is done.
  int layers = 4;
  float homophone_cost = 3;  // logarithm of how much less probable than the word
  std::function<void(const ScriptedSequence&)> on_begin;  // an utterance, about to be encoded
  std::function<void(const ScriptedSequence&)> on_layer;
  std::function<void(std::span<const DecoderRow>)> on_pass;
  // May change the logits behind a row.
  std::function<void(const ScriptedSequence&, std::vector<float>*)> on_logits;

 private:
  Tokenizer tokenizer_;
  ModelTraits traits_;
};

class ScriptedWorker final : public SpeechModelWorker {
 public:
  explicit ScriptedWorker(const ScriptedModel& model) : model_(model) {}

  void BeginEncode(std::span<const float> samples, SpeechSequence* sequence) override {
    auto& begun = *static_cast<ScriptedSequence*>(sequence);
    float peak = 0;
    std::uint64_t sound = samples.size();
    for (const float v : samples) {
      peak = std::max(peak, std::abs(v));
      sound = (sound ^ std::bit_cast<std::uint32_t>(v)) * 0x100000001b3U;
    }
    begun = {};
    begun.sentence = static_cast<int>(std::lround(std::min(peak, 1.0f) * 1000));
    // The padding of a segment is 400 ms, a second hearing adds 200 ms.
    begun.again =
        samples.size() > 9'000 && std::all_of(samples.begin(), samples.begin() + 9'000,
                                              [](float v) { return std::abs(v) < 0.01f; });
    begun.sound = ScriptedModel::Mix(sound);
    begun.samples = samples.size();
    begun.frames = static_cast<int>(samples.size()) / ScriptedModel::kFrame + 1;
    begun.layers_left = model_.layers;
    if (model_.on_begin) model_.on_begin(begun);
  }

  bool EncodeMore(SpeechSequence* sequence) override {
    auto& encoded = *static_cast<ScriptedSequence*>(sequence);
    LETHE_CHECK(encoded.layers_left > 0);
    if (model_.on_layer) model_.on_layer(encoded);
    return --encoded.layers_left > 0;
  }

  void Step(std::span<const DecoderRow> rows) override {
    LETHE_CHECK(rows.size() <= static_cast<std::size_t>(kMaxRows));
    if (model_.on_pass) model_.on_pass(rows);
    logits_.resize(rows.size());
    attention_.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto& sequence = *static_cast<ScriptedSequence*>(rows[i].sequence);
      LETHE_CHECK(sequence.layers_left == 0);
      LETHE_CHECK(sequence.tokens.empty() == (rows[i].token == ScriptedModel::kBegin));
      LETHE_CHECK(sequence.num_tokens() < model_.traits().max_tokens);
      sequence.tokens.push_back(rows[i].token);
      Predict(sequence, &logits_[i]);
      if (model_.on_logits) model_.on_logits(sequence, &logits_[i]);
      if (rows[i].joint) Join(&logits_[i - 1], &logits_[i]);
      const bool joined = i + 1 < rows.size() && rows[i + 1].joint;
      if (!rows[i].every_logit && !joined) KeepNear(rows[i], &logits_[i]);
      attention_[i].clear();
      if (!recording_) continue;
      const int seen = sequence.num_tokens() * sequence.frames /
                       (ScriptedModel::NumWords(sequence.sentence) + 2);
      for (int frame = 0; frame < sequence.frames; ++frame) {
        attention_[i].push_back((frame == seen ? 1.0f : 0.1f) + 0.05f * Noise(sequence, frame));
      }
    }
  }

  std::span<float> Logits(int row) override {
    LETHE_CHECK(!logits_[static_cast<std::size_t>(row)].empty());
    return logits_[static_cast<std::size_t>(row)];
  }
  std::span<const float> Attention(int row) const override {
    return attention_[static_cast<std::size_t>(row)];
  }
  void RecordAttention(bool record) override { recording_ = record; }
  void SetProbe(StageProbe) override {}

 private:
  // In [-1, 1), out of all that the sequence has heard and taken.
  static float Noise(const ScriptedSequence& sequence, int of) {
    std::uint64_t state = sequence.sound;
    for (const int token : sequence.tokens) {
      state = ScriptedModel::Mix(state ^ static_cast<std::uint64_t>(token));
    }
    state = ScriptedModel::Mix(state ^ (static_cast<std::uint64_t>(of) << 32));
    return static_cast<float>(state >> 40) / static_cast<float>(1 << 23) - 1;
  }

  static void Join(std::vector<float>* before, std::vector<float>* logits) {
    for (std::size_t i = 0; i < logits->size(); ++i) {
      (*logits)[i] = 0.5f * ((*before)[i] + (*logits)[i]);
    }
    before->clear();
  }

  // Near only, as a real model's, but for the largest and what is wanted.
  static void KeepNear(const DecoderRow& row, std::vector<float>* logits) {
    if (row.forbidden >= 0) (*logits)[static_cast<std::size_t>(row.forbidden)] = -1e30f;
    const auto largest = std::max_element(logits->begin(), logits->end()) - logits->begin();
    for (std::ptrdiff_t i = 0; i < std::ssize(*logits); ++i) {
      float& logit = (*logits)[static_cast<std::size_t>(i)];
      if (i != largest && i != row.wanted) logit = std::floor(logit * 4) / 4;
    }
  }

  void Predict(const ScriptedSequence& sequence, std::vector<float>* logits) const {
    logits->resize(ScriptedModel::kVocabulary);
    for (int token = 0; token < ScriptedModel::kVocabulary; ++token) {
      (*logits)[static_cast<std::size_t>(token)] =
          token < ScriptedModel::kEnd ? -20 : Noise(sequence, token);  // no word, never next
    }
    const auto set = [&](int token, float logit) {
      (*logits)[static_cast<std::size_t>(token)] += logit;
    };
    const bool unsure = ScriptedModel::IsUnsure(sequence.sentence, sequence.again);
    const bool misheard = ScriptedModel::IsMisheard(sequence.sentence);
    const float sure = unsure ? 5.5f : 14;
    const std::size_t position = sequence.tokens.size() - 1;
    if (static_cast<int>(position) == ScriptedModel::NumWords(sequence.sentence)) {
      set(ScriptedModel::kEnd, sure);
    } else {
      const int word = ScriptedModel::WordAt(sequence.sentence, position);
      set(ScriptedModel::Token(word), sure);
      set(ScriptedModel::Token(word, true), sure - model_.homophone_cost);
      const int other = ScriptedModel::Token((word + 7) % ScriptedModel::kWords);
      if (misheard && position == 1) set(other, sequence.again ? -4 : sure + 1.5f);
    }
  }

  const ScriptedModel& model_;
  bool recording_ = false;
  std::vector<std::vector<float>> logits_, attention_;
};

inline std::unique_ptr<SpeechModelWorker> ScriptedModel::NewWorker() const {
  return std::make_unique<ScriptedWorker>(*this);
}

/// Hot words: the homophones of a sentence's words at these places.
inline std::shared_ptr<const HotWords> HomophonesOf(const ScriptedModel& model, int sentence,
                                                    std::span<const std::size_t> places,
                                                    int weight = kDefaultHotWordWeight) {
  std::vector<HotWord> words;
  for (const std::size_t place : places) {
    words.push_back({ScriptedModel::Text(ScriptedModel::WordAt(sentence, place), true), weight});
  }
  TokenCodec codec = MakeTokenCodec(model.tokenizer());
  // The model writes whole words only.
  codec.encode = [&model](std::string_view text) {
    for (int token = ScriptedModel::kFirst; token < ScriptedModel::kVocabulary; ++token) {
      if (model.tokenizer().piece(token).text == text) return std::vector<int>{token};
    }
    return std::vector<int>();
  };
  return *HotWords::Make(words, codec);
}
inline std::shared_ptr<const HotWords> HomophoneOf(const ScriptedModel& model, int sentence,
                                                   std::size_t place,
                                                   int weight = kDefaultHotWordWeight) {
  return HomophonesOf(model, sentence, std::span(&place, 1), weight);
}

/// As sure that somebody speaks as the samples are loud.
class GradedActivity final : public VoiceActivityModel {
 public:
  int window_samples() const override { return 512; }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<State>();
  }

 private:
  class State final : public VoiceActivityState {
   public:
    void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
      for (const float v : samples) {
        peak_ = std::max(peak_, std::abs(v));
        if (++count_ < 512) continue;
        probabilities->push_back(std::min(peak_, 1.0f));
        peak_ = 0;
        count_ = 0;
      }
    }

   private:
    float peak_ = 0;
    int count_ = 0;
  };
};

/// A sentence as sound: no two samples alike, one of them as loud as the sentence says.
inline std::vector<float> SoundOfSentence(int sentence, std::size_t num_samples) {
  const float loudness = static_cast<float>(sentence) / 1000.0f;
  std::vector<float> samples(num_samples);
  for (std::size_t i = 0; i < num_samples; ++i) {
    const std::uint64_t random =
        ScriptedModel::Mix(static_cast<std::uint64_t>(sentence) << 32 | i) >> 40;
    samples[i] =
        loudness * (0.6f + 0.3f * static_cast<float>(random) / static_cast<float>(1 << 24));
  }
  // Every window says how loud it is.
  for (std::size_t i = 0; i < num_samples; i += 256) samples[i] = loudness;
  return samples;
}

/// The same about zero, as sound is, or a stream would take its mean for an offset.
inline std::vector<float> SwingingSound(int sentence, std::size_t num_samples) {
  std::vector<float> samples = SoundOfSentence(sentence, num_samples);
  for (std::size_t i = 1; i < num_samples; i += 2) samples[i] = -samples[i];
  return samples;
}

/// Half a second of silence, the sentence for 0.6 s, and 0.8 s of silence, which end it: together
/// no more than a live stream takes at once.
inline std::vector<float> Spoken(std::span<const int> sentences) {
  std::vector<float> samples;
  for (const int sentence : sentences) {
    samples.resize(samples.size() + kSampleRate / 2, 0.0f);
    const auto sound = SwingingSound(sentence, kSampleRate * 6 / 10);
    samples.insert(samples.end(), sound.begin(), sound.end());
    samples.resize(samples.size() + kSampleRate * 8 / 10, 0.0f);
  }
  return samples;
}
inline std::vector<float> Spoken(int sentence) { return Spoken(std::span(&sentence, 1)); }

/// An utterance with the padding that the engine's segments have.
inline std::vector<float> Padded(int sentence, std::size_t num_samples = 9'600) {
  std::vector<float> samples(6'400, 0.0f);
  const auto sound = SoundOfSentence(sentence, num_samples);
  samples.insert(samples.end(), sound.begin(), sound.end());
  samples.resize(samples.size() + 6'400, 0.0f);
  return samples;
}

}  // namespace lethe
