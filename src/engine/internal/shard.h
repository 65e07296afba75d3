#pragma once

// A core's share of the engine.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "engine/internal/live_session.h"
#include "engine/internal/recording_queue.h"
#include "engine/internal/utterance_batch.h"

namespace lethe {

/// One thread with its batch. It owns the hearing and the decoding of its live sessions outright,
/// and takes from the recordings' queue what it has room for.
///
/// Who comes next: live finals, live partials, short calls, recordings. Who was passed over often
/// enough gets the next free place, so that nobody starves.
///
/// A turn is some hearing, what is admitted then, and one step of the batch. How much it hears is
/// bounded: first sessions at the pace of speech, then those that pour, each by turns, and of these
/// little while somebody else waits for an answer.
class Shard {
 public:
  Shard(const SpeechModel& model, const HearingOptions& hearing, RecordingQueue& recordings);
  /// Stops after the pass that is running; what is waiting is dropped.
  ~Shard();

  /// Any thread: this session of the shard has something for it.
  void AddNews(std::shared_ptr<LiveSession> session);
  /// Any thread: wakes the shard if it has nothing to do; false if it has.
  bool WakeIfIdle();

  /// Any thread: how long it was at work, passes that are over.
  std::chrono::nanoseconds busy() const { return std::chrono::nanoseconds(busy_.load()); }

  /// Any thread: sessions that are open on this shard; kept by who opens them.
  std::atomic<int> num_sessions = 0;

 private:
  void Work();
  bool WaitForWork();
  void TakeNews();
  void Forget(const std::shared_ptr<LiveSession>& session);
  void ListToListen(const std::shared_ptr<LiveSession>& session);
  void Listen();
  void ListenTo(std::deque<std::shared_ptr<LiveSession>>* sessions, std::size_t samples);
  bool SomebodyWaits() const;
  void List(const std::shared_ptr<LiveSession>& session);
  void Admit();
  std::optional<Priority> Next();
  bool Waiting(Priority priority);
  std::optional<Request> Take(Priority priority);
  bool Interrupted() const;

  // Constant after construction.
  RecordingQueue& recordings_;

  // Any thread.
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::shared_ptr<LiveSession>> news_ GUARDED_BY(mutex_);
  std::atomic<bool> has_news_ = false;
  std::atomic<bool> idle_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> busy_ = 0;  // nanoseconds

  // Shard thread only.
  UtteranceBatch batch_;
  std::deque<std::shared_ptr<LiveSession>> finals_, partials_;  // sessions that want one
  std::deque<std::shared_ptr<LiveSession>> at_pace_, pouring_;  // sessions with something unheard
  std::array<int, kPriorities> passed_over_{};
  std::vector<std::shared_ptr<LiveSession>> taking_;
  std::vector<float> hearing_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace lethe
