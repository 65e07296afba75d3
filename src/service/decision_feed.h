#pragma once

// Keeps the file of decisions beside the ledger, and gives the records back what they have lost of
// them (store/decisions.h), for the ledger's feed: only the process that has the ledger writes it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "ledger/decision_file.h"
#include "seal/key_store.h"
#include "store/decisions.h"

namespace lethe {

/// Thread: one at a time; TakeReport() from any
/// Lifetime: decisions, keys and clock outlive it
class DecisionFeed {
 public:
  DecisionFeed(Decisions& decisions, KeyStore& keys, const Clock& clock)
      : decisions_(decisions), keys_(keys), clock_(clock) {}

  /// Opens the file in the ledger's folder, or makes it from the records as they are; then as
  /// Compare(). What is damaged is left out, and what the records say is written down anew.
  /// Errors: as DecisionFile, KeyStore and Decisions
  Status Open(const std::string& folder);

  /// Puts back what the file has and the records do not know. Errors: as Decisions
  Status Compare();

  /// Writes down all that is pending; once a day, or when it is much, leaves out what no longer
  /// matters.
  /// Errors: as Compare() and DecisionFile. Then it has to be opened again
  Status Tell();

  void Close() { file_.reset(); }

  struct Report {
    DecisionsPutBack put_back;
    std::uint64_t damaged = 0;  // that could not be read
    bool lost = false;          // the file was not there, or had fewer than it was told
  };
  /// What was found since the last call.
  Report TakeReport();

 private:
  // Whether the records' knowledge is of the file that is open.
  bool IsOf(const KnownDecisions& known) const;
  KnownDecisions Whole() const;
  // Those from a number on; what the records know then.
  Status PutBack(std::uint64_t first, const KnownDecisions& then);
  Status Tidy();

  Decisions& decisions_;
  KeyStore& keys_;
  const Clock& clock_;
  std::unique_ptr<DecisionFile> file_;
  std::chrono::steady_clock::time_point tidied_;
  std::uint64_t tidy_records_ = 0;  // in the file then
  Mutex mutex_;
  Report report_ GUARDED_BY(mutex_);
};

}  // namespace lethe
