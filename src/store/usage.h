#pragma once

// Usage: one row for each call that ended, without content and without a person, and what adds up
// from them (contract, sections 3.9 and 10.1). A row holds what the agreement lists as monitoring
// data: AppId, interface, result, call id, begin and end, region, fee, volume.

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fact.h"
#include "base/status.h"
#include "seal/data_class.h"
#include "store/applications.h"
#include "store/interface.h"

namespace lethe {

/// From the end of the call, or from when it was written where that is dated later. Two months at
/// most, less what clocks of nodes may differ by.
inline constexpr Millis kUsageLifetime = SealedLifetime(DataClass::kMonitoring);

inline constexpr int kMaxUsageDays = 100;  // of one query

struct FinishedCall {
  AppId app_id = 0;
  Interface interface = Interface::kSentence;
  // As the caller was told; clients make some of them, so not unique. Of live calls, whose clients
  // may put a name into it, a keyed hash is written down and read.
  std::string call_id;
  std::string result_code;  // the interface's own: "0", "FailedOperation.ErrorRecognize", "4008"
  bool succeeded = false;
  bool server_fault = false;  // failed, and the fault was the service's own (contract, section 11)
  std::string region;         // of the node that took it
  WallTime start, end;
  Millis audio{0};  // of all channels that count; a part of a millisecond counts as one
  std::uint64_t bytes = 0;
  Facts facts;          // for the operation log, not for usage
  std::string subject;  // for it too: whom the call is about, a pseudonym (store/consents.h)
  // Millionths of the price table's currency. Provisional: at the tier that was reached when the
  // call ended; what it costs in the end, the bill says (metering/bill.h).
  std::int64_t fee = 0;

  bool operator==(const FinishedCall&) const = default;
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

/// Rows that are there. Rows that are written later are later.
using UsageMark = std::int64_t;
inline constexpr UsageMark kAllUsage = std::numeric_limits<UsageMark>::max();

struct CallQuery {
  AppId app_id = 0;
  WallTime begin, end;         // of the calls' ends; the second exclusive
  UsageMark upto = kAllUsage;  // what Mark() gave: rows that were written since are left out
};

/// Takes a call; an error ends the reading and is what the reader gets.
using CallSink = std::function<Status(const FinishedCall& call)>;

/// Thread: any; calls may wait for the disk
/// Errors: as said and as Store
class Usage {
 public:
  virtual ~Usage() = default;

  /// Writes rows, all or none; many at once cost little more than one. A power cut may take the
  /// last ones with it, the end of the process does not.
  /// Errors: kInvalidArgument when an id or a code is longer than 1024 bytes
  virtual Status Record(std::span<const FinishedCall> calls) = 0;

  /// Whether there is a row of that call. After an error of Record() nobody can know otherwise
  /// whether its rows were written.
  virtual Result<bool> Has(const FinishedCall& call) = 0;

  /// What an application used, by day and interface, in that order; days and interfaces without a
  /// call are left out, and so is what is older than kUsageLifetime, removed or not.
  /// Errors: kInvalidArgument when the days are in the wrong order or more than kMaxUsageDays
  virtual Result<std::vector<DayUsage>> ByDay(const UsageQuery& query) = 0;

  /// What the calls of an application that ended from `begin` on and before `end` were written to
  /// cost, in all.
  virtual Result<std::int64_t> Fees(AppId app_id, WallTime begin, WallTime end) = 0;

  /// The applications that have calls which are not over yet, in the order of their numbers; some
  /// may have been removed since.
  virtual Result<std::vector<AppId>> Applications() = 0;

  /// What is written by now, so that several readings agree while calls go on ending.
  virtual Result<UsageMark> Mark() = 0;

  /// Hands the calls to `sink`, one by one in the order in which they ended, those of one
  /// millisecond as they were written. Reads a page at a time, so the records are not held while
  /// `sink` is at work; what becomes older than kUsageLifetime meanwhile is left out.
  /// Errors: the sink's
  virtual Status Calls(const CallQuery& query, const CallSink& sink) = 0;

  /// Removes at most `limit` rows older than kUsageLifetime. Returns how many.
  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
