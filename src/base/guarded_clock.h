#pragma once

// A clock for what must not be held too long, nor destroyed too soon: whoever sets the machine's
// clock back does not bring back what was over, and a slip ahead can be taken back.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace lethe {

/// The machine's clock, but never behind what was seen before, and not believed at once when it
/// leaps ahead.
///
/// | the machine's clock                | this clock                                           |
/// |------------------------------------|------------------------------------------------------|
/// | goes on, also ahead by less than   | is the machine's                                     |
/// | kLeap                              |                                                      |
/// | is set back                        | goes on with the time that passes: behind()          |
/// | leaps ahead by kLeap or more       | goes on with the time that passes while that is in   |
/// |                                    | doubt, so nothing is destroyed for it: leap()        |
/// | - comes back within kDoubt         | is the machine's again, as if nothing had been       |
/// | - leaps again within kDoubt        | doubts for kDoubt from then                          |
/// | - goes on for kDoubt               | is the machine's; what was stored meanwhile is as    |
/// |                                    | old as all else                                      |
///
/// Nobody gains time by setting the machine's clock, for what passes always passes here too. What
/// is known is kept in a file, beside what the machine's clock said then. At a start nobody can
/// tell a leap from a long rest; so what was over meanwhile is over at once:
///
/// | when it was saved                  | since then the machine's | this clock at the start    |
/// |------------------------------------|--------------------------|----------------------------|
/// | they were one                      | went on                  | is the machine's           |
/// | this one was ahead by kBehind      | went on                  | went on as much            |
/// | a leap was in doubt                | went on                  | went on as much; the doubt |
/// |                                    |                          | begins anew                |
/// | any                                | was set back             | stands where it was        |
///
/// and is never behind the machine's then, but for a leap in doubt.
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

  /// By less than this clocks are corrected every day. It is told to nobody, and made up for while
  /// no process runs.
  static constexpr Millis kBehind = std::chrono::minutes(1);
  /// So far ahead nobody corrects a clock that was right.
  static constexpr Millis kLeap = std::chrono::hours(1);
  /// How long somebody has to put a clock right that was set wrong.
  static constexpr Millis kDoubt = std::chrono::minutes(10);

  WallTime Now() const override;

  /// How far the machine's clock is ahead of this one while that is in doubt; zero otherwise.
  Millis leap() const;

  /// How far the machine's clock is behind this one.
  Millis behind() const;

  /// Writes down what is known. On a full disk it is written where it was, which needs no room.
  /// Errors: as ErrnoStatus()
  Status Save();

 private:
  struct Saved {
    WallTime time;     // of this clock
    WallTime machine;  // of the machine's
  };
  GuardedClock(const Clock& clock, std::string path, std::function<Elapsed()> elapsed,
               const Saved& saved);
  static Result<Saved> Read(const std::string& path);

  // Both clocks, as they are now.
  Saved Look() const EXCLUDES(mutex_);

  // Constant after construction.
  const Clock& clock_;
  const std::string path_;
  const std::function<Elapsed()> elapsed_;
  // Any thread. It was seen_ when seen_at_ had passed.
  mutable Mutex mutex_;
  mutable WallTime seen_ GUARDED_BY(mutex_);
  mutable Elapsed seen_at_ GUARDED_BY(mutex_);
  // The leap in doubt, and when it was seen first; none is zero.
  mutable Millis leap_ GUARDED_BY(mutex_){0};
  mutable Elapsed leapt_at_ GUARDED_BY(mutex_){0};
};

}  // namespace lethe
