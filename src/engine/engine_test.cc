// Goal:   every stretch of speech comes back once and in spoken order, whichever worker was first;
//         the text depends on the samples alone; a stream that goes away disturbs nobody.
// Method: a made-up model whose answer is written into the loudness of the samples, and voice
//         activity that is loudness; once the installed models on a recording, cut and shared in
//         many ways.

#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "engine/hot_words.h"
#include "kernels/dispatch.h"
#include "model/moonshine/moonshine.h"
#include "model/silero/silero.h"
#include "model/speech_model.h"
#include "model/store.h"
#include "model/voice_activity.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kVocabulary = 64;
constexpr int kBegin = 1, kEnd = 2, kFirstWord = 3;
// Speech of this loudness is understood well only with silence before it.
constexpr int kHardWord = 40;

// Loudness of the word "wN": N hundredths.
float Loudness(int word) { return static_cast<float>(word) / 100.0f; }

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

  int word = 0;
  bool led_by_silence = false;
  std::vector<int> tokens;
};

// Says its word twice, then ends.
class FakeWorker final : public SpeechModelWorker {
 public:
  explicit FakeWorker(std::atomic<int>* passes) : passes_(passes) {}

  void Encode(std::span<const float> samples, SpeechSequence* sequence) override {
    auto* fake = static_cast<FakeSequence*>(sequence);
    float peak = 0;
    for (float v : samples) peak = std::max(peak, std::abs(v));
    fake->word = static_cast<int>(std::lround(peak * 100));
    // The padding of a segment is 400 ms, a second hearing adds 200 ms of silence.
    fake->led_by_silence = std::all_of(samples.begin(), samples.begin() + 9000,
                                       [](float v) { return std::abs(v) < 0.01f; });
    fake->tokens.clear();
  }

  void Step(std::span<const DecoderRow> rows) override {
    ++*passes_;
    logits_.assign(rows.size(), std::vector<float>(kVocabulary, 0.0f));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto* fake = static_cast<FakeSequence*>(rows[i].sequence);
      fake->tokens.push_back(rows[i].token);
      const bool hard = fake->word == kHardWord;
      const int said = hard && !fake->led_by_silence ? fake->word + 1 : fake->word;
      const int next = fake->tokens.size() <= 2 ? kFirstWord + said : kEnd;
      logits_[i][static_cast<std::size_t>(next)] = hard && !fake->led_by_silence ? 4.5f : 20.0f;
    }
  }

  std::span<float> Logits(int row) override { return logits_[static_cast<std::size_t>(row)]; }
  std::span<const float> Attention(int) const override { return attention_; }
  void RecordAttention(bool) override {}
  void SetProbe(StageProbe) override {}

 private:
  std::atomic<int>* const passes_;
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
    return std::make_unique<FakeWorker>(&passes);
  }

  mutable std::atomic<int> passes = 0;

 private:
  Tokenizer tokenizer_;
  ModelTraits traits_;
};

// Words of half a second, a second of silence before each and after the last.
std::vector<float> Speech(const std::vector<int>& words) {
  std::vector<float> samples;
  for (int word : words) {
    samples.resize(samples.size() + kSampleRate, 0.0f);
    samples.resize(samples.size() + kSampleRate / 2, Loudness(word));
  }
  samples.resize(samples.size() + kSampleRate, 0.0f);
  return samples;
}

std::vector<std::string> Texts(const std::vector<Segment>& segments) {
  std::vector<std::string> texts;
  for (const Segment& segment : segments) texts.push_back(segment.text);
  return texts;
}

std::vector<Segment> TranscribeAll(Engine& engine, std::span<const float> samples, std::size_t step,
                                   const StreamOptions& options = {}) {
  const auto stream = engine.Open(options);
  std::vector<Segment> segments;
  const auto take = [&segments](std::vector<Segment> more) {
    for (Segment& segment : more) segments.push_back(std::move(segment));
  };
  for (std::size_t i = 0; i < samples.size(); i += step) {
    EXPECT_TRUE(stream->PushSamples(samples.subspan(i, std::min(step, samples.size() - i))).ok());
    take(stream->TakeSegments());
  }
  auto rest = stream->Finish();
  EXPECT_TRUE(rest.ok());
  take(*std::move(rest));
  return segments;
}

class EngineTest : public testing::Test {
 protected:
  std::unique_ptr<Engine> MakeEngine(int threads) const {
    return std::make_unique<Engine>(model_, activity_, EngineOptions{.num_threads = threads});
  }
  const std::shared_ptr<const FakeModel> model_ = std::make_shared<FakeModel>();
  const std::shared_ptr<const VoiceActivityModel> activity_ = std::make_shared<LoudnessActivity>();
};

