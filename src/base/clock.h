#pragma once

// Time as an argument: what depends on the hour takes a Clock, so that a test of a deadline in a
// month takes a millisecond.

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/units.h"

namespace lethe {

/// A moment by the calendar, UTC, in milliseconds.
using WallTime = std::chrono::sys_time<Millis>;

/// Thread: any
class Clock {
 public:
  virtual ~Clock() = default;

  /// The time of day; may be set back by whoever runs the machine.
  virtual WallTime Now() const = 0;
};

/// The machine's clock.
const Clock& SystemClock();

/// A clock that stands until it is moved. For tests.
class ManualClock : public Clock {
 public:
  explicit ManualClock(WallTime now) : millis_(now.time_since_epoch().count()) {}
  WallTime Now() const override { return WallTime(Millis(millis_.load())); }
  void Set(WallTime now) { millis_ = now.time_since_epoch().count(); }
  void Advance(Millis by) { millis_ += by.count(); }

 private:
  std::atomic<std::int64_t> millis_;
};

}  // namespace lethe
