// Goal:   whatever fills the batch, nobody is passed over for ever; whoever pours audio, others are
//         heard and answered beside it, and it keeps the batch full when it is alone.
// Method: one shard, and live streams that pour: they push again from within their own notices, so
//         that everything happens on the shard's thread and every count is exact.

#include "engine/internal/shard.h"

#include <future>

#include <gmock/gmock.h>

#include "base/mutex.h"
#include "tests/support/fake_models.h"

namespace lethe {
namespace {

bool IsFinal(const StreamEvent* event) {
  return event != nullptr && event->kind == StreamEvent::Kind::kFinal;
}

// A live stream that says the same again and again, as fast as it is taken.
class Pourer {
 public:
  using Heard = std::function<void(Pourer&, const StreamEvent*)>;

  Pourer(Shard& shard, const VoiceActivityModel& activity, const Tokenizer& tokenizer,
         LiveOptions options, std::vector<float> said, Heard heard)
      : said_(std::move(said)), heard_(std::move(heard)) {
    options.notify = [this] { Notice(); };
    session_ = std::make_shared<LiveSession>(
        activity, SegmenterOptions{}, tokenizer, options,
        [&shard](std::shared_ptr<LiveSession> news) { shard.AddNews(std::move(news)); });
  }
  ~Pourer() {
    if (session_) session_->Abandon();
  }

  void Pour() {
    const MutexLock lock(mutex_);
    while (!stopped_) {
      if (rest_.empty()) rest_ = said_;
      const std::size_t taken = *session_->PushSamples(rest_);
      rest_ = rest_.subspan(taken);
      if (!rest_.empty()) return;
    }
  }
  void Stop() { stopped_ = true; }
  // Hangs up; returns what is left of the session.
  std::weak_ptr<LiveSession> HangUp() {
    stopped_ = true;
    session_->Abandon();  // which waits for a notice that is being given, and that for the lock
    const MutexLock lock(mutex_);
    std::weak_ptr<LiveSession> left = session_;
    session_.reset();
    return left;
  }

 private:
  void Notice() {
    const std::vector<StreamEvent> events = session_->TakeEvents();
    for (const StreamEvent& event : events) heard_(*this, &event);
    if (events.empty()) heard_(*this, nullptr);
    Pour();
  }

  const std::vector<float> said_;
  const Heard heard_;
  std::atomic<bool> stopped_ = false;
  Mutex mutex_;
  std::span<const float> rest_ GUARDED_BY(mutex_);
  std::shared_ptr<LiveSession> session_;
};

// Counts what is heard.
class CountingActivity final : public VoiceActivityModel {
 public:
  int window_samples() const override { return loudness_.window_samples(); }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<State>(&heard, loudness_.NewState());
  }
  SampleIndex seconds() const { return heard / kSampleRate; }

  mutable std::atomic<SampleIndex> heard = 0;

 private:
  class State final : public VoiceActivityState {
   public:
    State(std::atomic<SampleIndex>* heard, std::unique_ptr<VoiceActivityState> loudness)
        : heard_(heard), loudness_(std::move(loudness)) {}
    void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
      *heard_ += static_cast<SampleIndex>(samples.size());
      loudness_->Push(samples, probabilities);
    }

   private:
    std::atomic<SampleIndex>* const heard_;
    const std::unique_ptr<VoiceActivityState> loudness_;
  };

  LoudnessActivity loudness_;
};

class ShardTest : public testing::Test {
 protected:
  ShardTest() {
    queue_.SetWakeOne([this] { shard_->WakeIfIdle(); });
    shard_ = std::make_unique<Shard>(model_, HearingOptions{}, queue_);
  }

  // `hear` is called on the shard's thread, with one event or, where there is but room, none.
  std::unique_ptr<Pourer> MakePourer(std::vector<float> said, Pourer::Heard hear) {
    return std::make_unique<Pourer>(*shard_, activity_, model_.tokenizer(),
                                    LiveOptions{.partials = false}, std::move(said),
                                    std::move(hear));
  }

