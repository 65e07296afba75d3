#pragma once

// What an erasure asks of every node that shares the records: to end the calls that are about what
// was erased. A node looks every second (service/cancellation_watch.h); what was asked is kept for
// minutes.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "seal/data_class.h"
#include "store/applications.h"
#include "store/journal.h"

namespace lethe {

inline constexpr Millis kCancellationLifetime = std::chrono::minutes(10);

/// Which calls. All that is set has to fit, and something of call, account, application and person
/// is.
struct Cancellation {
  std::optional<AppId> app_id;
  std::optional<Uin> uin;
  std::string call_key;  // of Cancellations::CallKey()
  std::string subject;   // a pseudonym (store/consents.h)
  ErasureCause cause = ErasureCause::kRequested;

  bool operator==(const Cancellation&) const = default;
};

struct AskedCancellation {
  std::string reference;  // random, 32 hexadecimal digits
  WallTime asked;         // by the clock of whoever asked
  Cancellation cancellation;
};

/// Thread: any; calls may wait for the disk
/// Errors: as Store
class Cancellations {
 public:
  virtual ~Cancellations() = default;

  /// What stands for a call's id in records: a keyed hash, 64 hexadecimal digits.
  virtual std::string CallKey(std::string_view call_id) const = 0;

  /// Returns its reference.
  virtual Result<std::string> Ask(const Cancellation& cancellation) = 0;

  /// All that were asked from `since` on and are not over, oldest first. Clocks of nodes differ,
  /// and what was asked is seen when it is committed: so look some time back.
  virtual Result<std::vector<AskedCancellation>> Since(WallTime since) = 0;

  /// Removes at most `limit` that are over. Returns how many.
  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
