#pragma once

// What is over is not found, whether or not it is still there; that it is not there for long is the
// sweeper's work. It walks over everything that forgets, in small batches, before anybody may ask
// and every few seconds from then on.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/units.h"

namespace lethe {

/// Something that forgets.
struct Forgetter {
  std::string name;  // for people and metrics: "tasks"
  // Removes at most so much of what is over, and says how much it was.
  std::function<Result<int>(int limit)> remove_expired;
};

struct SweeperOptions {
  Millis interval{5'000};
  int batch = 20;  // at a time, so that calls find their turn in between
  // How many times as long as it was at work it rests between batches, once calls are served: a
  // tenth of the time is its own.
  int rest = 9;
};

/// Thread: any. Lifetime: what the forgetters use outlives it
class Sweeper {
 public:
  struct Report {
    std::string name;
    std::uint64_t removed = 0;   // since the start
    std::uint64_t failures = 0;  // sweeps that could not be finished
    std::string error;           // of the latest sweep; empty: it was finished
    // Nothing that is still there was over longer ago than this: the time since a sweep that left
    // nothing began.
    Millis lateness{0};
  };

  Sweeper(std::vector<Forgetter> forgetters, SweeperOptions options);
  ~Sweeper() { Stop(); }
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  /// Sweeps until nothing is left; before the port opens. Errors: the first of a forgetter, when
  /// all have had their turn
  Status SweepAll();

  /// From now on, every interval, on a thread of its own.
  void Start();
  void Stop();

  std::vector<Report> reports() const;

 private:
  using Time = std::chrono::steady_clock;
  // What became of a forgetter.
  struct Standing {
    Report report;
    Time::time_point clean_since;
  };

  Status SweepAll(int rest);
  Status SweepOne(std::size_t number, int rest);
  void Run();
  // Waits until then for the end; whether it has come.
  bool AwaitStop(Time::time_point until) REQUIRES(mutex_);

  // Constant after construction.
  const SweeperOptions options_;
  const std::vector<Forgetter> forgetters_;
  // Held by who sweeps.
  Mutex sweeping_;
  // Any thread.
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Standing> standings_ GUARDED_BY(mutex_);  // of forgetters_, in their order
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lethe
