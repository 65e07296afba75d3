#pragma once

// What is over is not found, whether or not it is still there; that it is not there for long is the
// sweeper's work. It walks over everything that forgets, in small batches, before anybody may ask
// and every few seconds from then on.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

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
  // While it says true nothing is removed: somebody may have set the clock wrong. May be empty.
  std::function<bool()> held;
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
  struct Entry {
    Forgetter forgetter;
    Report report;
    Time::time_point clean_since;
  };

  Status SweepAll(int rest);
  Status SweepOne(Entry& entry, int rest);
  void Run();

  const SweeperOptions options_;
  mutable std::mutex mutex_;  // of reports and `stopping_`
  std::mutex sweeping_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lethe
