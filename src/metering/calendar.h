#pragma once

// Months and days as a customer's calendar has them.

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace lethe {

/// The calendar of the contract.
inline constexpr std::chrono::minutes kChinaOffset = std::chrono::hours(8);

/// A calendar month at an offset from UTC, which stays the same all month.
struct BilledMonth {
  std::chrono::year_month month;
  std::chrono::minutes utc_offset = kChinaOffset;

  std::chrono::sys_days first_day() const { return month / 1; }
  std::chrono::sys_days last_day() const { return month / std::chrono::last; }
  int num_days() const { return (last_day() - first_day()).count() + 1; }
  WallTime begin() const { return first_day() - utc_offset; }
  WallTime end() const { return begin() + std::chrono::days(num_days()); }
};

/// The day on which it is `time` there.
std::chrono::sys_days DayOf(WallTime time, std::chrono::minutes utc_offset);

/// Reads "2026-10" and "2026-10-31". Errors: kInvalidArgument
Result<std::chrono::year_month> ParseMonth(std::string_view text);
Result<std::chrono::sys_days> ParseDay(std::string_view text);
/// Reads "2026-10-31T23:59" as it is shown by clocks there. Errors: kInvalidArgument
Result<WallTime> ParseMinute(std::string_view text, std::chrono::minutes utc_offset);
/// Reads "+08:00", "-03:30", "UTC". Errors: kInvalidArgument; more than 14 hours
Result<std::chrono::minutes> ParseOffset(std::string_view text);

std::string ShowMonth(std::chrono::year_month month);
std::string ShowDay(std::chrono::sys_days day);
std::string ShowOffset(std::chrono::minutes offset);
/// ISO 8601 to the millisecond: "2026-10-31T23:59:59.999+08:00".
std::string ShowMoment(WallTime time, std::chrono::minutes utc_offset);

}  // namespace lethe
