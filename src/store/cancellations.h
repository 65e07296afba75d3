#pragma once

// What an erasure asks of every node that shares the records: to end the calls that are about what
// was erased. A node looks every second (service/cancellation_watch.h); what was asked is kept for
// minutes.

#include <cstdint>
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

/// Grows with every one that is asked.
using CancellationNumber = std::int64_t;

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
  CancellationNumber number = 0;
  Cancellation cancellation;
};

/// Thread: any; calls may wait for the disk
/// Errors: as Store
class Cancellations {
 public:
  virtual ~Cancellations() = default;

  /// What stands for a call's id in records: a keyed hash, 64 hexadecimal digits.
  virtual std::string CallKey(std::string_view call_id) const = 0;

  virtual Result<CancellationNumber> Ask(const Cancellation& cancellation) = 0;

  /// At most `limit` behind `after` that are not over, in their order. Nodes ask at the same time:
  /// a smaller number may appear for a moment after a larger one.
  virtual Result<std::vector<AskedCancellation>> After(CancellationNumber after, int limit) = 0;

  /// The largest number that was given; 0: none was.
  virtual Result<CancellationNumber> Newest() = 0;

  /// Removes at most `limit` that are over. Returns how many.
  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
