// Goal:   ten thousand streams at once, an hour at once, one sample at a time, numbers that are
//         none: bounded memory, a clear error, and the answer that the samples have however they
//         came.
// Method: the made-up models of tests/support/scripted_model.h; the installed voice activity for
//         what a stream costs. Memory is what the allocator has given out.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>

#include <malloc.h>

#include <gmock/gmock.h>

#include "engine/engine.h"
#include "engine/internal/test_same.h"
#include "kernels/dispatch.h"
#include "model/silero/silero.h"
#include "model/store.h"
#include "tests/support/engine_calls.h"
#include "tests/support/fake_models.h"
#include "tests/support/scripted_model.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Bytes given out by the allocator; a sanitizer's own allocator says 0.
std::int64_t Allocated() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

std::string TextOf(const ScriptedModel& model, int sentence) {
  const std::string text = model.tokenizer().Decode(ScriptedModel::Tokens(sentence));
  return text.substr(text.find_first_not_of(' '));
}

class StreamLimitsTest : public testing::Test {
 protected:
  // Opens ten thousand from several threads at once, of which `most` may be open.
  static std::vector<std::unique_ptr<LiveStream>> OpenTenThousand(Engine& engine, int most) {
    constexpr int kThreads = 4, kEach = 2'500;
    std::vector<std::vector<std::unique_ptr<LiveStream>>> opened(kThreads);
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (auto& streams : opened) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          auto stream = engine.OpenLive({});
          if (stream.ok()) {
            streams.push_back(*std::move(stream));
            continue;
          }
          ++refused;
          EXPECT_EQ(stream.status().code(), StatusCode::kResourceExhausted);
          EXPECT_THAT(stream.status().message(), HasSubstr(std::to_string(most)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(refused, kThreads * kEach - most);
    std::vector<std::unique_ptr<LiveStream>> all;
    for (auto& streams : opened) {
      for (auto& stream : streams) all.push_back(std::move(stream));
    }
    EXPECT_EQ(engine.figures().live_streams, most);
    return all;
  }

  static void CheckMemory(const std::shared_ptr<const SpeechModel>& model,
                          const std::shared_ptr<const VoiceActivityModel>& activity, int most,
                          std::int64_t bytes_each) {
    Engine engine(model, activity, {.num_threads = 2, .max_streams = most});
    for (int round = 0; round < 2; ++round) {
      const std::int64_t before = Allocated();
      {
        const auto streams = OpenTenThousand(engine, most);
        EXPECT_LE((Allocated() - before) / most, bytes_each);
        EXPECT_EQ(engine.Open({}).status().code(), StatusCode::kResourceExhausted);
      }
      EXPECT_EQ(engine.figures().live_streams, 0);
      // Sessions go when the shards have heard of it.
      const std::int64_t left = most * std::int64_t{128};
      for (int i = 0; Allocated() - before > left && i < 10'000; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      EXPECT_LE(Allocated() - before, left) << "round " << round;
    }
  }

  const std::shared_ptr<ScriptedModel> model_ = std::make_shared<ScriptedModel>();
  const std::shared_ptr<const VoiceActivityModel> activity_ = std::make_shared<LoudnessActivity>();
};

TEST_F(StreamLimitsTest, TenThousandAtOnceAreRefusedBeyondTheLimitAndCostLittle) {
  CheckMemory(model_, activity_, 4'096, 6 * 1024);
}

TEST_F(StreamLimitsTest, TenThousandWithRealVoiceActivityCostLittle) {
  const auto installed =
      ModelStore(ModelStore::DefaultDirectory()).Find(kDefaultVoiceActivityModel);
  if (!installed.ok()) {
    ASSERT_EQ(std::getenv("LETHE_TEST_REQUIRE_MODELS"), nullptr) << installed.status().message();
    GTEST_SKIP() << "the model is not installed";
  }
  const auto activity = LoadSilero(installed->path, *AvailableKernels().back());
  ASSERT_TRUE(activity.ok());
  CheckMemory(model_, *activity, 1'000, 16 * 1024);
}

TEST_F(StreamLimitsTest, AStreamThatHasSpokenHoldsLittleAfterwards) {
  Engine engine(model_, activity_, {.num_threads = 1});
  constexpr int kStreams = 100;
  const std::array<int, 4> sentences = {111, 240, 345, 412};
  const std::vector<float> samples = Spoken(sentences);
  (void)TranscribeLive(engine, samples, 16'000);  // what the shard needs it has
  const std::int64_t before = Allocated();
  std::vector<std::unique_ptr<LiveCaller>> callers;
  for (int i = 0; i < kStreams; ++i) {
    callers.push_back(std::make_unique<LiveCaller>(engine, LiveOptions{}));
    callers.back()->Push(samples, 16'000);
    callers.back()->AwaitFinals(sentences.size());
  }
  // A second of audio is 64 KB; an utterance of them 120 KB.
  EXPECT_LE((Allocated() - before) / kStreams, 6 * 64 * 1024);
}

TEST_F(StreamLimitsTest, AnHourAtOnceIsHeardToItsEnd) {
  // A sentence every half minute.
  std::vector<float> hour(std::size_t{3'600} * kSampleRate, 0.0f);
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 120; ++i) {
    const int sentence = 111 + 7 * static_cast<int>(i);
    const auto sound = SwingingSound(sentence, 9'600);
    std::copy(sound.begin(), sound.end(),
              hour.begin() + static_cast<std::ptrdiff_t>((30 * i + 15) * kSampleRate));
    expected.push_back(TextOf(*model_, sentence));
  }
  Engine engine(model_, activity_, {.num_threads = 2});
  const std::int64_t before = Allocated();
  std::atomic<std::int64_t> most = 0;
  std::thread recorder([&] {
    const auto recording = *engine.Open({});
    EXPECT_TRUE(recording->PushSamples(hour).ok());
    most = std::max<std::int64_t>(most, Allocated() - before);
    EXPECT_EQ(TextsOf(*recording->Finish()), expected);
  });
  LiveCaller live(engine, {.partials = false});
  live.Push(hour, hour.size());
  most = std::max<std::int64_t>(most, Allocated() - before);
  EXPECT_EQ(TextsOf(live.Finish()), expected);
  recorder.join();
  // The hour is 230 MB.
  EXPECT_LE(most, 16 << 20);
}

TEST_F(StreamLimitsTest, OneSampleAtATimeGivesWhatAllAtOnceGives) {
  // The last word is cut off in the middle of a window.
  const std::array<int, 3> sentences = {111, 235, 412};
  std::vector<float> samples = Spoken(sentences);
  samples.resize(samples.size() - 16'321);
  const auto hot_words = HomophoneOf(*model_, 235, 2);
  for (const int threads : {1, 2}) {
    Engine engine(model_, activity_, {.num_threads = threads});
    const StreamOptions options{.words = true, .hot_words = hot_words};
    const auto recording = TranscribeRecording(engine, samples, samples.size(), options);
    ASSERT_EQ(recording.size(), sentences.size());
    ExpectSame(TranscribeRecording(engine, samples, 1, options), recording);
    const LiveOptions live{.words = true, .hot_words = hot_words, .partials = false, .notify = {}};
    ExpectSame(TranscribeLive(engine, samples, samples.size(), live), recording);
    ExpectSame(TranscribeLive(engine, samples, 1, live), recording);
  }
}

TEST_F(StreamLimitsTest, NumbersThatAreNoneAreRefusedAndLeaveNoTrace) {
  Engine engine(model_, activity_, {.num_threads = 1});
  const std::array<int, 2> sentences = {235, 412};
  const std::vector<float> samples = Spoken(sentences);
  const auto clean = TranscribeRecording(engine, samples, 1'000);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto recording = *engine.Open({});
  LiveCaller live(engine, {.partials = false});
  for (std::size_t i = 0; i < samples.size(); i += 1'000) {
    const auto step =
        std::span(samples).subspan(i, std::min<std::size_t>(1'000, samples.size() - i));
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::signaling_NaN(), kInfinity, -kInfinity}) {
      for (const std::size_t at : {std::size_t{0}, step.size() / 2, step.size() - 1}) {
        std::vector<float> spoilt(step.begin(), step.end());
        spoilt[at] = bad;
        EXPECT_EQ(recording->PushSamples(spoilt).code(), StatusCode::kInvalidArgument);
        EXPECT_EQ(live.stream().PushSamples(spoilt).status().code(), StatusCode::kInvalidArgument);
      }
    }
    EXPECT_TRUE(recording->PushSamples(step).ok());
    live.Push(step, step.size());
  }
  ExpectSame(*recording->Finish(), clean);
  ExpectSame(live.Finish(), clean);
  // What is finite is taken, however loud.
  std::vector<float> loud(kSampleRate, std::numeric_limits<float>::max());
  EXPECT_TRUE(TranscribeRecording(engine, loud, loud.size()).size() <= 1);
}

TEST_F(StreamLimitsTest, TheNoiseThresholdDecidesWhatIsTakenForSpeech) {
  // Speech as probable as it is loud: 0.95, 0.6 and 0.2.
  const std::array<int, 3> sentences = {951, 601, 201};
  Engine engine(model_, std::make_shared<GradedActivity>(), {.num_threads = 1});
  const auto heard = [&](float noise_threshold) {
    return TextsOf(TranscribeLive(engine, Spoken(sentences), 1'600,
                                  {.partials = false, .noise_threshold = noise_threshold}));
  };
  const std::string sure = TextOf(*model_, 951), likely = TextOf(*model_, 601),
                    faint = TextOf(*model_, 201);
  // Speech begins at 0.5; at 0.9 with 2, and at 0.1 with -2.
  EXPECT_THAT(heard(0), ElementsAre(sure, likely));
  EXPECT_THAT(heard(2), ElementsAre(sure));
  EXPECT_THAT(heard(-2), ElementsAre(sure, likely, faint));
}

}  // namespace
}  // namespace lethe
