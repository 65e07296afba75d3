// Goal:   what a live stream asks its shard for, and when it stops asking.
// Method: a session without a shard: the test listens, takes requests and answers them itself.

#include "engine/internal/live_session.h"

#include <random>

#include <gmock/gmock.h>

#include "tests/support/fake_models.h"

namespace lethe {
namespace {

// Speech goes on for ever, and how likely it is varies from window to window.
class ChangingActivity final : public VoiceActivityModel {
 public:
  explicit ChangingActivity(unsigned seed) : seed_(seed) {}
  int window_samples() const override { return 512; }
  std::unique_ptr<VoiceActivityState> NewState() const override {
    return std::make_unique<State>(seed_);
  }

 private:
  class State final : public VoiceActivityState {
   public:
    explicit State(unsigned seed) : random_(seed) {}
    void Push(std::span<const float> samples, std::vector<float>* probabilities) override {
      for (count_ += samples.size(); count_ >= 512; count_ -= 512) {
        probabilities->push_back(std::uniform_real_distribution<float>(0.6f, 1.0f)(random_));
      }
    }

   private:
    std::mt19937 random_;
    std::size_t count_ = 0;
  };

  const unsigned seed_;
};

class LiveSessionTest : public testing::Test {
 protected:
  void Open(const LiveOptions& options = {}) {
    session_ =
        std::make_shared<LiveSession>(activity_, SegmenterOptions{}, model_.tokenizer(), options,
                                      [this](const std::shared_ptr<LiveSession>&) { ++news_; });
  }

  // All in one piece, which the session hears at once.
  void HearAtOnce(std::initializer_list<std::pair<int, Millis>> sounds) {
    std::vector<float> samples, buffer;
    for (const auto& [word, length] : sounds) {
      AppendWord(word, static_cast<std::size_t>(MillisToSamples(length)), &samples);
    }
    ASSERT_EQ(*session_->PushSamples(samples), samples.size());
    ASSERT_EQ(session_->Listen(&buffer), samples.size());
  }

  // Pushes so much sound, silence where `word` is 0, and lets the session listen as long as it
  // wants to; returns how much it heard.
  Millis Hear(int word, Millis length) {
    std::vector<float> samples, buffer;
    AppendWord(word, static_cast<std::size_t>(MillisToSamples(length)), &samples);
    std::span<const float> rest = samples;
    std::size_t heard = 0;
    do {
      rest = rest.subspan(*session_->PushSamples(rest));
      heard += session_->Listen(&buffer);
    } while (session_->WantsToListen());
    return SamplesToMillis(static_cast<SampleIndex>(heard));
  }

