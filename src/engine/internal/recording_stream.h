#pragma once

// A recording from its caller's side.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "engine/internal/listener.h"
#include "engine/internal/recording_queue.h"
#include "engine/stream.h"

namespace lethe {

/// Hears on the caller's thread and hands what was said to the shards.
class RecordingStream final : public Stream {
 public:
  /// `open` is held while the stream is open: the engine counts streams by it, and samples by
  /// `heard`.
  RecordingStream(const VoiceActivityModel& voice_activity, const SegmenterOptions& segmenter,
                  const StreamOptions& options, RecordingQueue& queue,
                  std::atomic<std::uint64_t>& heard, std::shared_ptr<void> open);
  ~RecordingStream() override;

  Status PushSamples(std::span<const float> samples) override;
  std::vector<Segment> TakeSegments() override;
  Result<std::vector<Segment>> Finish() override;

 private:
  // What the stream and the shards share. The stream's thread sends utterances, shards answer.
  struct Exchange {
    Mutex mutex;
    CondVar changed;
    std::size_t waiting GUARDED_BY(mutex) = 0;         // sent, not answered
    std::size_t next_number GUARDED_BY(mutex) = 0;     // of the next utterance
    std::size_t next_published GUARDED_BY(mutex) = 0;  // of the next segment to give out
    std::map<std::size_t, Segment> done GUARDED_BY(mutex);
  };

  Status Send(const SpeechSpan& span);
  // Waits until at most so many segments wait. Errors: kCancelled
  Status AwaitAtMost(std::size_t waiting) REQUIRES(exchange_->mutex);
  std::vector<Segment> TakeLocked() REQUIRES(exchange_->mutex);

  const StreamOptions options_;
  RecordingQueue& queue_;
  std::atomic<std::uint64_t>& heard_;
  const std::shared_ptr<void> open_;
  const std::shared_ptr<Exchange> exchange_ = std::make_shared<Exchange>();
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  Listener listener_;
  bool finished_ = false;
};

}  // namespace lethe
