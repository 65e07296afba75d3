#pragma once

// What recordings have waiting for the shards.

#include <atomic>
#include <deque>
#include <functional>
#include <optional>

#include "base/mutex.h"
#include "engine/internal/request.h"

namespace lethe {

/// Requests that any shard may take. How many wait is bounded by who adds: a stream waits while too
/// many of its own are under way.
///
/// Thread: any
class RecordingQueue {
 public:
  /// Wakes a shard that has nothing to do, if there is one.
  using WakeOne = std::function<void()>;

  /// Before the first Add().
  void SetWakeOne(WakeOne wake_one) { wake_one_ = std::move(wake_one); }

  void Add(Request request);
  /// The oldest request of this priority, or nothing.
  std::optional<Request> Take(Priority priority);
  /// Drops those that nobody waits for any more.
  void RemoveCancelled();
  bool Has(Priority priority) const { return count(priority).load() > 0; }
  int waiting() const { return count(Priority::kShortCall) + count(Priority::kRecording); }

 private:
  const std::atomic<int>& count(Priority priority) const {
    return counts_[static_cast<std::size_t>(priority)];
  }

  // Constant from the first Add() on.
  WakeOne wake_one_;
  // Any thread.
  Mutex mutex_;
  std::array<std::deque<Request>, kPriorities> waiting_ GUARDED_BY(mutex_);
  std::array<std::atomic<int>, kPriorities> counts_{};
};

}  // namespace lethe
