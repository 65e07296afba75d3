// Goal:   what a live stream asks its shard for, and when it stops asking.
// Method: a session without a shard: the test listens, takes requests and answers them itself.

#include "engine/internal/live_session.h"

#include <gmock/gmock.h>

#include "tests/support/fake_models.h"

namespace lethe {
namespace {

class LiveSessionTest : public testing::Test {
 protected:
  void Open(const LiveOptions& options = {}) {
    session_ = std::make_shared<LiveSession>(activity_, SegmenterOptions{}, model_.tokenizer(),
                                             options, [](const std::shared_ptr<LiveSession>&) {});
  }

  // Pushes so much sound, silence where `word` is 0, and lets the session listen as long as it
  // wants to; returns how much it heard.
  Millis Hear(int word, Millis length) {
    const std::vector<float> samples(static_cast<std::size_t>(MillisToSamples(length)),
                                     LoudnessOf(word));
    std::span<const float> rest = samples;
    std::vector<float> buffer;
    std::size_t heard = 0;
    do {
      rest = rest.subspan(*session_->PushSamples(rest));
      heard += session_->Listen(&buffer);
    } while (session_->WantsToListen());
    return SamplesToMillis(static_cast<SampleIndex>(heard));
  }

  FakeModel model_;
  LoudnessActivity activity_;
  std::shared_ptr<LiveSession> session_;
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

}  // namespace
}  // namespace lethe
