#pragma once

// How available the service was to an application in a month, from the rows of its calls, under
// three definitions side by side; what credit each gives; how long calls took.
//
// A call counts where it ended: that is when its caller was answered, and when an outage broke it.
// It is one of
//
//   succeeded      as FinishedCall says
//   server fault   failed through the service's own fault (service/meter.h says which are)
//   caller fault   failed otherwise: a wrong request, bad audio, the application's own limits, a
//                  client that left
//
// and the definitions are
//
//   minute rule    (contract, section 11) A minute is unavailable when calls ended in it and every
//   one
//                  was a server fault; one that succeeded, or that was the caller's fault, or no
//                  call at all, makes it available. Availability is 1 - unavailable minutes /
//                  minutes of the month.
//   five minutes   (as Amazon's ML language SLA for Transcribe has it) Of each five-minute interval
//   1 -
//                  server faults / all calls, 1 where there was no call; the mean of all intervals
//                  of the month.
//   requests       succeeded / (succeeded + server faults) of the whole month; 1 where there was
//                  neither. No other call softens it.
//
// Calls that ended in an excluded range (announced maintenance) are left out of all three, and of
// the times; minutes of the month are not fewer for it. A month that is not over is counted whole,
// and what is to come as available.
//
// What rows cannot show: calls that never became rows, because no node answered, because it was not
// known who called, or because the records could not be written (metric
// lethe_usage_rows_lost_total).

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "metering/calendar.h"
#include "metering/money.h"
#include "store/usage.h"

namespace lethe {

/// A share of one in parts of 10^9, rounded down, exactly: what is below 99.9 % is never shown as
/// 999'000'000.
using Billionths = std::int64_t;
inline constexpr Billionths kAllOfIt = 1'000'000'000;

/// "99.9000000 %".
std::string ShowPercent(Billionths share);

/// A share of the month's fee for an availability below the target. The contract's.
struct CreditStep {
  Billionths below = 0;
  int percent = 0;
};
inline constexpr std::array kContractCredits = {
    CreditStep{950'000'000, 50}, CreditStep{990'000'000, 20}, CreditStep{999'000'000, 10}};
inline constexpr Billionths kContractTarget = 999'000'000;

/// What is promised about the time that calls take beyond their audio; what is not set, is not.
struct LatencyObjectives {
  std::optional<Millis> p50, p95, p99;
};

struct TimeRange {
  WallTime begin, end;  // the second exclusive
};
inline constexpr std::size_t kMostExclusions = 1000;

struct SlaOptions {
  std::vector<TimeRange> excluded;
  LatencyObjectives objectives;
  /// How late the latest erasure was, where somebody knows (`lethe ledger verify` does).
  std::optional<Millis> erasure_lateness;
  std::optional<Millis> erasure_objective;
};

struct Availability {
  Billionths share = kAllOfIt;
  bool met = true;  // the target
  int percent = 0;  // of the fee, as credit
  MicroUnits credit = 0;
};

struct CallCounts {
  std::uint64_t succeeded = 0, server_faults = 0, caller_faults = 0;
  std::uint64_t all() const { return succeeded + server_faults + caller_faults; }
};

/// Nearest rank: the least time that so many of the calls did not exceed. To the millisecond below
/// a minute, above in whole seconds, upwards; 6 h and more are 6 h.
struct Percentiles {
  Millis p50{0}, p95{0}, p99{0};
};

struct InterfaceLevel {
  Interface interface = Interface::kSentence;
  CallCounts calls;
  // Of those that succeeded; none: nothing did.
  std::optional<Percentiles> time;    // from begin to end of a call
  std::optional<Percentiles> beyond;  // of it, what was more than its audio lasts
  std::optional<bool> objectives_met;
};

struct SlaReport {
  AppId app_id = 0;
  BilledMonth month;
  bool over = false, complete = false;  // as Bill's
  int minutes = 0, unavailable_minutes = 0;
  int intervals = 0, troubled_intervals = 0;  // of five minutes; with server faults
  CallCounts calls;
  std::uint64_t excluded_calls = 0;
  MicroUnits fee = 0;  // of the month; credits are shares of it and never more
  std::string currency;
  Availability minute_rule, five_minutes, requests;
  std::vector<InterfaceLevel> interfaces;  // that had calls
  std::optional<Millis> erasure_lateness;
  std::optional<bool> erasure_met;
};

/// Counts the calls of one application and month, in any order. Memory: about 10 MB at most
///
/// Thread: one
class SlaCounter {
 public:
  /// Errors: kInvalidArgument for more than kMostExclusions or ranges that end before they begin
  static Result<SlaCounter> Create(AppId app_id, const BilledMonth& month, SlaOptions options);
  SlaCounter(SlaCounter&&) noexcept;
  SlaCounter& operator=(SlaCounter&&) noexcept;
  ~SlaCounter();

  /// Calls of other months are left out.
  void Add(const FinishedCall& call);

  /// `fee` is the month's, as the bill has it.
  SlaReport Finish(WallTime now, MicroUnits fee, const std::string& currency) const;

 private:
  struct State;
  explicit SlaCounter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lethe
