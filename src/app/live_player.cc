#include "app/live_player.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "base/mutex.h"

namespace lethe {
namespace {

constexpr std::size_t kChunk = kSampleRate / 10;
constexpr auto kTick = std::chrono::milliseconds(5);

}  // namespace

class LivePlayer::Speaker {
 public:
  Speaker(Voice voice, double pace)
      : voice_(std::move(voice)), pace_(pace), begin_(Clock::now() + voice_.start_after) {}

  Status Open(Engine& engine, LiveOptions options) {
    options.notify = [this] { TakeEvents(); };
    ASSIGN_OR_RETURN(stream_, engine.OpenLive(options));
    live_ = stream_.get();
    return OkStatus();
  }

  ~Speaker() {
    stream_.reset();  // no event after this
    if (voice_.on_end) voice_.on_end();
  }

  // Pushes what is due; returns how many samples found no room.
  std::size_t Speak(Clock::time_point now) {
    while (!finished_ && now >= Due()) {
      if (chunk_.empty() && !NextChunk()) {
        finished_ = true;
        stream_->Finish();
        break;
      }
      // Stamped before it is pushed: its events may come at once.
      const std::size_t pushed = static_cast<std::size_t>(pushed_samples_) + chunk_.size();
      Stamp(pushed, now);
      const Result<std::size_t> taken = stream_->PushSamples(chunk_);
      LETHE_CHECK(taken.ok());
      pushed_samples_ += static_cast<SampleIndex>(*taken);
      chunk_ = chunk_.subspan(*taken);
      if (!chunk_.empty()) return chunk_.size();
    }
    return 0;
  }

  bool ended(Clock::time_point now) const {
    const bool hung_up = voice_.hang_up_after.count() > 0 && now >= begin_ + voice_.hang_up_after;
    return hung_up || (finished_ && stream_->complete() && all_taken_);
  }

 private:
  Clock::time_point Due() const {
    const double seconds = static_cast<double>(pushed_samples_) / kSampleRate / pace_;
    return begin_ +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  bool NextChunk() {
    while (samples_ == nullptr || at_ >= samples_->size()) {
      samples_ = voice_.next();
      at_ = 0;
      if (samples_ == nullptr) return false;
    }
    chunk_ = std::span(*samples_).subspan(at_, std::min(kChunk, samples_->size() - at_));
    at_ += chunk_.size();
    return true;
  }

  void Stamp(std::size_t pushed_samples, Clock::time_point now) {
    const MutexLock lock(mutex_);
    stamps_[next_stamp_++ % stamps_.size()] = {
        SamplesToMillis(static_cast<SampleIndex>(pushed_samples)), now};
  }

  // When the audio up to this place was pushed.
  Clock::time_point PushedAt(Millis heard) {
    const MutexLock lock(mutex_);
    Clock::time_point at{};
    const std::size_t count = std::min(next_stamp_, stamps_.size());
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [until, when] = stamps_[(next_stamp_ - 1 - i) % stamps_.size()];
      if (until < heard && i > 0) break;
      at = when;
    }
    return at;
  }

  void TakeEvents() {
    const Clock::time_point now = Clock::now();
    const bool complete = live_->complete();
    for (const StreamEvent& event : live_->TakeEvents()) {
      const std::chrono::duration<double, std::milli> latency = now - PushedAt(event.heard);
      voice_.on_event(event, latency.count());
    }
    if (complete) all_taken_ = true;
  }

  const Voice voice_;
  const double pace_;
  const Clock::time_point begin_;
  std::unique_ptr<LiveStream> stream_;
  // The same, for the engine's threads: the destructor sets stream_ to null before the stream is
  // gone, and events come until it is.
  LiveStream* live_ = nullptr;
  SharedSamples samples_;
  std::size_t at_ = 0;
  std::span<const float> chunk_;
  SampleIndex pushed_samples_ = 0;
  bool finished_ = false;
  std::atomic<bool> all_taken_ = false;
  Mutex mutex_;
  // The last 51 s of it: what comes later than that is late enough.
  std::array<std::pair<Millis, Clock::time_point>, 512> stamps_ GUARDED_BY(mutex_);
  std::size_t next_stamp_ GUARDED_BY(mutex_) = 0;
};

LivePlayer::LivePlayer(Engine& engine, LiveOptions options, double pace)
    : engine_(engine), options_(std::move(options)), pace_(pace) {}

LivePlayer::~LivePlayer() = default;

void LivePlayer::Add(Voice voice) {
  speaking_.push_back(std::make_unique<Speaker>(std::move(voice), pace_));
}

Status LivePlayer::Play(const std::function<bool()>& stop) {
  std::size_t opened = 0;
  while (!speaking_.empty() && !stop()) {
    for (; opened < speaking_.size(); ++opened) {
      RETURN_IF_ERROR(speaking_[opened]->Open(engine_, options_));
    }
    const Clock::time_point now = Clock::now();
    for (const auto& speaker : speaking_) {
      turned_away_ += static_cast<std::int64_t>(speaker->Speak(now));
    }
    // Their ends may add voices, so those that ended are taken out first.
    std::vector<std::unique_ptr<Speaker>> ended;
    for (auto& speaker : speaking_) {
      if (speaker->ended(now)) ended.push_back(std::move(speaker));
    }
    std::erase(speaking_, nullptr);
    opened = speaking_.size();
    ended.clear();
    std::this_thread::sleep_for(kTick);
  }
  return OkStatus();
}

}  // namespace lethe
