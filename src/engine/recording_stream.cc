#include "engine/internal/recording_stream.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/finite.h"

namespace lethe {
namespace {

// Segments of one stream that may wait for a shard or be with one: enough to fill the batches of
// two. At 14 s and 16 kHz each holds 0.9 MB, so a reader that is faster than the shards costs some
// megabytes, not the length of the recording.
constexpr std::size_t kMaxWaiting = 16;

// A recording no longer than this is a short call: somebody may be waiting for it.
constexpr SampleIndex kShortCall = SampleIndex{60} * kSampleRate;

// How often whoever waits asks whether there is still somebody to wait for.
constexpr Millis kLook{100};

}  // namespace

RecordingStream::RecordingStream(const VoiceActivityModel& voice_activity,
                                 const SegmenterOptions& segmenter, const StreamOptions& options,
                                 RecordingQueue& queue, std::atomic<std::uint64_t>& heard,
                                 std::shared_ptr<void> open)
    : options_(options),
      queue_(queue),
      heard_(heard),
      open_(std::move(open)),
      listener_(voice_activity, segmenter, Listener::Growth::kDoubling) {}

RecordingStream::~RecordingStream() {
  cancelled_->store(true);
  bool waits = false;
  {
    const MutexLock lock(exchange_->mutex);
    waits = exchange_->waiting > 0;
  }
  if (waits) queue_.RemoveCancelled();
}

Status RecordingStream::PushSamples(std::span<const float> samples) {
  LETHE_CHECK(!finished_);
  if (!AllFinite(samples)) return InvalidArgument("the audio holds values that are not numbers");
  while (!samples.empty()) {
    const auto step = samples.first(std::min(Listener::kMaxPush, samples.size()));
    samples = samples.subspan(step.size());
    heard_ += step.size();
    for (const HeardSpan& span : listener_.Push(step)) RETURN_IF_ERROR(Send(span));
  }
  return OkStatus();
}

std::vector<Segment> RecordingStream::TakeSegments() {
  const MutexLock lock(exchange_->mutex);
  return TakeLocked();
}

Result<std::vector<Segment>> RecordingStream::Finish() {
  if (!std::exchange(finished_, true)) {
    for (const HeardSpan& span : listener_.Finish()) RETURN_IF_ERROR(Send(span));
  }
  const MutexLock lock(exchange_->mutex);
  RETURN_IF_ERROR(AwaitAtMost(0));
  return TakeLocked();
}

Status RecordingStream::AwaitAtMost(std::size_t waiting) {
  while (exchange_->waiting > waiting) {
    if (!options_.cancelled) {
      exchange_->changed.Wait(exchange_->mutex);
      continue;
    }
    if (options_.cancelled()) return Cancelled("stopped before the end");
    const auto until = std::chrono::steady_clock::now() + kLook;
    (void)exchange_->changed.WaitUntil(exchange_->mutex, until);
  }
  return OkStatus();
}

std::vector<Segment> RecordingStream::TakeLocked() {
  std::vector<Segment> segments;
  auto& done = exchange_->done;
  while (!done.empty() && done.begin()->first == exchange_->next_published) {
    if (!done.begin()->second.text.empty()) segments.push_back(std::move(done.begin()->second));
    done.erase(done.begin());
    ++exchange_->next_published;
  }
  return segments;
}

Status RecordingStream::Send(const SpeechSpan& span) {
  Request request{.utterance = listener_.Copy(span),
                  .priority = span.end <= kShortCall ? Priority::kShortCall : Priority::kRecording,
                  .words = options_.words,
                  .alternatives = options_.alternatives,
                  .draft = {},
                  .promised = {},
                  .hot_words = options_.hot_words,
                  .cancelled = cancelled_,
                  .course = {},
                  .done = {}};
  if (request.utterance.samples.empty()) return OkStatus();
  std::size_t number = 0;
  {
    const MutexLock lock(exchange_->mutex);
    RETURN_IF_ERROR(AwaitAtMost(kMaxWaiting - 1));
    number = exchange_->next_number++;
    ++exchange_->waiting;
  }
  request.done = [exchange = exchange_, number,
                  channel = options_.channel](Request::Answer answer) {
    answer.segment.channel = channel;
    {
      const MutexLock lock(exchange->mutex);
      exchange->done.emplace(number, std::move(answer.segment));
      --exchange->waiting;
    }
    exchange->changed.NotifyAll();
  };
  queue_.Add(std::move(request));
  return OkStatus();
}

}  // namespace lethe
