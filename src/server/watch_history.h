#pragma once

// The last hour of this process, for whoever opens the console's page Watch in the middle of the
// night: made of the counters that /metrics has, a sample every ten seconds, in fixed memory. It
// tells how many calls there were and nothing about who made them. Of several processes that serve
// one database each has its own.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/engine.h"
#include "service/call_figures.h"
#include "store/interface.h"

namespace lethe {

inline constexpr std::chrono::seconds kWatchInterval{10};
inline constexpr std::size_t kWatchSamples = 360;  // an hour

/// What counters and gauges say at a moment.
struct WatchCounts {
  // Since the start. Calls are in the order of kInterfaces.
  std::array<CallFigures, kInterfaces.size()> calls{};
  std::uint64_t refused = 0;    // by a full pool
  std::uint64_t rows_lost = 0;  // of usage
  // Now, but for what the engine heard and how long it was at work, which is since the start.
  EngineFigures engine;
  std::uint64_t calls_waiting = 0;  // in pools
  Millis erasure_late{0};           // the latest of all that is swept
  Millis ledger_late{0};
  bool held = false;            // the clock leapt ahead, and is not believed yet
  Millis clock_behind{0};       // how far it is behind the time that counts here
  bool ledger_is_ours = false;  // whether this process writes it
  std::uint64_t resident_bytes = 0, memory_limit = 0;
  std::optional<std::uint64_t> disk_size, disk_free;
  double started = 0;  // the process, seconds since 1970
};

/// How long calls took of which so many took no longer.
struct LatencyQuantiles {
  std::chrono::duration<double> p50{0}, p95{0}, p99{0};
  bool operator==(const LatencyQuantiles&) const = default;
};

/// Quantiles of counts by CallFigures::kBounds, taken to be spread evenly in each bucket, as
/// Prometheus' histogram_quantile() does: what lies above the last bound is that bound. None
/// without calls.
std::optional<LatencyQuantiles> QuantilesOf(
    const std::array<std::uint64_t, CallFigures::kBounds.size() + 1>& lasted);

/// What happened between two looks, and what was so at the second.
struct WatchSample {
  struct Calls {
    std::uint64_t ended = 0;
    std::uint64_t faults = 0;  // of these, failed by the service's own fault
  };

  std::uint64_t number = 0;  // from 1, without gaps
  WallTime time;             // of the second look, as the clock said
  std::chrono::duration<double> lasted{0};
  std::array<Calls, kInterfaces.size()> calls{};  // in the order of kInterfaces
  // Of calls that somebody waits for: sentences, flash, OpenAI's transcriptions.
  std::optional<LatencyQuantiles> latency;
  std::uint64_t refused = 0, rows_lost = 0;
  std::chrono::duration<double> heard{0};  // audio
  // Compute time over audio time; none when less than a second was heard, which would say little.
  std::optional<double> rtf;
  int live_streams = 0, recordings = 0;
  std::uint64_t calls_waiting = 0, stretches_waiting = 0;
  Millis erasure_late{0}, ledger_late{0};
  std::uint64_t resident_bytes = 0;
};

/// Thread: any. Memory: kWatchSamples samples, whatever happens
class WatchHistory {
 public:
  using Steady = std::chrono::steady_clock;

  explicit WatchHistory(std::size_t most = kWatchSamples) : most_(most) { ring_.reserve(most); }

  /// Whether it is time for another look.
  bool IsDue(Steady::time_point now = Steady::now()) const;

  /// Takes a look; the second one makes the first sample. A counter that is less than it was has
  /// begun anew, and counts from zero.
  void Add(const WatchCounts& counts, WallTime time, Steady::time_point now = Steady::now());

  /// The samples behind that number, oldest first. A number that was not there yet is of another
  /// process: then all.
  std::vector<WatchSample> After(std::uint64_t number) const;

 private:
  const std::size_t most_;
  mutable Mutex mutex_;
  std::optional<WatchCounts> before_ GUARDED_BY(mutex_);
  Steady::time_point looked_ GUARDED_BY(mutex_);
  std::uint64_t last_ GUARDED_BY(mutex_) = 0;         // number of the newest sample
  std::vector<WatchSample> ring_ GUARDED_BY(mutex_);  // number n is at (n - 1) % most_
};

}  // namespace lethe
