#pragma once

// Usage: one row for each call that ended, without content and without a person, and what adds up
// from them (contract, sections 3.9 and 10.1).

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fact.h"
#include "base/status.h"
#include "store/applications.h"
#include "store/interface.h"

namespace lethe {

/// Two months at most, and no two months are shorter than this.
inline constexpr Millis kUsageLifetime = std::chrono::days(59);

inline constexpr int kMaxUsageDays = 100;  // of one query

struct FinishedCall {
  AppId app_id = 0;
  Interface interface = Interface::kSentence;
  std::string call_id;      // as the caller was told; clients make some of them, so not unique
  std::string result_code;  // the interface's own: "0", "FailedOperation.ErrorRecognize", "4008"
  bool succeeded = false;
  WallTime start, end;
  Millis audio{0};  // of all channels that count; a part of a millisecond counts as one
  std::uint64_t bytes = 0;
  Facts facts;  // for the operation log, not for usage
};

/// The seconds that a call is counted with: none if it failed, else at least one, and a part of a
/// second as a whole one.
std::uint64_t CountedSeconds(const FinishedCall& call);

struct UsageQuery {
  AppId app_id = 0;
  std::chrono::sys_days first, last;  // both inclusive, by the calendar at `utc_offset`
  std::chrono::minutes utc_offset = std::chrono::hours(8);
};

struct DayUsage {
  std::chrono::sys_days day;  // on which the calls ended
  Interface interface = Interface::kSentence;
  std::uint64_t calls = 0;  // that succeeded
  std::uint64_t failed = 0;
  std::uint64_t seconds = 0;  // of audio, as counted

  bool operator==(const DayUsage&) const = default;
};

/// Thread: any; calls may wait for the disk
/// Errors: as said and as Store
class Usage {
 public:
  virtual ~Usage() = default;

  /// Writes rows, all or none; many at once cost little more than one. A power cut may take the
  /// last ones with it, the end of the process does not.
  /// Errors: kInvalidArgument when an id or a code is longer than 1024 bytes
  virtual Status Record(std::span<const FinishedCall> calls) = 0;

  /// What an application used, by day and interface, in that order; days and interfaces without a
  /// call are left out, and so is what is older than kUsageLifetime, removed or not.
  /// Errors: kInvalidArgument when the days are in the wrong order or more than kMaxUsageDays
  virtual Result<std::vector<DayUsage>> ByDay(const UsageQuery& query) = 0;

  /// Removes at most `limit` rows older than kUsageLifetime. Returns how many.
  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
