#pragma once

// What a running service says when its promise begins to fail, and when it holds again: once for
// each change, not once for each look. Metrics have the figures; the log has the reasons.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/log.h"
#include "retention/sweeper.h"
#include "service/ledger_feed.h"

namespace lethe {

struct Health {
  std::vector<Sweeper::Report> retention;
  LedgerFeed::Report ledger;
  std::uint64_t rows_lost = 0;                     // of usage, since the start
  bool held = false;                               // the clock leapt ahead, and is not believed yet
  Millis clock_behind{0};                          // GuardedClock::behind()
  std::optional<Label> files_lost = std::nullopt;  // StandingFiles::Lost()
  Millis log_held{0};                              // Store::LogHeld()
};

/// Thread: one at a time
class HealthLog {
 public:
  explicit HealthLog(std::function<void(const LogEvent&)> log = Log) : log_(std::move(log)) {}

  void Look(const Health& now);

 private:
  void LookAtRetention(const Sweeper::Report& report);
  void LookAtSavedClock(const Sweeper::Report& report);
  void LookAtClock(const Health& now);
  void LookAtFiles(const Health& now);
  void LookAtLog(const Health& now);
  void LookAtLedger(const LedgerFeed::Report& report);

  const std::function<void(const LogEvent&)> log_;
  struct Swept {
    bool failed = false, late = false;
  };
  std::map<std::string, Swept> retention_;
  bool ledger_failed_ = false, held_ = false, behind_ = false, clock_failed_ = false;
  bool log_held_ = false;
  std::optional<Label> files_lost_;
  std::uint64_t rows_lost_ = 0;
};

}  // namespace lethe
