#pragma once

// A decision: what an operator or a person laid down in the records, and what older records that
// are put back must not undo. The ledger has what was created and erased; of a key that was removed
// or a consent that was withdrawn it knows nothing. Decisions are kept beside it
// (ledger/decision_file.h).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace lethe {

/// The numbers are written down: they stay.
enum class DecisionKind : std::uint8_t {
  kPeriod = 1,                  // subject: the number of the class; value: milliseconds
  kConsentRequired = 2,         // value: "0" or "1"
  kConsentToTranscription = 3,  // subject: the pseudonym, empty for everyone; value: kWithdrawn, or
                                // the consent that was given after a withdrawal
  kKey = 4,                     // of callers; subject: the hash of its id; value: what became of it
  kApplication = 5,             // value: what became of it
  kConsolePassword = 6,         // value: its slow hash
};

namespace decided {
inline constexpr std::string_view kWithdrawn = "withdrawn", kEnabled = "enabled",
                                  kDisabled = "disabled", kRemoved = "removed";
}  // namespace decided

inline constexpr std::size_t kMaxDecisionSubject = 80;  // bytes
inline constexpr std::size_t kMaxDecisionValue = 160;

/// Of those with one kind, application and subject, the newest counts.
struct Decision {
  DecisionKind kind = DecisionKind::kPeriod;
  std::uint64_t app_id = 0;  // 0: nobody's
  std::string subject, value;
  WallTime made;
  std::optional<WallTime> ends;  // from then on it does not matter any more

  bool operator==(const Decision&) const = default;
};

}  // namespace lethe
