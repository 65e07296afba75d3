#pragma once

// A month's bill of an application, and what each call was of it.
//
// Rounding: a line's fee is its charged volume times the price of its tier, rounded once to the
// micro-unit, a half upwards. Totals are sums of lines. Each call's share is the line's fee up to
// and including it less that before it, in the order in which calls ended: so the shares of a line
// add up to its fee, whatever they are, and each is within a micro-unit of the unrounded one.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "metering/calendar.h"
#include "metering/price_table.h"
#include "store/usage.h"

namespace lethe {

/// One interface in one period.
struct BillLine {
  Interface interface = Interface::kSentence;
  std::chrono::sys_days first, last;  // the period
  std::uint64_t calls = 0;            // that succeeded
  std::uint64_t failed = 0;           // cost nothing
  std::uint64_t seconds = 0;
  // What follows has no meaning where the table has no price.
  bool priced = false;
  PriceUnit unit = PriceUnit::kHour;
  std::int64_t charged = 0;  // seconds or calls that are not free
  std::int64_t free = 0;     // those that are
  std::size_t tier = 0;      // which one was reached, from 0
  MicroUnits price = 0;      // of it, an hour or a thousand calls
  MicroUnits fee = 0;

  bool operator==(const BillLine&) const = default;
};

struct Bill {
  AppId app_id = 0;
  BilledMonth month;
  std::string prices, currency;
  std::vector<BillLine> lines;  // by period, then by interface
  MicroUnits total = 0;
  /// Sum of what was written with the calls when they ended.
  MicroUnits provisional = 0;
  /// Whether the month is over, and none of its calls forgotten yet: a bill that is not complete is
  /// none.
  bool over = false, complete = false;
};

/// Adds up a month's calls, whatever their order.
class UsageSums {
 public:
  explicit UsageSums(std::chrono::minutes utc_offset) : utc_offset_(utc_offset) {}

  void Add(const FinishedCall& call);

  /// By day and interface, in that order.
  std::vector<DayUsage> ByDay() const;
  MicroUnits provisional() const { return provisional_; }

 private:
  const std::chrono::minutes utc_offset_;
  std::map<std::pair<std::chrono::sys_days, Interface>, DayUsage> sums_;
  MicroUnits provisional_ = 0;
};

/// Whether all calls of a month that has begun are still there at `now`.
bool IsComplete(const BilledMonth& month, WallTime now);

/// The bill of what `sums` says; days of other months are left out.
/// Errors: kResourceExhausted when a period has more than kMostVolume
Result<Bill> MakeBill(const PriceTable& prices, AppId app_id, const BilledMonth& month,
                      const UsageSums& sums, WallTime now);

/// What each call of a bill is of it.
///
/// Thread: one. Lifetime: the table outlives it
class CallShares {
 public:
  CallShares(const PriceTable& prices, const Bill& bill);

  /// The share of the next call, in the order of Usage::Calls().
  /// Errors: kFailedPrecondition for a call that the bill does not know
  Result<MicroUnits> Next(const FinishedCall& call);

  /// Says whether the calls were those of the bill. Errors: kUnavailable; read both again
  Status Finish() const;

 private:
  struct Line {
    const Price* price = nullptr;
    std::size_t tier = 0;
    std::int64_t left_free = 0, charged = 0;  // so far
    MicroUnits fee = 0;                       // so far
    MicroUnits whole_fee = 0;
    std::int64_t whole_charged = 0;
  };
  Line* Find(const FinishedCall& call);

  const PriceTable& prices_;
  const BilledMonth month_;
  std::map<std::pair<std::chrono::sys_days, Interface>, Line> lines_;  // by their first days
};

}  // namespace lethe
