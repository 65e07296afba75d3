#pragma once

// Verifies an export of a ledger, without the service, its database or its keys.
//
// What a clean verification says: every head was signed by the key before it or the one it handed
// over to; each head's tree is the beginning of the next one's; every item that was erased had been
// created, once; nothing is still there that had to be gone. What no ledger can say is in
// CannotProve().

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ledger/leaf.h"
#include "ledger/receipt.h"
#include "ledger/signed_head.h"
#include "ledger/signing_key.h"

namespace lethe {

/// In the order of what they cast doubt on.
enum class FindingKind {
  kDamaged,    ///< the hash at the end of the file is wrong
  kMalformed,  ///< a leaf, a head or the key is none
  kSignature,  ///< a head is not signed by the key that it has to be signed by
  kHistory,  ///< leaves are not those that were signed: changed, dropped, put in, in another order
  kTime,     ///< times go backwards
  kErasure,  ///< erased twice, erased without having been created, or not what was created
  kPeriod,   ///< had leave to stay longer than its class may
  kLate,     ///< erased later than it had to be
  kOverdue,  ///< still there at the last head, and had to be gone
  kKey,      ///< the key that sealed it had to be destroyed, and no leaf says that it was
  kStale,    ///< the last head is too old to say what is there now
  kReceipt,  ///< a receipt does not belong to this ledger
};

/// "damaged", "malformed", "signature", ...
std::string_view FindingKindName(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::kDamaged;
  std::string what;  ///< one line
};

/// Upper bounds of the histogram of lateness, in seconds; what is later has a bin of its own
/// behind.
inline constexpr std::array<std::int64_t, 7> kLatenessBounds = {0, 1, 10, 60, 600, 3600, 86'400};
inline constexpr std::size_t kNumLatenessBins = kLatenessBounds.size() + 1;

struct Lateness {
  std::uint64_t leaves = 0;                     ///< that had a time by which to be gone
  std::optional<std::chrono::seconds> largest;  ///< negative: all were early
  std::uint64_t largest_leaf = kNoLeaf;
  std::array<std::uint64_t, kNumLatenessBins> bins{};  ///< of leaves
};

/// What the leaves say about one class, in items.
struct ClassAccount {
  std::uint64_t created = 0, erased = 0, live = 0, overdue = 0, refused = 0;
  std::array<std::uint64_t, kNumErasureCauses> erased_for{};  ///< by ErasureCause
  Lateness lateness;
  bool is_complete() const { return created == live + erased; }
};

/// The keys of hours. Each seals what was created in an hour, of a class, in a region.
struct KeysAccount {
  std::uint64_t destroyed = 0;
  std::uint64_t missing = 0;  ///< that had to be destroyed by the last head, as far as leaves tell
  Lateness lateness;
};

/// From one head to the next.
struct HeadGap {
  std::chrono::sys_seconds from{}, to{};
  std::chrono::seconds length() const { return to - from; }
};

/// A service that runs signs a head each day. That is no finding where it does not: it may have
/// been stopped. But the times of what was written between are its word alone.
inline constexpr std::chrono::hours kLongestBetweenHeads{25};
/// An export's last head may be a day old, and the way to whoever verifies it may take another one.
inline constexpr std::chrono::hours kOldestLastHead = 2 * kLongestBetweenHeads;

struct VerifyOptions {
  /// The key that is known to be the ledger's, from elsewhere. Without it an export can only be
  /// found to agree with itself.
  std::optional<VerifierKey> trusted_key;
  /// A head that was kept from earlier: the ledger has to go on from it.
  std::optional<SignedHead> remembered_head;
  /// They have to belong to it.
  std::vector<Receipt> receipts;
  /// What is erased that much after its time is not yet a finding: the sweeper comes by every few
  /// seconds.
  std::chrono::seconds allowed_lateness{60};
  /// What time it is: the last head must not be older than kOldestLastHead. None: of whatever age.
  std::optional<std::chrono::sys_seconds> at;
};

/// The most findings of a kind that are told in words; all are counted.
inline constexpr std::size_t kMaxToldOfAKind = 20;

struct Verification {
  std::string origin;
  std::uint64_t num_leaves = 0, num_heads = 0;
  std::optional<TreeHead> last_head;  ///< the last one that is signed as it has to be
  std::vector<VerifierKey> keys;      ///< in the order in which they signed
  bool is_key_trusted = false;        ///< the trusted key is one of them
  std::array<ClassAccount, kDataClasses.size()> classes;  ///< in the order of kDataClasses
  KeysAccount keys_of_hours;
  std::uint64_t policy_changes = 0;
  std::uint64_t num_gaps = 0;          ///< between heads, longer than kLongestBetweenHeads
  std::optional<HeadGap> longest_gap;  ///< of those
  std::uint64_t num_findings = 0;
  std::vector<Finding> findings;  ///< by kind: those that cast doubt on all else come first

  bool is_clean() const { return num_findings == 0; }
};

/// Memory: the export, which is best mapped (base/mapped_file.h), 4 bytes for each leaf, and some
/// for each hour of each class Errors: kInvalidArgument for what is no export. All else that is
/// wrong is a finding.
Result<Verification> VerifyExport(std::span<const std::byte> file, const VerifyOptions& options);

/// Verifies a receipt by itself. Nothing if all is well.
std::optional<Finding> VerifyReceipt(const Receipt& receipt, const VerifierKey& trusted_key);

/// What nobody should read into a clean verification, a line each.
std::span<const std::string_view> CannotProve();

}  // namespace lethe
