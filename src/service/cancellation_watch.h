#pragma once

// Ends the calls that this node has under way and that somebody else, another node or a command,
// has erased.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>

#include "base/status.h"
#include "base/units.h"
#include "service/calls_under_way.h"
#include "service/meter.h"
#include "store/store.h"

namespace lethe {

/// Looks every second for what was asked of calls (store/cancellations.h) since it began. Of calls
/// that end between the erasure and the look, it erases what the meter wrote of them: so it may
/// reach a call that began within that second.
///
/// Thread: any. Lifetime: the parts outlive it
class CancellationWatch {
 public:
  struct Parts {
    Store& store;
    CallsUnderWay& calls;
    Meter& meter;
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

  /// This one was asked from here, and done.
  void Skip(CancellationNumber number);

  /// From now on, every interval, on a thread of its own.
  void Start();
  void Stop();

 private:
  Status Apply(const Cancellation& cancellation);
  bool IsDone(CancellationNumber number) const;
  void Run();

  const Parts parts_;
  const Millis interval_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  CancellationNumber seen_ = 0;        // the largest
  std::set<CancellationNumber> done_;  // those that are looked at again
  bool stopping_ = false;
  std::mutex looking_;
  std::thread thread_;
};

}  // namespace lethe
