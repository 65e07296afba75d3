#pragma once

// The operation log: what was done for a call, step by step, so that it can be explained for some
// days. It has no text of a caller's in it (base/fact.h), it is sealed, and it is found by a keyed
// hash of the call's id, because clients make some of them and may put anything into them.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fact.h"
#include "base/status.h"
#include "store/applications.h"
#include "store/interface.h"
#include "store/journal.h"

namespace lethe {

inline constexpr Millis kOperationLogLifetime = SealedLifetime(DataClass::kOperationLog);
inline constexpr std::size_t kMaxFacts = 100;  // of a call; more are left out

struct Operation {
  AppId app_id = 0;
  std::string call_id;
  std::string subject;  // whom it is about: a pseudonym (store/consents.h)
  Interface interface = Interface::kSentence;
  std::string result_code;  // the interface's own, as in FinishedCall
  WallTime start, end;
  Facts facts;
};

/// As it was written down.
struct LoggedOperation {
  AppId app_id = 0;
  WallTime created;
  std::string facts;  // a JSON object, in the order in which they came
};

/// Which rows; the first field that is set counts, and `within` besides.
struct OperationSelector {
  std::string call_id;
  std::string call_key;  // as Cancellations::CallKey() gives it
  std::optional<AppId> app_id;
  std::string subject;  // a pseudonym
  std::optional<AppId> within;
  std::optional<WallTime> written_since;  // and no older ones
};

/// Thread: any; calls may wait for the disk
/// Errors: as Store
class OperationLog {
 public:
  virtual ~OperationLog() = default;

  /// Writes rows, all or none. What applications want held shorter is, and not at all for no time;
  /// of applications that are not there, nothing is.
  /// A power cut may take the last ones with it.
  virtual Status Record(std::span<const Operation> operations) = 0;

  /// What is known of a call, oldest first; nothing when its time is over or nothing ever was.
  virtual Result<std::vector<LoggedOperation>> Find(const std::string& call_id) = 0;

  /// Erases at most `limit` rows. Fewer: those were all.
  struct Erased {
    int rows = 0;
    std::vector<ErasedItem> items;  // one for each thing that is told to the ledger
  };
  virtual Result<Erased> Erase(const OperationSelector& selector, ErasureCause cause,
                               int limit) = 0;

  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
