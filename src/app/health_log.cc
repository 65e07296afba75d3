#include "app/health_log.h"

#include <chrono>

#include "app/forgetters.h"
#include "base/guarded_clock.h"

namespace lethe {
namespace {

// As /readyz has it.
constexpr std::chrono::minutes kLate{10};
// A stumble is mended within the second.
constexpr std::chrono::seconds kLedgerLate{5};
// Statements of ours, and a look by hand, are through sooner.
constexpr std::chrono::seconds kLogHeld{10};

// What is swept is named by strings of ours; the log knows them by an error that begins with them.
Status Of(const Sweeper::Report& report) {
  return {StatusCode::kUnavailable,
          report.error.empty() ? report.name : report.name + ": " + report.error};
}

}  // namespace

void HealthLog::LookAtSavedClock(const Sweeper::Report& report) {
  const bool failed = !report.error.empty();
  if (failed && !clock_failed_) {
    log_({.level = "warning",
          .event = "clock_not_saved",
          .sentence = "the latest time seen cannot be written down; it is tried again, and the "
                      "next start knows an earlier one only",
          .error = Of(report)});
  }
  if (!failed && clock_failed_) {
    log_({.level = "info",
          .event = "clock_saved",
          .sentence = "the latest time seen is written down again"});
  }
  clock_failed_ = failed;
}

void HealthLog::LookAtRetention(const Sweeper::Report& report) {
  if (report.name == kSavingTheClock) return LookAtSavedClock(report);
  Swept& known = retention_[report.name];
  const bool failed = !report.error.empty(), late = report.lateness >= kLate;
  if (failed && !known.failed) {
    log_({.level = "warning",
          .event = "sweep_failed",
          .sentence = "what is over could not be removed; it is tried again",
          .error = Of(report)});
  }
  if (late && !known.late) {
    log_({.level = "error",
          .event = "erasure_late",
          .sentence = "what is over may still be there, though nobody can read it here",
          .facts = {{"late_ms", report.lateness}},
          .error = Of(report)});
  }
  if (!failed && !late && (known.failed || known.late)) {
    log_({.level = "info",
          .event = "sweep_recovered",
          .sentence = "what is over is removed again",
          .error = Of(report)});
  }
  known = {.failed = failed, .late = late};
}

void HealthLog::LookAtLedger(const LedgerFeed::Report& report) {
  const bool failed = report.lateness >= kLedgerLate;
  if (failed && !ledger_failed_) {
    log_({.level = "error",
          .event = "ledger_not_told",
          .sentence = "the ledger cannot be told what is stored and erased; it is tried again",
          .error = {StatusCode::kUnavailable,
                    report.error.empty() ? "it does not answer" : report.error}});
  }
  if (!failed && ledger_failed_) {
    log_({.level = "info", .event = "ledger_told", .sentence = "the ledger is told again"});
  }
  ledger_failed_ = failed;
}

void HealthLog::Look(const Health& now) {
  for (const Sweeper::Report& report : now.retention) LookAtRetention(report);
  LookAtLedger(now.ledger);
  if (now.rows_lost > rows_lost_) {
    log_({.level = "error",
          .event = "usage_rows_lost",
          .sentence = "calls were answered whose usage could not be written down",
          .facts = {{"rows", now.rows_lost - rows_lost_}}});
    rows_lost_ = now.rows_lost;
  }
  LookAtClock(now);
  LookAtFiles(now);
  LookAtLog(now);
}

void HealthLog::LookAtLog(const Health& now) {
  const bool held = now.log_held >= kLogHeld;
  if (held && !log_held_) {
    log_({.level = "warning",
          .event = "records_log_held",
          .sentence = "another process reads records.db and does not end: what was removed stays, "
                      "sealed, in records.db-wal until it does; lsof tells which it is"});
  }
  // Not between two moments of being held.
  if (now.log_held == Millis(0) && log_held_) {
    log_({.level = "info",
          .event = "records_log_emptied",
          .sentence = "what was removed is in no log of the records any more"});
  }
  log_held_ = held || (log_held_ && now.log_held > Millis(0));
}

void HealthLog::LookAtFiles(const Health& now) {
  if (now.files_lost && !files_lost_) {
    log_({.level = "error",
          .event = "files_lost",
          .sentence = "a file that is written to was removed or replaced: unless it is put back, "
                      "what is stored now is lost when the service stops",
          .facts = {{"of", *now.files_lost}}});
  }
  if (!now.files_lost && files_lost_) {
    log_({.level = "info", .event = "files_back", .sentence = "the files are as they were"});
  }
  files_lost_ = now.files_lost;
}

void HealthLog::LookAtClock(const Health& now) {
  if (now.held && !held_) {
    log_({.level = "error",
          .event = "clock_leapt",
          .sentence =
              "the clock leapt ahead and is not believed yet: unless it is put right, what is over "
              "by it is destroyed in ten minutes"});
  }
  if (!now.held && held_) {
    log_({.level = "info", .event = "clock_believed", .sentence = "the clock is believed again"});
  }
  held_ = now.held;
  const bool behind = now.clock_behind >= GuardedClock::kBehind;
  if (behind && !behind_) {
    log_({.level = "warning",
          .event = "clock_behind",
          .sentence = "the machine's clock is behind the latest time seen here, which counts on: "
                      "what is stored is forgotten in time, but the ledger's dates are ahead",
          .facts = {{"behind_ms", now.clock_behind}}});
  }
  if (!behind && behind_) {
    log_({.level = "info",
          .event = "clock_not_behind",
          .sentence = "the machine's clock has reached the latest time seen here"});
  }
  behind_ = behind;
}

}  // namespace lethe
