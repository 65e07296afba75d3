// Goal:   every stretch of speech comes back once and in spoken order, whichever worker was first;
//         the text depends on the samples alone; a stream that goes away disturbs nobody.
// Method: the made-up models of tests/support/fake_models.h; once the installed models on a
// recording, cut
//         and shared in many ways.

#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "engine/hot_words.h"
#include "kernels/dispatch.h"
#include "model/automatic_gain.h"
#include "model/moonshine/moonshine.h"
#include "model/silero/silero.h"
#include "model/speech_model.h"
#include "model/store.h"
#include "model/voice_activity.h"
#include "tests/support/fake_models.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Texts(const std::vector<Segment>& segments) {
  std::vector<std::string> texts;
  for (const Segment& segment : segments) texts.push_back(segment.text);
  return texts;
}

std::vector<Segment> TranscribeAll(Engine& engine, std::span<const float> samples, std::size_t step,
                                   const StreamOptions& options = {}) {
  const auto stream = *engine.Open(options);
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
  const std::vector<float> samples = SpeechOf(words);
  for (int threads : {1, 2, 5}) {
    const auto engine = MakeEngine(threads);
    for (std::size_t step : {std::size_t{777}, std::size_t{16'000}, samples.size()}) {
      EXPECT_EQ(Texts(TranscribeAll(*engine, samples, step)), expected) << threads << " " << step;
    }
  }
}

TEST_F(EngineTest, SegmentsKnowWhenTheyWereSpoken) {
  const auto engine = MakeEngine(1);
  const auto segments = TranscribeAll(*engine, SpeechOf({20, 30}), 1000);
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
  const auto stream = *engine->Open({});
  for (float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> samples = {0.0f, bad};
    EXPECT_EQ(stream->PushSamples(samples).code(), StatusCode::kInvalidArgument);
  }
  ASSERT_TRUE(stream->PushSamples(SpeechOf({25})).ok());
  EXPECT_THAT(Texts(*stream->Finish()), ElementsAre("w25 w25"));
}

TEST_F(EngineTest, AnUnsureUtteranceIsHeardAgainAndTheSurerAnswerKept) {
  const auto engine = MakeEngine(1);
  const auto segments = TranscribeAll(*engine, SpeechOf({kHardWord, 20}), 4000);
  EXPECT_THAT(Texts(segments), ElementsAre("w40 w40", "w20 w20"));
  EXPECT_GT(segments[0].confidence, 0.9f);

  Engine once(model_, activity_, {.num_threads = 1, .hearing = {.unsure = 0}});
  EXPECT_THAT(Texts(TranscribeAll(once, SpeechOf({kHardWord, 20}), 4000)),
              ElementsAre("w41 w41", "w20 w20"));
}

TEST_F(EngineTest, FiguresSayWhatIsOpenAndWhatWasHeard) {
  const auto engine = MakeEngine(2);
  EXPECT_EQ(engine->figures().heard.count(), 0);
  const std::vector<float> samples = SpeechOf({11, 12, 13});
  const auto length = std::chrono::nanoseconds(samples.size() * 62'500);
  {
    const auto live = *engine->OpenLive({});
    const auto recording = *engine->Open({});
    EXPECT_EQ(engine->figures().live_streams, 1);
    EXPECT_EQ(engine->figures().recordings, 1);
    EXPECT_EQ(*live->PushSamples(std::span(samples).first(kSampleRate)), kSampleRate);
    EXPECT_EQ(engine->figures().heard, std::chrono::seconds(1));
    ASSERT_TRUE(recording->PushSamples(samples).ok());
    ASSERT_TRUE(recording->Finish().ok());
  }
  EXPECT_EQ(engine->figures().live_streams, 0);
  EXPECT_EQ(engine->figures().recordings, 0);
  EXPECT_EQ(engine->figures().waiting, 0);
  EXPECT_EQ(engine->figures().heard, std::chrono::seconds(1) + length);
  // Counted when a pass is over, which its answers may be ahead of.
  while (engine->figures().busy.count() == 0) std::this_thread::yield();
}

TEST_F(EngineTest, AStreamThatGoesAwayDisturbsNobody) {
  const auto engine = MakeEngine(2);
  std::vector<std::thread> leavers;
  for (int i = 0; i < 4; ++i) {
    leavers.emplace_back([&engine] {
      for (int j = 0; j < 20; ++j) {
        const auto stream = *engine->Open({});
        EXPECT_TRUE(stream->PushSamples(SpeechOf({11, 12, 13})).ok());
      }
    });
  }
  for (int j = 0; j < 20; ++j) {
    EXPECT_THAT(Texts(TranscribeAll(*engine, SpeechOf({21, 22}), 9000)),
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

// Some of them, with silence behind each.
std::vector<float> ReadSentences(std::initializer_list<const char*> numbers) {
  std::vector<float> samples;
  for (const char* number : numbers) {
    const std::vector<float> sentence = ReadSentence(number);
    samples.insert(samples.end(), sentence.begin(), sentence.end());
    samples.resize(samples.size() + 2 * kSampleRate, 0.0f);
  }
  return samples;
}

// To the last bit.
void ExpectSameAnswer(const Segment& segment, const Segment& expected) {
  EXPECT_EQ(segment.text, expected.text);
  EXPECT_EQ(segment.confidence, expected.confidence);
  ASSERT_EQ(segment.words.size(), expected.words.size());
  for (std::size_t i = 0; i < expected.words.size(); ++i) {
    EXPECT_EQ(segment.words[i].text, expected.words[i].text);
    EXPECT_EQ(segment.words[i].start, expected.words[i].start);
    EXPECT_EQ(segment.words[i].end, expected.words[i].end);
    EXPECT_EQ(segment.words[i].confidence, expected.words[i].confidence);
  }
}

// A segment's list is the beginning of a longer one, begins with the segment itself, goes down
// behind it, and has no text twice.
void ExpectBeginningOf(std::span<const Alternative> longer, std::size_t most,
                       const Segment& segment) {
  const std::vector<Alternative>& list = segment.alternatives;
  ASSERT_EQ(list.size(), std::min(longer.size(), most));
  std::set<std::string> texts;
  for (std::size_t i = 0; i < list.size(); ++i) {
    EXPECT_EQ(list[i].text, longer[i].text);
    EXPECT_EQ(list[i].confidence, longer[i].confidence);
    EXPECT_EQ(list[i].log_probability, longer[i].log_probability);
    if (i > 1) {
      EXPECT_LE(list[i].log_probability, list[i - 1].log_probability);
    }
    texts.insert(list[i].text);
  }
  EXPECT_EQ(texts.size(), list.size());
  if (list.empty()) return;
  EXPECT_EQ(list[0].text, segment.text);
  EXPECT_EQ(list[0].confidence, segment.confidence);
}

// The installed models on such sentences.
class EngineWithModelsTest : public testing::Test {
 protected:
  void SetUp() override {
    const ModelStore store(ModelStore::DefaultDirectory());
    const auto speech = store.Find(kDefaultSpeechModel);
    const auto activity = store.Find(kDefaultVoiceActivityModel);
    const std::vector<float> samples = ReadSentence("0930");
    if (!speech.ok() || !activity.ok() || samples.empty()) {
      ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr);
      GTEST_SKIP() << "models or recordings are not installed";
    }
    speech_path_ = speech->path;
    activity_path_ = activity->path;
    // Three utterances, so that there is something to batch.
    for (int i = 0; i < 3; ++i) {
      thrice_.insert(thrice_.end(), samples.begin(), samples.end());
      thrice_.resize(thrice_.size() + 2 * kSampleRate, 0.0f);
    }
    sentence_ = samples;
  }

  // As the program has it; null if a model cannot be loaded.
  std::unique_ptr<Engine> MakeEngineWithGain() const {
    const KernelTable& kernels = *AvailableKernels().back();
    const auto model = LoadMoonshine(speech_path_, kernels);
    const auto detector = LoadSilero(activity_path_, kernels);
    if (!model.ok() || !detector.ok()) return nullptr;
    return std::make_unique<Engine>(*model, WithAutomaticGain(*detector, kernels),
                                    EngineOptions{.num_threads = 1});
  }

  std::string speech_path_, activity_path_;
  std::vector<float> sentence_, thrice_;
};

// A microphone across the room; the roundings are those of 16 bits.
TEST_F(EngineWithModelsTest, QuietSpeechGivesWhatLoudSpeechGives) {
  const auto engine = MakeEngineWithGain();
  ASSERT_NE(engine, nullptr);
  const auto expected = TranscribeAll(*engine, thrice_, thrice_.size());
  ASSERT_EQ(expected.size(), 3u);
  for (const float gain : {0.1f, 0.03f, 0.01f, 0.005f, 0.003f}) {
    std::vector<float> quiet = thrice_;
    for (float& v : quiet) v = std::round(v * gain * 32768) / 32768;
    const auto segments = TranscribeAll(*engine, quiet, 1'600);
    EXPECT_EQ(Texts(segments), Texts(expected)) << gain;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      // Which frames of the encoder become one is a choice, and rounding may change it.
      EXPECT_NEAR(segments[i].confidence, expected[i].confidence, 0.04) << gain;
    }
  }
}

// A sound card whose zero is elsewhere, and a voice that is quiet beside that.
TEST_F(EngineWithModelsTest, SpeechBesideAnOffsetGivesWhatItGivesWithoutOne) {
  const auto engine = MakeEngineWithGain();
  ASSERT_NE(engine, nullptr);
  const auto expected = TranscribeAll(*engine, thrice_, thrice_.size());
  ASSERT_EQ(expected.size(), 3u);
  for (const float offset : {0.02f, 0.1f, -0.3f}) {
    std::vector<float> beside = thrice_;
    for (float& v : beside) v = std::round((0.1f * v + offset) * 32768) / 32768;
    const auto segments = TranscribeAll(*engine, beside, 1'600);
    EXPECT_EQ(Texts(segments), Texts(expected)) << offset;
  }
}

TEST_F(EngineWithModelsTest, TextAndTimesDependOnTheSamplesAlone) {
  std::vector<Segment> first;
  for (const KernelTable* table : AvailableKernels()) {
    if (table == &ScalarKernels()) continue;  // as right as the others, and slow
    const auto model = LoadMoonshine(speech_path_, *table);
    const auto vad = LoadSilero(activity_path_, *table);
    ASSERT_TRUE(model.ok() && vad.ok());
    for (int threads : {1, 3}) {
      Engine engine(*model, *vad, {.num_threads = threads});
      for (std::size_t step : {std::size_t{1'013}, thrice_.size()}) {
        const auto segments = TranscribeAll(engine, thrice_, step, {.words = true});
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

// 0.2 s of silence, and what the recording has of it: too short to end a segment, too long to be
// part of a word.
TEST_F(EngineWithModelsTest, APauseWithinASegmentBelongsToNoWord) {
  const KernelTable& kernels = *AvailableKernels().back();
  const auto model = LoadMoonshine(speech_path_, kernels);
  const auto detector = LoadSilero(activity_path_, kernels);
  ASSERT_TRUE(model.ok() && detector.ok());
  Engine engine(*model, *detector, {.num_threads = 1});
  const std::vector<float> pause(kSampleRate / 5);
  std::vector<float> recording = pause;
  for (int i = 0; i < 2; ++i) {
    recording.insert(recording.end(), sentence_.begin(), sentence_.end());
    recording.insert(recording.end(), pause.begin(), pause.end());
  }
  const auto segments = TranscribeAll(engine, recording, recording.size(), {.words = true});
  ASSERT_EQ(segments.size(), 1u);
  const std::vector<Word>& words = segments[0].words;
  Millis longest{0};
  for (std::size_t i = 1; i < words.size(); ++i) {
    longest = std::max(longest, words[i].start - words[i - 1].end);
  }
  EXPECT_GE(longest, Millis(250));
  EXPECT_LE(longest, Millis(900));
  EXPECT_GE(words.front().start, Millis(250));
}

// A segment lasts 0.4 s longer than the speech in it.
TEST_F(EngineWithModelsTest, TheLastWordDoesNotLastUntilTheSegmentDoes) {
  const KernelTable& kernels = *AvailableKernels().back();
  const auto model = LoadMoonshine(speech_path_, kernels);
  const auto detector = LoadSilero(activity_path_, kernels);
  ASSERT_TRUE(model.ok() && detector.ok());
  Engine engine(*model, *detector, {.num_threads = 1});
  const auto segments = TranscribeAll(engine, thrice_, thrice_.size(), {.words = true});
  ASSERT_EQ(segments.size(), 3u);
  for (const Segment& segment : segments) {
    ASSERT_FALSE(segment.words.empty());
    EXPECT_LE(segment.words.back().end, segment.end - Millis(200));
    EXPECT_GE(segment.words.back().end, segment.end - Millis(800));
  }
}

TEST_F(EngineWithModelsTest, ALiveStreamHearsWhatARecordingGives) {
  const auto model = LoadMoonshine(speech_path_, *AvailableKernels().back());
  const auto vad = LoadSilero(activity_path_, *AvailableKernels().back());
  ASSERT_TRUE(model.ok() && vad.ok());
  Engine engine(*model, *vad, {.num_threads = 2});
  const std::vector<Segment> recording = TranscribeAll(engine, thrice_, 16'000, {.words = true});
  for (const bool partials : {false, true}) {
    const auto stream = *engine.OpenLive({.words = true, .partials = partials, .notify = {}});
    std::vector<StreamEvent> events;
    std::span<const float> rest = thrice_;
    while (!stream->complete()) {
      const auto step = rest.first(std::min<std::size_t>(8'000, rest.size()));
      if (step.empty()) stream->Finish();
      if (!step.empty()) rest = rest.subspan(*stream->PushSamples(step));
      // Slow enough that partials are made, fast enough for a test.
      std::this_thread::sleep_for(Millis(partials ? 20 : 1));
      for (StreamEvent& event : stream->TakeEvents()) events.push_back(std::move(event));
    }
    for (StreamEvent& event : stream->TakeEvents()) events.push_back(std::move(event));
    std::size_t finals = 0, in_partials = 0;
    for (const StreamEvent& event : events) {
      if (event.kind == StreamEvent::Kind::kPartial) ++in_partials;
      if (event.kind != StreamEvent::Kind::kFinal) continue;
      ASSERT_LT(finals, recording.size());
      const Segment& expected = recording[finals++];
      EXPECT_EQ(event.segment.text, expected.text);
      EXPECT_EQ(event.segment.confidence, expected.confidence);
      EXPECT_EQ(event.segment.start, expected.start);
      EXPECT_EQ(event.segment.end, expected.end);
      ASSERT_EQ(event.segment.words.size(), expected.words.size());
      for (std::size_t i = 0; i < expected.words.size(); ++i) {
        EXPECT_EQ(event.segment.words[i].start, expected.words[i].start);
      }
    }
    EXPECT_EQ(finals, recording.size());
    EXPECT_TRUE(partials || in_partials == 0);
  }
}

// Whoever asks, and whoever is in the batch beside them, gets the answers of somebody alone.
TEST_F(EngineWithModelsTest, AlternativesChangeNoAnswer) {
  const std::vector<float> samples = ReadSentences({"0870", "0880", "0930"});
  const auto model = LoadMoonshine(speech_path_, *AvailableKernels().back());
  const auto vad = LoadSilero(activity_path_, *AvailableKernels().back());
  ASSERT_TRUE(model.ok() && vad.ok());
  const auto hot_words = HotWords::Make(std::vector<HotWord>{{"ill-disposed"}, {"AMIABLE"}},
                                        MakeTokenCodec((*model)->tokenizer()));
  ASSERT_TRUE(hot_words.ok());
  // 0: no utterance is unsure; 1.0: every one is, and is searched in two hearings.
  for (const float unsure : {0.0f, 0.82f, 1.0f}) {
    for (const auto& words : {std::shared_ptr<const HotWords>(), *hot_words}) {
      const EngineOptions alone{.num_threads = 1, .hearing = {.unsure = unsure}};
      const EngineOptions shared{.num_threads = 2, .hearing = {.unsure = unsure}};
      const auto transcribe = [&](Engine& engine, int alternatives) {
        return TranscribeAll(engine, samples, 5'000,
                             {.words = true, .alternatives = alternatives, .hot_words = words});
      };
      std::vector<Segment> plain, most;
      {
        Engine engine(*model, *vad, alone);
        plain = transcribe(engine, 0);
        most = transcribe(engine, kMaxAlternatives);
      }
      ASSERT_EQ(plain.size(), 3u);
      ASSERT_EQ(most.size(), 3u);
      for (const Segment& segment : most) EXPECT_GT(segment.alternatives.size(), 1u);
      Engine engine(*model, *vad, shared);
      std::vector<std::thread> streams;
      for (int alternatives = 0; alternatives <= kMaxAlternatives; ++alternatives) {
        streams.emplace_back([&, alternatives] {
          const auto segments = transcribe(engine, alternatives);
          ASSERT_EQ(segments.size(), plain.size());
          for (std::size_t i = 0; i < segments.size(); ++i) {
            ExpectSameAnswer(segments[i], plain[i]);
            ExpectBeginningOf(most[i].alternatives, static_cast<std::size_t>(alternatives),
                              segments[i]);
          }
        });
      }
      for (std::thread& stream : streams) stream.join();
    }
  }
}

TEST_F(EngineWithModelsTest, HotWordsAreHeardAndChangeNobodyElsesText) {
  const std::vector<float> samples = ReadSentences({"0870", "0880", "0930"});
  const auto model = LoadMoonshine(speech_path_, *AvailableKernels().back());
  const auto vad = LoadSilero(activity_path_, *AvailableKernels().back());
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