  FakeModel model_;
  CountingActivity activity_;
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
    pourers.push_back(MakePourer(SpeechOf({12}), [&](Pourer& pourer, const StreamEvent* event) {
      if (IsFinal(event) && ++finals == kWarm) {
        Request request{.utterance = {.samples = std::vector<float>(16'000, LoudnessOf(20))},
                        .priority = GetParam(),
                        .draft = {},
                        .promised = {},
                        .hot_words = {},
                        .cancelled = {},
                        .course = {},
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

TEST_F(ShardTest, AFinalIsNotKeptWaitingByStreamsThatPour) {
  model_.counting = 20;
  constexpr int kPourers = 100, kWarm = 300;
  SampleIndex asked = 0, answered = 0;
  std::promise<void> done;
  std::shared_ptr<LiveSession> client;
  client = std::make_shared<LiveSession>(
      activity_, SegmenterOptions{}, model_.tokenizer(),
      LiveOptions{.notify =
                      [&] {
                        for (const StreamEvent& event : client->TakeEvents()) {
                          if (!IsFinal(&event)) continue;
                          EXPECT_THAT(event.segment.text, testing::StartsWith("w20 w21 w22"));
                          answered = activity_.seconds();
                          done.set_value();
                        }
                      }},
      [this](std::shared_ptr<LiveSession> news) { shard_->AddNews(std::move(news)); });
  const std::vector<float> spoken = SpeechOf({20});
  int notices = 0;
  std::vector<std::unique_ptr<Pourer>> pourers;
  for (int i = 0; i < kPourers; ++i) {
    pourers.push_back(
        MakePourer(std::vector<float>(5 * kSampleRate, 0.0f), [&](Pourer&, const StreamEvent*) {
          if (++notices != kWarm) return;
          asked = activity_.seconds();
          EXPECT_TRUE(client->PushSamples(std::span(spoken).last(24'000)).ok());
          client->FinishAudio();
        }));
  }
  for (const auto& pourer : pourers) pourer->Pour();
  done.get_future().wait();
  client->Abandon();
  for (const auto& pourer : pourers) pourer->Stop();
  pourers.clear();
  // The rest of one turn that was meant for those that pour, then a second or so for each pass: a
  // final of 20 tokens takes 21.
  EXPECT_LE(answered - asked, 60);
}

TEST_F(ShardTest, StreamsThatPourKeepTheBatchFull) {
  model_.counting = 12;  // fewer than its limit: it comes to an end
  constexpr int kPourers = 40, kWarm = 200, kFinals = 1'000;
  int finals = 0, from = 0, passes = 0;
  std::promise<void> done;
  std::vector<std::unique_ptr<Pourer>> pourers;
  for (int i = 0; i < kPourers; ++i) {
    // A word now and then, by each at another time.
    std::vector<float> said(static_cast<std::size_t>(i) * kSampleRate / 8, 0.0f);
    AppendWord(12, kSampleRate / 2, &said);
    said.resize(8 * kSampleRate, 0.0f);
    pourers.push_back(MakePourer(std::move(said), [&](Pourer& pourer, const StreamEvent* event) {
      if (IsFinal(event)) ++finals;
      if (IsFinal(event) && finals == kWarm) from = model_.passes;
      if (finals >= kWarm + kFinals) pourer.Stop();
      if (!IsFinal(event) || finals != kWarm + kFinals) return;
      passes = model_.passes - from;
      done.set_value();
    }));
  }
  for (const auto& pourer : pourers) pourer->Pour();
  done.get_future().wait();
  pourers.clear();
  // Each takes part in 13 passes, ten at a time.
  EXPECT_LE(passes, kFinals * 3 / 2);
}

TEST_F(ShardTest, NothingIsKeptOfWhoHangsUpWhileItWaits) {
  model_.counting = 20;
  constexpr std::size_t kPourers = 100;
  constexpr int kWarm = 200;
  int finals = 0;
  std::vector<std::unique_ptr<Pourer>> pourers;
  std::vector<std::weak_ptr<LiveSession>> left;
  std::ptrdiff_t kept = 0;
  std::promise<void> done;
  for (std::size_t i = 0; i < kPourers; ++i) {
    pourers.push_back(MakePourer(SpeechOf({12}), [&, i](Pourer&, const StreamEvent* event) {
      if (!IsFinal(event)) return;
      ++finals;
      if (finals == kWarm) {
        for (std::size_t j = 0; j < kPourers; j += 2)
          left.push_back(pourers[j + 1 - i % 2]->HangUp());
      }
      // No pass answers more than the batch holds, so there has been a turn in between.
      if (finals != kWarm + UtteranceBatch::kMaxUtterances + 1) return;
      kept = std::count_if(left.begin(), left.end(),
                           [](const auto& session) { return !session.expired(); });
      done.set_value();
    }));
  }
  for (const auto& pourer : pourers) pourer->Pour();
  done.get_future().wait();
  for (const auto& pourer : pourers) pourer->Stop();
  pourers.clear();
  EXPECT_EQ(left.size(), kPourers / 2);
  EXPECT_EQ(kept, 0);
}

}  // namespace
}  // namespace lethe
