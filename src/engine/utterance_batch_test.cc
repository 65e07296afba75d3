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
          .course = {},
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

TEST(UtteranceBatchTest, WhatIsWantedAsAPartialOnlyIsNotHeardASecondTime) {
  const FakeModel model;
  UtteranceBatch batch(model, HearingOptions{});
  std::string text;
  Request request = RequestOf(kHardWord, Priority::kLiveFinal,
                              [&text](const auto& answer) { text = answer.segment.text; });
  const auto course = request.course = std::make_shared<Course>();
  batch.Add(std::move(request));
  EXPECT_FALSE(course->being_written);
  batch.Step([] { return false; });
  EXPECT_TRUE(course->being_written);
  course->wish = Course::Wish::kPartial;
  while (!batch.empty()) batch.Step([] { return false; });
  EXPECT_EQ(text, "w41 w41");  // the second hearing would have made it w40
}

TEST(UtteranceBatchTest, WhatIsNotWantedAnyMoreLeavesAtOnceHoweverFarItHasCome) {
  const FakeModel model;
  int seen_unwritten = 0;
  for (int steps = 0; steps < 10; ++steps) {
    UtteranceBatch batch(model, HearingOptions{});
    Request request =
        RequestOf(kHardWord, Priority::kLiveFinal, [](const Request::Answer&) { ADD_FAILURE(); });
    const auto course = request.course = std::make_shared<Course>();
    batch.Add(std::move(request));
    int taken = 0;
    while (taken < steps && taken < 6) batch.Step([&taken] { return ++taken > 0; }), ++taken;
    if (!course->being_written) ++seen_unwritten;
    course->wish = Course::Wish::kNothing;
    batch.Step([] { return false; });
    EXPECT_TRUE(batch.empty()) << steps;
  }
  EXPECT_GE(seen_unwritten, 2);  // before its first hearing is written, and in its second
}

}  // namespace
}  // namespace lethe
