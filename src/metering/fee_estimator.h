#pragma once

// The fee that a call's row is written with, before anybody knows which tier the period will reach.

#include <chrono>
#include <map>
#include <span>
#include <tuple>

#include "base/clock.h"
#include "metering/calendar.h"
#include "metering/price_table.h"
#include "store/usage.h"

namespace lethe {

/// Provisional fees: of each call, what of its volume is not free, at the price of the tier that
/// its period has reached with it, rounded by itself. What the calls of a period cost in the end is
/// told by the bill (metering/bill.h), and is less when a later call reaches a cheaper tier.
///
/// What was used before is asked of the records, when a day has its first call here and once an
/// hour after that: in between, calls that other nodes wrote are not seen. While the records do not
/// answer, what is known counts.
///
/// Thread: one at a time. Lifetime: `usage` and `clock` outlive it
class FeeEstimator {
 public:
  FeeEstimator(PriceTable prices, Usage& usage, const Clock& clock,
               std::chrono::minutes utc_offset = kChinaOffset);

  /// Sets the fees of calls that are about to be recorded, in this order.
  void Price(std::span<FinishedCall> calls);

 private:
  // An application's use of an interface on a day. A call belongs to the day on which it ended.
  using Key = std::tuple<std::chrono::sys_days, AppId, Interface>;
  struct Used {
    std::int64_t month_before = 0;  // of the month's days before it
    std::int64_t day = 0;
    WallTime asked;  // when the records were
  };

  Used& UsedBy(const FinishedCall& call, const struct Price& price);

  const PriceTable prices_;
  Usage& usage_;
  const Clock& clock_;
  const std::chrono::minutes utc_offset_;
  std::map<Key, Used> used_;
};

}  // namespace lethe