  // Says something and pauses, until the final is asked for; takes it.
  Request AskEarly() {
    Hear(0, Millis(1'000));
    Hear(20, Millis(1'000));
    Hear(0, Millis(500));
    EXPECT_TRUE(session_->WantsFinal());
    EXPECT_FALSE(session_->WantsPartial());
    return session_->NextFinal();
  }

  static Request::Answer AnswerOf(const Request& request) {
    Request::Answer answer{
        .segment = {}, .tokens = {kFirstWord + 20}, .log_probabilities = {-0.1f}};
    answer.segment.text = "w20";
    answer.segment.num_tokens = 1;
    answer.segment.start = SamplesToMillis(request.utterance.start);
    return answer;
  }

  FakeModel model_;
  LoudnessActivity activity_;
  std::shared_ptr<LiveSession> session_;
  int news_ = 0;
};

TEST_F(LiveSessionTest, NoMoreIsHeardThanOneLongPartThatNobodyTakes) {
  Open({.partials = false});
  const Millis heard = Hear(20, Millis(60'000));
  // The longest part is 14 s.
  EXPECT_GE(heard, Millis(14'000));
  EXPECT_LE(heard, Millis(14'500));
  ASSERT_TRUE(session_->WantsFinal());
  const Request request = session_->NextFinal();
  EXPECT_TRUE(session_->WantsToListen());
  EXPECT_GT(Hear(20, Millis(60'000)), Millis(10'000));
  EXPECT_TRUE(session_->WantsFinal());
}

TEST_F(LiveSessionTest, ShortUtterancesThatNobodyTakesDoNotStopTheNext) {
  Open({.partials = false});
  for (int i = 0; i < 2; ++i) {
    Hear(20, Millis(300));
    Hear(0, Millis(1'000));
  }
  EXPECT_EQ(Hear(20, Millis(1'000)), Millis(1'000));
}

TEST_F(LiveSessionTest, AFinalThatSpeechOvertakesIsDropped) {
  Open();
  const Request early = AskEarly();
  EXPECT_EQ(early.course->wish, Course::Wish::kAsAsked);
  Hear(20, Millis(100));
  EXPECT_EQ(early.course->wish, Course::Wish::kNothing);
  EXPECT_FALSE(session_->WantsFinal());
  // The partial that is due has all that was said.
  ASSERT_TRUE(session_->WantsPartial());
  EXPECT_GT(session_->NextPartial().utterance.samples.size(), early.utterance.samples.size());
}

TEST_F(LiveSessionTest, AFinalThatSpeechOvertakesIsThePartialThatIsDueIfItIsNearlyThere) {
  Open();
  const Request early = AskEarly();
  early.course->being_written = true;
  session_->TakeEvents();
  Hear(20, Millis(100));
  EXPECT_EQ(early.course->wish, Course::Wish::kPartial);
  EXPECT_FALSE(session_->WantsPartial());  // one at a time
  Hear(20, Millis(1'000));
  EXPECT_FALSE(session_->WantsPartial());
  early.done(AnswerOf(early));
  const std::vector<StreamEvent> events = session_->TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, StreamEvent::Kind::kPartial);
  EXPECT_EQ(events[0].segment.text, "w20");
  EXPECT_TRUE(session_->WantsPartial());
}

TEST_F(LiveSessionTest, AFinalThatSpeechOvertakesIsDroppedWhereNoPartialIsDue) {
  Open({.partials = false});
  Request early = AskEarly();
  early.course->being_written = true;
  Hear(20, Millis(100));
  EXPECT_EQ(early.course->wish, Course::Wish::kNothing);

  Open({.partial_interval = Millis(5'000)});
  early = AskEarly();
  early.course->being_written = true;
  Hear(20, Millis(100));
  EXPECT_EQ(early.course->wish, Course::Wish::kNothing);

  // One pause, and within what is heard at once another: the later one's answer is the partial.
  Open();
  early = AskEarly();
  early.course->being_written = true;
  HearAtOnce({{20, Millis(50)}, {0, Millis(450)}});
  EXPECT_EQ(early.course->wish, Course::Wish::kNothing);
  EXPECT_TRUE(session_->WantsFinal());
}

TEST_F(LiveSessionTest, APartialThatCameDueBehindAnotherNeedsNoMoreSamples) {
  Open();
  Hear(20, Millis(1'000));
  ASSERT_TRUE(session_->WantsPartial());
  const Request first = session_->NextPartial();
  Hear(20, Millis(300));
  news_ = 0;
  first.done(AnswerOf(first));
  EXPECT_EQ(news_, 0);  // nothing is due yet
  Hear(20, Millis(300));
  ASSERT_TRUE(session_->WantsPartial());
  const Request second = session_->NextPartial();
  Hear(20, Millis(600));
  EXPECT_FALSE(session_->WantsPartial());
  news_ = 0;
  second.done(AnswerOf(second));
  EXPECT_TRUE(session_->WantsPartial());
  EXPECT_EQ(news_, 1);
}

TEST_F(LiveSessionTest, APauseInWhichSpeechIsCutEndsItsUtteranceThoughMoreIsHeardAtOnce) {
  Open();
  Hear(20, Millis(13'700));
  Hear(0, Millis(400));  // the longest part ends here
  ASSERT_TRUE(session_->WantsFinal());
  const Request part = session_->NextFinal();
  HearAtOnce({{0, Millis(250)}, {21, Millis(250)}});
  part.done(AnswerOf(part));
  std::vector<StreamEvent> events = session_->TakeEvents();
  ASSERT_GE(events.size(), 2u);
  EXPECT_EQ(events[events.size() - 2].kind, StreamEvent::Kind::kFinal);
  EXPECT_EQ(events[events.size() - 2].segment.text, "w20");
  EXPECT_EQ(events.back().kind, StreamEvent::Kind::kBegin);
  EXPECT_EQ(events.back().utterance, 1);
}

TEST_F(LiveSessionTest, AFinalAskedForEarlyIsTheFinalWhenItsEndpointComes) {
  Open();
  const Request early = AskEarly();
  Hear(0, Millis(500));
  EXPECT_EQ(early.course->wish, Course::Wish::kAsAsked);
  EXPECT_FALSE(session_->WantsFinal());
  early.done(AnswerOf(early));
  const std::vector<StreamEvent> events = session_->TakeEvents();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, StreamEvent::Kind::kFinal);
  EXPECT_EQ(events.back().segment.text, "w20");
}

TEST_F(LiveSessionTest, SpeechWithoutAPauseEndsUtterancesBetweenHalfAndAllOfWhatTheyMayBe) {
  for (const int most : {5'000, 13'000, 14'000, 14'001, 15'000, 17'500, 20'000, 24'000, 27'999,
                         28'000, 30'000, 45'000, 60'000, 90'000}) {
    for (unsigned seed = 0; seed < 4; ++seed) {
      const ChangingActivity activity(seed);
      session_ = std::make_shared<LiveSession>(
          activity, SegmenterOptions{}, model_.tokenizer(),
          LiveOptions{.partials = false, .max_utterance = Millis(most)},
          [](const std::shared_ptr<LiveSession>&) {});
      Millis last{0};
      for (int seconds = 0; seconds < most * 6 / 1'000; ++seconds) {
        Hear(20, Millis(1'000));
        while (session_->WantsFinal()) {
          Request request = session_->NextFinal();
          Request::Answer answer = AnswerOf(request);
          answer.segment.end =
              answer.segment.start +
              SamplesToMillis(static_cast<SampleIndex>(request.utterance.samples.size()));
          request.done(std::move(answer));
        }
        for (const StreamEvent& event : session_->TakeEvents()) {
          if (event.kind != StreamEvent::Kind::kFinal) continue;
          const Millis length = event.segment.end - event.segment.start;
          EXPECT_GE(length, Millis(most / 2 - 32)) << most;
          EXPECT_LE(length, Millis(most)) << most;
          EXPECT_NEAR(static_cast<double>((event.segment.start - last).count()), 0, 1);
          last = event.segment.end;
        }
      }
      EXPECT_GE(last, Millis(most * 2)) << most;
    }
  }
}

}  // namespace
}  // namespace lethe
