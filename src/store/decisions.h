#pragma once

// Decisions (ledger/decision.h) on their way into the file beside the ledger, and back out of it.
// Whatever shortens a period, demands consents, withdraws one, takes a key or an application away
// or changes the password writes here too, in the same transaction; so the file misses none.
//
//   transaction {row, decision} --> Pending() --> DecisionFile::Append() --> Settle()
//
// If the process ends between the last two, or older records were put back, the file has decisions
// that are not settled: PutBack() recognises those that are still pending, and does the others
// again. So a backup of the records undoes none of them.

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "ledger/decision.h"

namespace lethe {

struct PendingDecision {
  std::int64_t number = 0;
  Decision decision;
};

/// What the records know of the file: its name, and that they have all below `next` of it. A file
/// is never called 0: that is what records say that know none.
struct KnownDecisions {
  std::uint64_t file = 0, next = 0;

  bool operator==(const KnownDecisions&) const = default;
};

/// What was not as had been decided, by its kind.
struct DecisionsPutBack {
  int periods = 0, consent_required = 0, withdrawals = 0, consents = 0, keys = 0, applications = 0,
      passwords = 0;

  int sum() const {
    return periods + consent_required + withdrawals + consents + keys + applications + passwords;
  }
  DecisionsPutBack& operator+=(const DecisionsPutBack& other);
};

/// Thread: any, but one at a time from Pending() to Settle()
/// Errors: as Store
class Decisions {
 public:
  virtual ~Decisions() = default;

  /// At most `limit` that the file does not have yet, oldest first.
  virtual Result<std::vector<PendingDecision>> Pending(int limit) = 0;

  /// They are in the file now.
  virtual Status Settle(std::span<const PendingDecision> decisions,
                        const KnownDecisions& known) = 0;

  virtual Result<KnownDecisions> Known() = 0;

  /// Of what the file has and is not settled, in its order, some: makes the records say so, unless
  /// something newer was decided that the file does not have yet, and that they know it. What is
  /// about an application that is not there, or came later, is nobody's.
  virtual Result<DecisionsPutBack> PutBack(std::span<const Decision> decisions,
                                           const KnownDecisions& known) = 0;

  /// Makes all that the records say pending: for a file that is new, or has lost some.
  virtual Status QueueAll() = 0;
};

}  // namespace lethe
