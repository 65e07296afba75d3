#pragma once

// Whether an application may go on spending: the contract's rules about packages and arrears
// (section 10.1), each of which holds only where an operator has said so (docs/metering.md).

#include <chrono>
#include <map>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/mutex.h"
#include "metering/calendar.h"
#include "metering/money.h"
#include "store/applications.h"
#include "store/usage.h"

namespace lethe {

/// Why nothing more is done for an application.
enum class CreditRefusal {
  kSpent,    // its calls of this month cost what they may (Application::monthly_limit)
  kOverdue,  // its account has owed fees for longer than the grace (Application::overdue_since)
};

struct CreditOptions {
  std::chrono::minutes utc_offset = kChinaOffset;  // where months begin
  /// How long an account that owes is still served. The contract's.
  Millis grace = std::chrono::hours(24);
};

/// Knows what applications with a limit spent this month, by the fees that their calls were written
/// with, up to a quarter of a second after they ended (service/meter.h). So the call that reaches
/// the limit, and those under way with it, are still served. What other nodes wrote is seen within
/// a minute, or later where summing up takes more than half a second.
///
/// Thread: any. Lifetime: `usage` and `clock` outlive it
class CreditGate {
 public:
  CreditGate(Usage& usage, const Clock& clock, const CreditOptions& options = {})
      : usage_(usage), clock_(clock), options_(options) {}

  /// Nothing: it may. May wait for the records; while they do not answer, what is known counts.
  std::optional<CreditRefusal> Check(const Application& application);

  /// Whether Check() asks anything at all of this application.
  static bool HasRules(const Application& application) {
    return application.monthly_limit.has_value() || application.overdue_since.has_value();
  }

  /// Takes calls that are about to be recorded here, with their fees.
  void Add(std::span<const FinishedCall> calls);

 private:
  struct Spent {
    std::chrono::year_month month;
    MicroUnits amount = 0;
    WallTime asked;  // when the records were
    Millis rest{0};  // until they are again
  };

  BilledMonth MonthOf(WallTime time) const;
  MicroUnits SpentBy(AppId app_id);

  // Constant after construction.
  Usage& usage_;
  const Clock& clock_;
  const CreditOptions options_;
  // Any thread.
  Mutex mutex_;
  std::map<AppId, Spent> spent_ GUARDED_BY(mutex_);  // of applications with a limit
};

}  // namespace lethe
