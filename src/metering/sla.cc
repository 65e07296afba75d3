#include "metering/sla.h"

#include <algorithm>
#include <utility>

#include <boost/multiprecision/cpp_int.hpp>

#include "metering/internal/time_counts.h"

namespace lethe {
namespace {

using boost::multiprecision::cpp_int;

constexpr int kMinutesPerInterval = 5;

struct MinuteCounts {
  std::uint64_t calls = 0, server_faults = 0;
};

Availability Judge(Billionths share, MicroUnits fee) {
  Availability availability{.share = share, .met = share >= kContractTarget};
  for (const CreditStep& step : kContractCredits) {
    if (share >= step.below) continue;
    availability.percent = step.percent;
    break;
  }
  // A half upwards, as all money; in parts, for the product may have more than 64 bits.
  const MicroUnits part = (fee % 100 * availability.percent + 50) / 100;
  availability.credit = std::min(fee, fee / 100 * availability.percent + part);
  return availability;
}

// 1 - part / whole, rounded down.
Billionths Without(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return kAllOfIt;
  const cpp_int share = cpp_int(kAllOfIt) * (whole - part) / whole;
  return static_cast<Billionths>(share);
}

// The mean of 1 - faults / calls over `count` intervals, rounded down. The fractions are added with
// their least common denominator: a sum of rounded ones could be on the wrong side of a target.
Billionths MeanWithout(const std::map<std::uint64_t, std::uint64_t>& faults_by_calls, int count) {
  cpp_int denominator = 1;
  for (const auto& [calls, faults] : faults_by_calls) {
    denominator = boost::multiprecision::lcm(denominator, cpp_int(calls));
  }
  cpp_int faulty = 0;
  for (const auto& [calls, faults] : faults_by_calls) faulty += denominator / calls * faults;
  const cpp_int whole = denominator * count;
  return static_cast<Billionths>(cpp_int(kAllOfIt) * (whole - faulty) / whole);
}

bool Within(const std::optional<Millis>& objective, Millis time) {
  return !objective || time <= *objective;
}

}  // namespace

std::string ShowPercent(Billionths share) {
  const std::string digits = std::to_string(share % 10'000'000);
  return std::to_string(share / 10'000'000) + "." + std::string(7 - digits.size(), '0') + digits +
         " %";
}

struct SlaCounter::State {
  AppId app_id = 0;
  BilledMonth month;
  SlaOptions options;
  std::vector<MinuteCounts> minutes;
  std::uint64_t excluded_calls = 0;
  struct Level {
    CallCounts calls;
    TimeCounts time, beyond;
  };
  std::map<Interface, Level> interfaces;
};

SlaCounter::SlaCounter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SlaCounter::SlaCounter(SlaCounter&&) noexcept = default;
SlaCounter& SlaCounter::operator=(SlaCounter&&) noexcept = default;
SlaCounter::~SlaCounter() = default;

Result<SlaCounter> SlaCounter::Create(AppId app_id, const BilledMonth& month, SlaOptions options) {
  if (options.excluded.size() > kMostExclusions) {
    return InvalidArgument("at most " + std::to_string(kMostExclusions) + " ranges are excluded");
  }
  for (const TimeRange& range : options.excluded) {
    if (range.end < range.begin) return InvalidArgument("an excluded range ends before it begins");
  }
  auto state = std::make_unique<State>();
  state->app_id = app_id;
  state->month = month;
  state->options = std::move(options);
  state->minutes.resize(static_cast<std::size_t>(month.num_days()) * 24 * 60);
  return SlaCounter(std::move(state));
}

void SlaCounter::Add(const FinishedCall& call) {
  const BilledMonth& month = state_->month;
  if (call.end < month.begin() || call.end >= month.end()) return;
  const auto& excluded = state_->options.excluded;
  if (std::any_of(excluded.begin(), excluded.end(), [&](const TimeRange& range) {
        return call.end >= range.begin && call.end < range.end;
      })) {
    ++state_->excluded_calls;
    return;
  }
  const auto minute = std::chrono::floor<std::chrono::minutes>(call.end - month.begin()).count();
  MinuteCounts& counts = state_->minutes[static_cast<std::size_t>(minute)];
  State::Level& level = state_->interfaces[call.interface];
  ++counts.calls;
  if (call.succeeded) {
    const Millis time = std::max(Millis(0), call.end - call.start);
    ++level.calls.succeeded;
    level.time.Add(time);
    level.beyond.Add(std::max(Millis(0), time - call.audio));
  } else if (call.server_fault) {
    ++counts.server_faults;
    ++level.calls.server_faults;
  } else {
    ++level.calls.caller_faults;
  }
}

SlaReport SlaCounter::Finish(WallTime now, MicroUnits fee, const std::string& currency) const {
  const BilledMonth& month = state_->month;
  const std::vector<MinuteCounts>& minutes = state_->minutes;
  SlaReport report{.app_id = state_->app_id,
                   .month = month,
                   .over = now >= month.end(),
                   .complete = now < month.begin() + kUsageLifetime,
                   .minutes = static_cast<int>(minutes.size()),
                   .intervals = static_cast<int>(minutes.size()) / kMinutesPerInterval,
                   .excluded_calls = state_->excluded_calls,
                   .fee = fee,
                   .currency = currency};
  std::map<std::uint64_t, std::uint64_t> faults_by_calls;
  for (std::size_t first = 0; first < minutes.size(); first += kMinutesPerInterval) {
    MinuteCounts interval;
    for (std::size_t i = first; i < first + kMinutesPerInterval; ++i) {
      interval.calls += minutes[i].calls;
      interval.server_faults += minutes[i].server_faults;
      const bool down = minutes[i].calls > 0 && minutes[i].server_faults == minutes[i].calls;
      report.unavailable_minutes += down ? 1 : 0;
    }
    if (interval.server_faults == 0) continue;
    ++report.troubled_intervals;
    faults_by_calls[interval.calls] += interval.server_faults;
  }
  const LatencyObjectives& wanted = state_->options.objectives;
  for (const auto& [interface, level] : state_->interfaces) {
    InterfaceLevel& shown = report.interfaces.emplace_back(
        InterfaceLevel{.interface = interface, .calls = level.calls});
    shown.time = level.time.percentiles();
    shown.beyond = level.beyond.percentiles();
    if (shown.beyond && (wanted.p50 || wanted.p95 || wanted.p99)) {
      shown.objectives_met = Within(wanted.p50, shown.beyond->p50) &&
                             Within(wanted.p95, shown.beyond->p95) &&
                             Within(wanted.p99, shown.beyond->p99);
    }
    report.calls.succeeded += level.calls.succeeded;
    report.calls.server_faults += level.calls.server_faults;
    report.calls.caller_faults += level.calls.caller_faults;
  }
  const auto down = static_cast<std::uint64_t>(report.unavailable_minutes);
  report.minute_rule = Judge(Without(down, minutes.size()), fee);
  report.five_minutes = Judge(MeanWithout(faults_by_calls, report.intervals), fee);
  report.requests = Judge(
      Without(report.calls.server_faults, report.calls.succeeded + report.calls.server_faults),
      fee);
  report.erasure_lateness = state_->options.erasure_lateness;
  if (report.erasure_lateness && state_->options.erasure_objective) {
    report.erasure_met = *report.erasure_lateness <= *state_->options.erasure_objective;
  }
  return report;
}

}  // namespace lethe
