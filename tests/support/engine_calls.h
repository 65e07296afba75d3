#pragma once

// Callers of the engine: a recording and a live stream from their beginning to their end.

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine.h"

namespace lethe {

/// All segments of a recording, pushed `step` samples at a time.
inline std::vector<Segment> TranscribeRecording(Engine& engine, std::span<const float> samples,
                                                std::size_t step,
                                                const StreamOptions& options = {}) {
  const auto stream = *engine.Open(options);
  for (std::size_t i = 0; i < samples.size(); i += step) {
    EXPECT_TRUE(stream->PushSamples(samples.subspan(i, std::min(step, samples.size() - i))).ok());
  }
  return *stream->Finish();
}

/// A live stream whose caller can wait for the next notice.
class LiveCaller {
 public:
  LiveCaller(Engine& engine, LiveOptions options) {
    options.notify = [notices = notices_] {
      ++*notices;
      notices->notify_all();
    };
    stream_ = *engine.OpenLive(options);
  }

  /// Pushes everything, `step` samples at a time, as fast as it is taken.
  void Push(std::span<const float> samples, std::size_t step) {
    while (!samples.empty()) {
      const int before = *notices_;
      const auto taken = stream_->PushSamples(samples.first(std::min(step, samples.size())));
      ASSERT_TRUE(taken.ok());
      samples = samples.subspan(*taken);
      Take();
      if (*taken == 0) notices_->wait(before);
    }
  }

  void AwaitFinals(std::size_t n) {
    for (int before = *notices_; Take(), Finals().size() < n; before = *notices_) {
      notices_->wait(before);
    }
  }

  /// All finals, after the audio has ended.
  std::vector<Segment> Finish() {
    stream_->Finish();
    for (int before = *notices_; !stream_->complete(); before = *notices_) {
      Take();
      notices_->wait(before);
    }
    Take();
    return Finals();
  }

  std::vector<Segment> Finals() const {
    std::vector<Segment> finals;
    for (const StreamEvent& event : events_) {
      if (event.kind == StreamEvent::Kind::kFinal) finals.push_back(event.segment);
    }
    return finals;
  }
  const std::vector<StreamEvent>& events() const { return events_; }

  void Take() {
    for (StreamEvent& event : stream_->TakeEvents()) events_.push_back(std::move(event));
  }
  /// Without a word: nothing is finished, nothing that is there is taken. Any thread.
  void HangUp() { stream_.reset(); }
  LiveStream& stream() { return *stream_; }
  /// How often it was notified; may be asked when it is gone.
  int notices() const { return *notices_; }

 private:
  const std::shared_ptr<std::atomic<int>> notices_ = std::make_shared<std::atomic<int>>(0);
  std::vector<StreamEvent> events_;
  std::unique_ptr<LiveStream> stream_;
};

inline std::vector<Segment> TranscribeLive(Engine& engine, std::span<const float> samples,
                                           std::size_t step, const LiveOptions& options = {}) {
  LiveCaller caller(engine, options);
  caller.Push(samples, step);
  return caller.Finish();
}

inline std::vector<std::string> TextsOf(const std::vector<Segment>& segments) {
  std::vector<std::string> texts;
  for (const Segment& segment : segments) texts.push_back(segment.text);
  return texts;
}

}  // namespace lethe
