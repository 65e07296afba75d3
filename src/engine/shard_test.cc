// Goal:   whatever fills the batch, nobody is passed over for ever.
// Method: one shard, and live streams that pour: they push again from within their own notices, so
//         that everything happens on the shard's thread and every count is exact.

#include "engine/internal/shard.h"

#include <future>
#include <mutex>

#include <gmock/gmock.h>

#include "tests/support/fake_models.h"

namespace lethe {
namespace {

// A live stream that says the same again and again, as fast as it is taken.
class Pourer {
 public:
  using Heard = std::function<void(Pourer&, const StreamEvent&)>;

  Pourer(Shard& shard, const VoiceActivityModel& activity, const Tokenizer& tokenizer,
         LiveOptions options, std::vector<float> said, Heard heard)
      : said_(std::move(said)), heard_(std::move(heard)) {
    options.notify = [this] { Notice(); };
    session_ = std::make_shared<LiveSession>(
        activity, SegmenterOptions{}, tokenizer, options,
        [&shard](std::shared_ptr<LiveSession> news) { shard.AddNews(std::move(news)); });
  }
  ~Pourer() { session_->Abandon(); }

  void Pour() {
    const std::lock_guard lock(mutex_);
    while (!stopped_) {
      if (rest_.empty()) rest_ = said_;
      const std::size_t taken = *session_->PushSamples(rest_);
      rest_ = rest_.subspan(taken);
      if (!rest_.empty()) return;
    }
  }
  void Stop() { stopped_ = true; }

 private:
  void Notice() {
    for (const StreamEvent& event : session_->TakeEvents()) heard_(*this, event);
    Pour();
  }

  const std::vector<float> said_;
  const Heard heard_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::span<const float> rest_;
  std::shared_ptr<LiveSession> session_;
};

class ShardTest : public testing::Test {
 protected:
  ShardTest() {
    queue_.SetWakeOne([this] { shard_->WakeIfIdle(); });
    shard_ = std::make_unique<Shard>(model_, HearingOptions{}, queue_);
  }

  FakeModel model_;
  LoudnessActivity activity_;
  RecordingQueue queue_;
  std::unique_ptr<Shard> shard_;
};

class ShardWaitTest : public ShardTest, public testing::WithParamInterface<Priority> {};

TEST_P(ShardWaitTest, RecordingsComeUpThoughLiveFinalsFillTheBatch) {
  model_.counting = 20;
  constexpr int kPourers = 40, kWarm = 200, kGiveUp = 3'000;
  // The shard's thread counts; it is done when the recording was answered, or it was too long.
  int finals = 0, answered_at = 0;
  std::promise<void> done;
  std::atomic<bool> stop = false;
  std::vector<std::unique_ptr<Pourer>> pourers;
  for (int i = 0; i < kPourers; ++i) {
    pourers.push_back(std::make_unique<Pourer>(
        *shard_, activity_, model_.tokenizer(), LiveOptions{.partials = false}, SpeechOf({12}),
        [&](Pourer& pourer, const StreamEvent& event) {
          if (event.kind == StreamEvent::Kind::kFinal && ++finals == kWarm) {
            Request request{.utterance = {.samples = std::vector<float>(16'000, LoudnessOf(20))},
                            .priority = GetParam(),
                            .draft = {},
                            .promised = {},
                            .hot_words = {},
                            .cancelled = {},
                            .done = {}};
            request.done = [&](const Request::Answer& answer) {
              EXPECT_THAT(answer.segment.text, testing::StartsWith("w20 w21 w22"));
              answered_at = finals;
              stop = true;
              done.set_value();
            };
            queue_.Add(std::move(request));
          }
          if (finals >= kGiveUp) stop = true;
          if (stop) pourer.Stop();
        }));
  }
  for (const auto& pourer : pourers) pourer->Pour();
  done.get_future().wait();
  pourers.clear();
  // 16 that go before a recording, what fills the batch, and what is decoded beside it: it takes
  // part in every fourth pass only.
  EXPECT_LE(answered_at - kWarm, 100);
}

INSTANTIATE_TEST_SUITE_P(Priorities, ShardWaitTest,
                         testing::Values(Priority::kShortCall, Priority::kRecording));

}  // namespace
}  // namespace lethe
