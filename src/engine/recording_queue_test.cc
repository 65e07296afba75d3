// Goal:   nothing of a recording stays in the queue when its caller has gone.
// Method: a stream and the queue, and no shard that would take anything.

#include "engine/internal/recording_queue.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "engine/internal/recording_stream.h"
#include "tests/support/fake_models.h"

namespace lethe {
namespace {

TEST(RecordingQueueTest, WhatACallerThatHasGoneHadWaitingGoesWithIt) {
  RecordingQueue queue;
  queue.SetWakeOne([] {});
  std::atomic<std::uint64_t> heard = 0;
  const LoudnessActivity activity;
  const auto open = [&](Stream** stream) {
    auto opened = std::make_unique<RecordingStream>(activity, SegmenterOptions{}, StreamOptions{},
                                                    queue, heard, nullptr);
    *stream = opened.get();
    return opened;
  };
  Stream* stream = nullptr;
  const auto stays = open(&stream);
  ASSERT_TRUE(stream->PushSamples(SpeechOf({20, 21})).ok());
  auto leaves = open(&stream);
  // Some of it beyond the first minute.
  std::vector<int> words = {22, 23, 24};
  ASSERT_TRUE(stream->PushSamples(SpeechOf(words)).ok());
  ASSERT_TRUE(stream->PushSamples(std::vector<float>(60 * kSampleRate, 0.0f)).ok());
  ASSERT_TRUE(stream->PushSamples(SpeechOf(words)).ok());
  EXPECT_EQ(queue.waiting(), 8);
  EXPECT_TRUE(queue.Has(Priority::kRecording));
  leaves.reset();
  EXPECT_EQ(queue.waiting(), 2);
  EXPECT_FALSE(queue.Has(Priority::kRecording));
  for (int word : {20, 21}) {
    const auto request = queue.Take(Priority::kShortCall);
    ASSERT_TRUE(request.has_value());
    const std::vector<float>& samples = request->utterance.samples;
    EXPECT_EQ(*std::max_element(samples.begin(), samples.end()), LoudnessOf(word));
  }
}

TEST(RecordingQueueTest, WhoIsCancelledWaitsForNobody) {
  RecordingQueue queue;
  queue.SetWakeOne([] {});
  std::atomic<std::uint64_t> heard = 0;
  const LoudnessActivity activity;
  // Some that would wait at the end, and more than may wait for a shard.
  for (const std::size_t count : {3U, 30U}) {
    RecordingStream stream(activity, SegmenterOptions{}, {.cancelled = [] { return true; }}, queue,
                           heard, nullptr);
    Status status = stream.PushSamples(SpeechOf(std::vector<int>(count, 20)));
    if (status.ok()) status = stream.Finish().status();
    EXPECT_EQ(status.code(), StatusCode::kCancelled) << count;
  }
  EXPECT_EQ(queue.waiting(), 0);
}

}  // namespace
}  // namespace lethe
