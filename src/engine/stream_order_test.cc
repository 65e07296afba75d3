// Goal:   in a shard a live final comes before a partial, that before a short call, that before a
//         long recording, whichever came first; of partials only the newest is made.
// Method: the made-up model of tests/support/scripted_model.h tells what it is about to encode; the
//         callers come while two finals are half encoded, so that nobody else finds room. What is
//         looked at is an order and amounts of audio, never a time.

#include <algorithm>
#include <array>
#include <functional>
#include <thread>

#include <gmock/gmock.h>

#include "engine/engine.h"
#include "tests/support/engine_calls.h"
#include "tests/support/fake_models.h"
#include "tests/support/scripted_model.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;

constexpr int kFirst = 111, kSecond = 118;  // the two finals
constexpr int kLayers = 120;

class StreamOrderTest : public testing::Test {
 protected:
  // Takes the first to its end: `at_layer` is called for each of its layers, on the shard's thread,
  // with how many are left; the second is half encoded from the second layer on.
  void Run(const std::function<void(Engine&, int)>& at_layer) {
    model_->layers = kLayers;
    std::unique_ptr<LiveStream> first, second;
    model_->on_layer = [&](const ScriptedSequence& sequence) {
      if (sequence.sentence != kFirst) return;
      if (sequence.layers_left == kLayers) {
        EXPECT_TRUE(second->PushSamples(Spoken(kSecond)).ok());
      }
      at_layer(*engine_, sequence.layers_left);
    };
    model_->on_begin = [&](const ScriptedSequence& sequence) {
      begun_.push_back(sequence.sentence);
      samples_.push_back(sequence.samples);
    };
    Engine made(model_, activity_, {.num_threads = 1});
    engine_ = &made;
    first = *made.OpenLive({.partials = false});
    second = *made.OpenLive({.partials = false});
    EXPECT_TRUE(first->PushSamples(Spoken(kFirst)).ok());
    for (LiveStream* stream : {first.get(), second.get()}) {
      stream->Finish();
      while (!stream->complete()) std::this_thread::yield();
    }
    finish_();
    first.reset();
    second.reset();
  }

  const std::shared_ptr<ScriptedModel> model_ = std::make_shared<ScriptedModel>();
  const std::shared_ptr<const VoiceActivityModel> activity_ = std::make_shared<LoudnessActivity>();
  Engine* engine_ = nullptr;
  std::vector<int> begun_;            // the sentences, in the order in which they were encoded
  std::vector<std::size_t> samples_;  // of each
  std::function<void()> finish_;      // closes the others
};

TEST_F(StreamOrderTest, TheMoreUrgentGoFirstWhicheverCameFirst) {
  std::array<int, 4> order = {0, 1, 2, 3};
  do {
    SCOPED_TRACE(testing::PrintToString(order));
    begun_.clear();
    std::unique_ptr<LiveStream> final, partial;
    std::unique_ptr<Stream> call, recording;
    const std::array<std::function<void(Engine&)>, 4> arrivals = {
        [&](Engine& engine) {
          final = *engine.OpenLive({.partials = false});
          EXPECT_TRUE(final->PushSamples(Spoken(511)).ok());
        },
        [&](Engine& engine) {
          partial = *engine.OpenLive({});
          EXPECT_TRUE(partial->PushSamples(SwingingSound(521, 30'000)).ok());
        },
        [&](Engine& engine) {
          call = *engine.Open({});
          EXPECT_TRUE(call->PushSamples(Spoken(531)).ok());
        },
        [&](Engine& engine) {
          recording = *engine.Open({});
          std::vector<float> samples(std::size_t{61} * kSampleRate, 0.0f);
          const std::vector<float> spoken = Spoken(541);
          samples.insert(samples.end(), spoken.begin(), spoken.end());
          EXPECT_TRUE(recording->PushSamples(samples).ok());
        }};
    finish_ = [&] {
      EXPECT_EQ(call->Finish()->size(), 1u);
      EXPECT_EQ(recording->Finish()->size(), 1u);
      call.reset();
      recording.reset();
      partial.reset();
      final.reset();
    };
    Run([&](Engine& engine, int left) {
      for (std::size_t i = 0; i < order.size(); ++i) {
        if (left != kLayers - 10 * static_cast<int>(i + 1)) continue;
        arrivals[static_cast<std::size_t>(order[i])](engine);
      }
    });
    EXPECT_THAT(begun_, ElementsAre(kFirst, kSecond, 511, 521, 531, 541));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(StreamOrderTest, OnlyTheNewestPartialIsMadeWhenThereIsNoTimeForAll) {
  constexpr int kTalker = 521;
  std::unique_ptr<LiveStream> talker;
  std::size_t pushed = 0;
  const std::vector<float> sound = SwingingSound(kTalker, std::size_t{8} * kSampleRate);
  finish_ = [&] {
    // After it, partials of what was said before would be made whenever it says a little more.
    for (std::size_t events = 0; events < 2; events += talker->TakeEvents().size()) {
      std::this_thread::yield();
    }
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(talker->PushSamples(std::span(sound).first(100)).ok());
      (void)TranscribeLive(*engine_, Spoken(kSecond), kMaxUnheardSamples);
    }
    talker->Finish();
    while (!talker->complete()) std::this_thread::yield();
    talker.reset();
  };
  Run([&](Engine& engine, int left) {
    if (!talker) talker = *engine.OpenLive({.partial_interval = Millis(100)});
    if (left <= 20) return;
    // Eight seconds while the first final is encoded: time for eighty partials.
    const auto more = std::span(sound).subspan(pushed, sound.size() / 100);
    pushed += *talker->PushSamples(more);
  });
  EXPECT_EQ(pushed, sound.size());
  ASSERT_GE(begun_.size(), 4u);
  EXPECT_EQ(begun_[0], kFirst);
  EXPECT_EQ(begun_[1], kSecond);
  // All of what was heard by then, which is within half a second of all that was said.
  EXPECT_EQ(begun_[2], kTalker);
  EXPECT_GE(samples_[2], sound.size() - kSampleRate / 2);
  // And there is one more of the rest, at most, before the final.
  EXPECT_LE(std::count(begun_.begin(), begun_.end(), kTalker), 3);
}

}  // namespace
}  // namespace lethe
