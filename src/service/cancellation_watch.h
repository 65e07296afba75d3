#pragma once

// Ends the calls that this node has under way and that somebody else, another node or a command,
// has erased.

#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "base/units.h"
#include "service/calls_under_way.h"
#include "service/meter.h"
#include "store/store.h"

namespace lethe {

/// Looks every second for what was asked of calls (store/cancellations.h) since it began. Of calls
/// that end between the erasure and the look, it erases what was written of them; so it may reach
/// one that began between the two. When the records did not answer for so long that something may
/// have been missed, all calls under way are ended.
///
/// Thread: any. Lifetime: the parts outlive it
class CancellationWatch {
 public:
  struct Parts {
    Store& store;
    CallsUnderWay& calls;
    Meter& meter;
    const Clock& clock;
  };
  explicit CancellationWatch(const Parts& parts, Millis interval = Millis(1'000))
      : parts_(parts), interval_(interval) {}
  ~CancellationWatch() { Stop(); }
  CancellationWatch(const CancellationWatch&) = delete;
  CancellationWatch& operator=(const CancellationWatch&) = delete;

  /// What was asked before is not looked at: it was about calls before this node began.
  /// Errors: as Store
  Status Begin();

  /// Looks once. Errors: as Store; what could not be done is done at the next look
  Status Look();

  /// How long ago the records last answered a look: up to about an interval when they do.
  Millis silence() const;

  /// This one was asked from here, and done.
  void Skip(const std::string& reference);

  /// From now on, every interval, on a thread of its own.
  void Start();
  void Stop();

 private:
  using Time = std::chrono::steady_clock;
  enum class Progress { kCancelled, kDone };

  void Cancel(const Cancellation& wanted);
  bool IsDone(const std::string& reference) const;
  void Run();

  // Constant after construction.
  const Parts parts_;
  const Millis interval_;
  // Held by who looks.
  Mutex looking_;
  // Any thread.
  mutable Mutex mutex_;
  CondVar changed_;
  WallTime looked_ GUARDED_BY(mutex_);  // the last time that was whole
  Time::time_point answered_ GUARDED_BY(mutex_) = Time::now();
  std::map<std::string, Progress> handled_ GUARDED_BY(mutex_);  // of what may be seen again
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lethe