TEST_F(EngineTest, SegmentsComeInSpokenOrderHoweverManyWorkersShareThem) {
  std::vector<int> words;
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    words.push_back(10 + i * 7 % 29);
    expected.push_back("w" + std::to_string(words.back()) + " w" + std::to_string(words.back()));
  }
  const std::vector<float> samples = Speech(words);
  for (int threads : {1, 2, 5}) {
    const auto engine = MakeEngine(threads);
    for (std::size_t step : {std::size_t{777}, std::size_t{16'000}, samples.size()}) {
      EXPECT_EQ(Texts(TranscribeAll(*engine, samples, step)), expected) << threads << " " << step;
    }
  }
}

TEST_F(EngineTest, SegmentsKnowWhenTheyWereSpoken) {
  const auto engine = MakeEngine(1);
  const auto segments = TranscribeAll(*engine, Speech({20, 30}), 1000);
  ASSERT_EQ(segments.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    // Half a second of speech with 400 ms of padding; a window is 32 ms.
    EXPECT_NEAR(static_cast<double>(segments[i].start.count()), 1500 * i + 1000 - 400, 33);
    EXPECT_NEAR(static_cast<double>(segments[i].end.count()), 1500 * i + 1500 + 400, 33);
  }
}

TEST_F(EngineTest, SilenceGivesNothing) {
  const auto engine = MakeEngine(2);
  EXPECT_THAT(TranscribeAll(*engine, std::vector<float>(200'000, 0.0f), 5000), IsEmpty());
  EXPECT_THAT(TranscribeAll(*engine, {}, 1), IsEmpty());
  EXPECT_EQ(model_->passes, 0);
}

TEST_F(EngineTest, ASampleThatIsNoNumberIsRefusedAndTheStreamLivesOn) {
  const auto engine = MakeEngine(1);
  const auto stream = engine->Open({});
  for (float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> samples = {0.0f, bad};
    EXPECT_EQ(stream->PushSamples(samples).code(), StatusCode::kInvalidArgument);
  }
  ASSERT_TRUE(stream->PushSamples(Speech({25})).ok());
  EXPECT_THAT(Texts(*stream->Finish()), ElementsAre("w25 w25"));
}

TEST_F(EngineTest, AnUnsureUtteranceIsHeardAgainAndTheSurerAnswerKept) {
  const auto engine = MakeEngine(1);
  const auto segments = TranscribeAll(*engine, Speech({kHardWord, 20}), 4000);
  EXPECT_THAT(Texts(segments), ElementsAre("w40 w40", "w20 w20"));
  EXPECT_GT(segments[0].confidence, 0.9f);

  Engine once(model_, activity_, {.num_threads = 1, .hearing = {.unsure = 0}});
  EXPECT_THAT(Texts(TranscribeAll(once, Speech({kHardWord, 20}), 4000)),
              ElementsAre("w41 w41", "w20 w20"));
}

TEST_F(EngineTest, AStreamThatGoesAwayDisturbsNobody) {
  const auto engine = MakeEngine(2);
  std::vector<std::thread> leavers;
  for (int i = 0; i < 4; ++i) {
    leavers.emplace_back([&engine] {
      for (int j = 0; j < 20; ++j) {
        const auto stream = engine->Open({});
        EXPECT_TRUE(stream->PushSamples(Speech({11, 12, 13})).ok());
      }
    });
  }
  for (int j = 0; j < 20; ++j) {
    EXPECT_THAT(Texts(TranscribeAll(*engine, Speech({21, 22}), 9000)),
                ElementsAre("w21 w21", "w22 w22"));
  }
  for (std::thread& leaver : leavers) leaver.join();
}

// A LibriVox sentence of Debian's pocketsphinx-testdata; empty when it is not there.
std::vector<float> ReadSentence(const std::string& number) {
  const auto file =
      ReadFile("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-" +
                   number + ".wav",
               std::size_t{1} << 20);
  constexpr std::size_t kHeader = 44;
  if (!file.ok() || file->size() < kHeader) return {};
  std::vector<float> samples((file->size() - kHeader) / 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::int16_t v = 0;
    std::memcpy(&v, file->data() + kHeader + 2 * i, sizeof(v));
    samples[i] = static_cast<float>(v) / 32768.0f;
  }
  return samples;
}

// The installed models on such sentences.
TEST(EngineWithModelsTest, TextAndTimesDependOnTheSamplesAlone) {
  const ModelStore store(ModelStore::DefaultDirectory());
  const auto speech = store.Find(kDefaultSpeechModel);
  const auto activity = store.Find(kDefaultVoiceActivityModel);
  const std::vector<float> samples = ReadSentence("0930");
  if (!speech.ok() || !activity.ok() || samples.empty()) {
    ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr);
    GTEST_SKIP() << "models or recordings are not installed";
  }
  // Three utterances, so that there is something to batch.
  std::vector<float> thrice;
  for (int i = 0; i < 3; ++i) {
    thrice.insert(thrice.end(), samples.begin(), samples.end());
    thrice.resize(thrice.size() + 2 * kSampleRate, 0.0f);
  }
  std::vector<Segment> first;
  for (const KernelTable* table : AvailableKernels()) {
    if (table == &ScalarKernels()) continue;  // as right as the others, and slow
    const auto model = LoadMoonshine(speech->path, *table);
    const auto vad = LoadSilero(activity->path, *table);
    ASSERT_TRUE(model.ok() && vad.ok());
    for (int threads : {1, 3}) {
      Engine engine(*model, *vad, {.num_threads = threads});
      for (std::size_t step : {std::size_t{1'013}, thrice.size()}) {
        const auto segments = TranscribeAll(engine, thrice, step, {.words = true});
        if (first.empty()) first = segments;
        ASSERT_EQ(segments.size(), first.size());
        for (std::size_t i = 0; i < segments.size(); ++i) {
          EXPECT_EQ(segments[i].text, first[i].text);
          EXPECT_EQ(segments[i].confidence, first[i].confidence);
          EXPECT_EQ(segments[i].start, first[i].start);
          ASSERT_EQ(segments[i].words.size(), first[i].words.size());
          for (std::size_t j = 0; j < segments[i].words.size(); ++j) {
            EXPECT_EQ(segments[i].words[j].start, first[i].words[j].start);
            EXPECT_EQ(segments[i].words[j].end, first[i].words[j].end);
          }
        }
      }
    }
  }
  ASSERT_EQ(first.size(), 3u);
  EXPECT_THAT(first[0].text, testing::HasSubstr("made amiable himself"));
}

TEST(EngineWithModelsTest, HotWordsAreHeardAndChangeNobodyElsesText) {
  const ModelStore store(ModelStore::DefaultDirectory());
  const auto speech = store.Find(kDefaultSpeechModel);
  const auto activity = store.Find(kDefaultVoiceActivityModel);
  std::vector<float> samples;
  for (const char* number : {"0870", "0880", "0930"}) {
    const std::vector<float> sentence = ReadSentence(number);
    samples.insert(samples.end(), sentence.begin(), sentence.end());
    samples.resize(samples.size() + 2 * kSampleRate, 0.0f);
  }
  if (!speech.ok() || !activity.ok() || samples.size() <= 6 * kSampleRate) {
    ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr);
    GTEST_SKIP() << "models or recordings are not installed";
  }
  const auto model = LoadMoonshine(speech->path, *AvailableKernels().back());
  const auto vad = LoadSilero(activity->path, *AvailableKernels().back());
  ASSERT_TRUE(model.ok() && vad.ok());
  // As Llama's own tokenizer does.
  const TokenCodec codec = MakeTokenCodec((*model)->tokenizer());
  EXPECT_THAT(codec.encode(" Hello world"), ElementsAre(15043, 3186));
  // The model writes "John Dashwood" and "ill-sposed".
  const std::vector<HotWord> said = {{"Jon Dashwood"}, {"ill-disposed"}, {"AMIABLE"}};
  const auto hot_words = HotWords::Make(said, codec);
  ASSERT_TRUE(hot_words.ok());
  const StreamOptions plain{.words = true};
  const StreamOptions hot{.words = true, .hot_words = *hot_words};
  std::vector<std::string> without, with;
  {
    Engine engine(*model, *vad, {.num_threads = 1});
    without = Texts(TranscribeAll(engine, samples, samples.size(), plain));
    with = Texts(TranscribeAll(engine, samples, samples.size(), hot));
  }
  ASSERT_EQ(without.size(), 3u);
  ASSERT_EQ(with.size(), 3u);
  EXPECT_THAT(with[0], testing::HasSubstr("Jon Dashwood had then leisure"));
  EXPECT_THAT(with[1], testing::HasSubstr("an ill-disposed young man"));
  EXPECT_THAT(with[2], testing::HasSubstr("made AMIABLE himself"));
  // Side by side in one batch, and on several threads.
  for (int threads : {1, 3}) {
    Engine engine(*model, *vad, {.num_threads = threads});
    std::vector<std::thread> streams;
    for (int i = 0; i < 4; ++i) {
      streams.emplace_back([&, i] {
        const bool biased = i % 2 == 0;
        const auto segments = TranscribeAll(engine, samples, 5'000, biased ? hot : plain);
        EXPECT_EQ(Texts(segments), biased ? with : without);
        for (const Segment& segment : segments) {
          std::string joined;
          for (const Word& word : segment.words) joined += (joined.empty() ? "" : " ") + word.text;
          EXPECT_EQ(joined, segment.text);
          for (const Word& word : segment.words) EXPECT_LE(word.start, word.end);
        }
      });
    }
    for (std::thread& stream : streams) stream.join();
  }
}

}  // namespace
}  // namespace lethe
