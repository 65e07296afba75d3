#pragma once

// A clock for what must not be held too long: whoever sets the machine's clock back does not bring
// back what was over.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace lethe {

/// The machine's clock, but never behind what was seen before: when it was set back, time goes on
/// from there with the time that really passes. The latest moment seen is kept in a file, for the
/// next process; while none runs, a clock that is behind stands still.
///
/// A clock set ahead is believed: what is over by it is not found. But a leap while the process
/// runs is told, for nothing should be destroyed because of somebody's slip (see leapt()).
///
/// Thread: any. Lifetime: what it is given outlives it
class GuardedClock final : public Clock {
 public:
  using Elapsed = std::chrono::nanoseconds;

  /// Continues from the file, which need not be there. `elapsed` is a clock that never goes back;
  /// by default the machine's, which counts also while it sleeps.
  /// Errors: as ErrnoStatus(); kDataLoss when the file holds no moment
  static Result<std::unique_ptr<GuardedClock>> Open(const Clock& clock, std::string path,
                                                    std::function<Elapsed()> elapsed = {});

  WallTime Now() const override;

  /// How much later than expected the machine's clock was when it last leapt ahead, by a minute or
  /// more, and how long ago that was; zero if it never did.
  struct Leap {
    Millis by{0};
    Millis ago{0};
  };
  Leap leapt() const;

  /// How far the machine's clock is behind this one.
  Millis behind() const;

  /// Writes down what was seen. Errors: as ErrnoStatus()
  Status Save();

 private:
  GuardedClock(const Clock& clock, std::string path, std::function<Elapsed()> elapsed,
               WallTime seen);

  // Constant after construction.
  const Clock& clock_;
  const std::string path_;
  const std::function<Elapsed()> elapsed_;
  // Any thread.
  mutable Mutex mutex_;
  mutable WallTime seen_ GUARDED_BY(mutex_);
  mutable Elapsed seen_at_ GUARDED_BY(mutex_);
  mutable Millis leap_ GUARDED_BY(mutex_){0};
  mutable Elapsed leap_at_ GUARDED_BY(mutex_){0};
};

}  // namespace lethe
