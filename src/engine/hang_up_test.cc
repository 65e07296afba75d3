// Goal:   a client may go away at whatever stage its speech is in, and without a word: nobody
//         answers it, nobody else's answer changes by a bit, and nothing of it is kept.
// Method: the made-up model of tests/support/scripted_model.h tells what it is about to do, and the
//         client hangs up at that moment, on the engine's own thread. Every stage inside a batch,
//         the wait for a joint search too, is in cancelling_test.cc.

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include <gmock/gmock.h>

#include "base/mutex.h"
#include "engine/engine.h"
#include "engine/internal/test_same.h"
#include "tests/support/engine_calls.h"
#include "tests/support/fake_models.h"
#include "tests/support/scripted_model.h"
#include "tests/support/stage_watch.h"

namespace lethe {
namespace {

using ::testing::SizeIs;

constexpr int kVictim = 235;  // unsure

class HangUpTest : public testing::Test {
 protected:
  void SetUp() override {
    hot_words_ = HomophoneOf(*model_, kVictim, 2);
    recording_ = {.words = true, .hot_words = HomophoneOf(*model_, 240, 3)};
    Engine engine(model_, activity_, {.num_threads = 1});
    expected_recording_ =
        TranscribeRecording(engine, Spoken(kInRecording), kSampleRate, recording_);
    expected_live_ = TranscribeLive(engine, Spoken(kInLive), 1'600, {.partials = false});
    expected_victim_ = TranscribeLive(engine, Spoken(kVictim), 1'600, Victim());
    ASSERT_THAT(expected_recording_, SizeIs(kInRecording.size()));
    ASSERT_THAT(expected_live_, SizeIs(kInLive.size()));
    ASSERT_THAT(expected_victim_, SizeIs(1));
  }

  LiveOptions Victim() const {
    return {.words = true, .hot_words = hot_words_, .partials = false, .notify = {}};
  }

  // Others talk while `happens`. Then they, and who comes next, have what they have alone, and
  // nothing is left.
  template <typename F>
  void AmongOthers(Engine& engine, const F& happens) {
    std::vector<Segment> recording, live;
    std::thread recorder(
        [&] { recording = TranscribeRecording(engine, Spoken(kInRecording), 4'000, recording_); });
    std::thread talker(
        [&] { live = TranscribeLive(engine, Spoken(kInLive), 1'600, {.partials = false}); });
    happens();
    recorder.join();
    talker.join();
    ExpectSame(recording, expected_recording_);
    ExpectSame(live, expected_live_);
    ExpectSame(TranscribeLive(engine, Spoken(kVictim), 1'600, Victim()), expected_victim_);
    EXPECT_EQ(engine.figures().live_streams, 0);
    EXPECT_EQ(engine.figures().recordings, 0);
    // What the engine drops it drops between its steps: soon, but not at once.
    for (int i = 0; hot_words_.use_count() > 1 && i < 10'000; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(hot_words_.use_count(), 1) << "something of who has gone is kept";
  }

  static constexpr std::array<int, 6> kInRecording = {111, 240, 345, 412, 450, 521};
  static constexpr std::array<int, 4> kInLive = {613, 135, 722, 855};
  const std::shared_ptr<ScriptedModel> model_ = std::make_shared<ScriptedModel>();
  const std::shared_ptr<const VoiceActivityModel> activity_ = std::make_shared<LoudnessActivity>();
  std::shared_ptr<const HotWords> hot_words_;
  StreamOptions recording_;
  std::vector<Segment> expected_recording_, expected_live_, expected_victim_;
};

// That go by in every answer, in whatever company.
constexpr std::array kStages = {Stage::kEncoding, Stage::kGreedy,  Stage::kEncodingAgain,
                                Stage::kJoint,    Stage::kWriting, Stage::kTrials,
                                Stage::kReview};

TEST_F(HangUpTest, ALiveClientAtEveryStageOfItsFinal) {
  for (const Stage stage : kStages) {
    SCOPED_TRACE(static_cast<int>(stage));
    Mutex mutex;  // who pushes has pushed before it hangs up
    std::unique_ptr<LiveCaller> victim;
    std::atomic<bool> gone = false;
    int notices = 0;
    const StageWatch watch(model_.get(), kVictim, [&](Stage now) {
      if (now != stage || gone) return;
      const MutexLock lock(mutex);
      victim->HangUp();
      notices = victim->notices();
      gone = true;
      gone.notify_all();
    });
    Engine engine(model_, activity_, {.num_threads = 1});
    AmongOthers(engine, [&] {
      {
        const MutexLock lock(mutex);
        victim = std::make_unique<LiveCaller>(engine, Victim());
        const std::vector<float> samples = Spoken(kVictim);
        EXPECT_EQ(*victim->stream().PushSamples(samples), samples.size());
      }
      gone.wait(false);
    });
    EXPECT_EQ(victim->notices(), notices) << "told something after it had gone";
  }
}

TEST_F(HangUpTest, ARecordingAtEveryStage) {
  for (const Stage stage : kStages) {
    SCOPED_TRACE(static_cast<int>(stage));
    Mutex mutex;
    std::unique_ptr<Stream> victim;
    std::atomic<bool> gone = false;
    const StageWatch watch(model_.get(), kVictim, [&](Stage now) {
      if (now != stage || gone) return;
      const MutexLock lock(mutex);
      victim.reset();
      gone = true;
      gone.notify_all();
    });
    Engine engine(model_, activity_, {.num_threads = 1});
    AmongOthers(engine, [&] {
      {
        const MutexLock lock(mutex);
        victim = *engine.Open({.words = true, .hot_words = hot_words_});
        const std::array<int, 3> more = {kVictim, 111, 118};
        EXPECT_TRUE(victim->PushSamples(Spoken(more)).ok());
      }
      gone.wait(false);
    });
  }
}

TEST_F(HangUpTest, ALiveClientWhileItsPartialIsMade) {
  for (const Stage stage : {Stage::kEncoding, Stage::kGreedy}) {
    SCOPED_TRACE(static_cast<int>(stage));
    Mutex mutex;
    std::unique_ptr<LiveCaller> victim;
    std::atomic<bool> gone = false;
    const StageWatch watch(model_.get(), kVictim, [&](Stage now) {
      if (now != stage || gone) return;
      const MutexLock lock(mutex);
      victim->HangUp();
      gone = true;
      gone.notify_all();
    });
    Engine engine(model_, activity_, {.num_threads = 1});
    AmongOthers(engine, [&] {
      {
        const MutexLock lock(mutex);
        LiveOptions options = Victim();
        options.partials = true;
        options.partial_interval = Millis(100);
        victim = std::make_unique<LiveCaller>(engine, options);
        // It speaks on and on: whatever the model is asked for is a partial.
        EXPECT_EQ(*victim->stream().PushSamples(SwingingSound(kVictim, 30'000)), 30'000u);
      }
      gone.wait(false);
    });
  }
}

TEST_F(HangUpTest, WhoIsWaitingInLineIsNeverHeard) {
  constexpr int kBefore = 111, kBehind = 118;
  model_->layers = 60;
  std::unique_ptr<LiveStream> before, behind, live;
  std::unique_ptr<Stream> recording;
  Engine* engine = nullptr;
  std::atomic<int> begun = 0;
  int waiting = 0;
  model_->on_begin = [&](const ScriptedSequence& sequence) {
    if (sequence.sentence == kVictim) ++begun;
  };
  // All on the engine's thread. Two finals are half encoded: there is room for nobody else.
  model_->on_layer = [&](const ScriptedSequence& sequence) {
    if (sequence.sentence != kBefore || engine == nullptr) return;
    switch (sequence.layers_left) {
      case 60:
        EXPECT_TRUE(behind->PushSamples(Spoken(kBehind)).ok());
        break;
      case 40:
        EXPECT_TRUE(live->PushSamples(Spoken(kVictim)).ok());
        EXPECT_TRUE(recording->PushSamples(Spoken(kVictim)).ok());
        break;
      case 10:
        waiting = engine->figures().waiting;
        live.reset();
        recording.reset();
        break;
      default:
        break;
    }
  };
  Engine made(model_, activity_, {.num_threads = 1});
  engine = &made;
  before = *made.OpenLive({.partials = false});
  behind = *made.OpenLive({.partials = false});
  live = *made.OpenLive(Victim());
  recording = *made.Open({.hot_words = hot_words_});
  EXPECT_TRUE(before->PushSamples(Spoken(kBefore)).ok());
  before->Finish();
  while (!before->complete()) std::this_thread::yield();
  behind->Finish();
  while (!behind->complete()) std::this_thread::yield();
  EXPECT_EQ(waiting, 1);
  EXPECT_EQ(begun, 0);
  before.reset();
  behind.reset();
  engine = nullptr;
  AmongOthers(made, [] {});
  EXPECT_EQ(made.figures().waiting, 0);
}

TEST_F(HangUpTest, BetweenSegments) {
  Engine engine(model_, activity_, {.num_threads = 1});
  const std::vector<float> spoken = Spoken(kVictim);
  // With nothing more, and at several places of the next utterance.
  for (const std::size_t more : {0u, 4'000u, 9'000u, 14'000u, 25'000u}) {
    SCOPED_TRACE(more);
    AmongOthers(engine, [&] {
      LiveCaller live(engine, Victim());
      live.Push(spoken, 1'600);
      live.AwaitFinals(1);
      live.Push(std::span(spoken).first(more), 1'600);
      live.HangUp();
      const auto recording = *engine.Open({.hot_words = hot_words_});
      EXPECT_TRUE(recording->PushSamples(spoken).ok());
      while (recording->TakeSegments().empty()) std::this_thread::yield();
      EXPECT_TRUE(recording->PushSamples(std::span(spoken).first(more)).ok());
    });
  }
}

TEST_F(HangUpTest, ClientsThatFallSilentForEverTakeNothingFromOthers) {
  Engine engine(model_, activity_, {.num_threads = 2});
  AmongOthers(engine, [&] {
    std::vector<std::unique_ptr<LiveStream>> live;
    std::vector<std::unique_ptr<Stream>> recordings;
    const std::vector<float> spoken = Spoken(kVictim);
    for (std::size_t i = 0; i < 50; ++i) {
      const auto part = std::span(spoken).first(i * spoken.size() / 50);
      live.push_back(*engine.OpenLive(Victim()));
      EXPECT_EQ(*live.back()->PushSamples(part), part.size());
      recordings.push_back(*engine.Open({.hot_words = hot_words_}));
      EXPECT_TRUE(recordings.back()->PushSamples(part).ok());
    }
    // They are there, and hold their places, until the connection is given up.
    EXPECT_GE(engine.figures().live_streams, 50);
    ExpectSame(TranscribeLive(engine, spoken, 1'600, Victim()), expected_victim_);
  });
}

// Two finals are with the encoder, so a third has no room. When both hang up nothing is left in the
// batch that would bring the shard to its next turn.
TEST_F(HangUpTest, WhoWaitedForRoomIsAnsweredWhenAllInTheWayHangUp) {
  std::array<std::unique_ptr<LiveStream>, 2> victims;
  std::atomic<int> layers = 0;
  std::atomic<bool> all_spoken = false;
  model_->on_layer = [&](const ScriptedSequence&) {
    const int layer = ++layers;
    if (layer == 1) all_spoken.wait(false);
    if (layer == 2) victims = {};
  };
  {
    Engine engine(model_, activity_, {.num_threads = 1});
    const auto speak = [&engine](int sentence, LiveOptions options) {
      options.partials = false;
      auto stream = *engine.OpenLive(options);
      const std::vector<float> samples = Spoken(sentence);
      EXPECT_EQ(*stream->PushSamples(samples), samples.size());
      stream->Finish();
      return stream;
    };
    std::promise<void> answered;
    victims[0] = speak(111, {});
    victims[1] = speak(112, {});
    std::atomic<LiveStream*> waiting = nullptr;
    std::atomic<bool> told = false;
    const auto third = speak(113, {.notify = [&] {
                               LiveStream* stream = waiting;
                               if (stream == nullptr || !stream->complete()) return;
                               if (!told.exchange(true)) answered.set_value();
                             }});
    waiting = third.get();
    all_spoken = true;
    all_spoken.notify_all();
    EXPECT_EQ(answered.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    EXPECT_GE(layers, 2);
  }
  model_->on_layer = nullptr;
}

}  // namespace
}  // namespace lethe
