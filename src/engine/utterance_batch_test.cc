// Goal:   within the batch, too, everybody comes up in the end.
// Method: the batch alone, step by step, with the made-up model of tests/support/fake_models.h.

#include "engine/internal/utterance_batch.h"

#include <gmock/gmock.h>

#include "tests/support/fake_models.h"

namespace lethe {
namespace {

Request RequestOf(int word, Priority priority, std::function<void(Request::Answer)> done) {
  std::vector<float> samples(MillisToSamples(SegmenterOptions{}.padding), 0.0f);
  samples.resize(samples.size() + kSampleRate / 2, LoudnessOf(word));
  return {.utterance = {.samples = std::move(samples)},
          .priority = priority,
          .draft = {},
          .promised = {},
          .hot_words = {},
          .cancelled = {},
          .done = std::move(done)};
}

TEST(UtteranceBatchTest, AnUnsureRecordingIsSearchedJointlyThoughLiveFinalsAreUnsureToo) {
  const FakeModel model;
  UtteranceBatch batch(model, HearingOptions{});
  int finals = 0, recordings = 0;
  const auto recording = [&](const Request::Answer& answer) {
    EXPECT_EQ(answer.segment.text, "w40 w40");
    ++recordings;
  };
  batch.Add(RequestOf(kHardWord, Priority::kRecording, recording));
  batch.Add(RequestOf(kHardWord, Priority::kRecording, recording));
  while (recordings < 2 && finals < 500) {
    while (batch.HasRoom(Priority::kLiveFinal)) {
      batch.Add(RequestOf(kHardWord, Priority::kLiveFinal,
                          [&finals](const Request::Answer&) { ++finals; }));
    }
    batch.Step([] { return false; });
  }
  EXPECT_EQ(recordings, 2);
  EXPECT_LE(finals, 100);
}

}  // namespace
}  // namespace lethe
