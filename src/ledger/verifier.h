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
  std::uint64_t policy_changes = 0, epoch_keys_destroyed = 0;
  std::uint64_t num_findings = 0;
  std::vector<Finding> findings;  ///< by kind: those that cast doubt on all else come first

  bool is_clean() const { return num_findings == 0; }
};

/// Memory: the export, which is best mapped (base/mapped_file.h), and 4 bytes for each leaf
/// Errors: kInvalidArgument for what is no export. All else that is wrong is a finding.
Result<Verification> VerifyExport(std::span<const std::byte> file, const VerifyOptions& options);

/// Verifies a receipt by itself. Nothing if all is well.
std::optional<Finding> VerifyReceipt(const Receipt& receipt, const VerifierKey& trusted_key);

/// What nobody should read into a clean verification, a line each.
std::span<const std::string_view> CannotProve();

}  // namespace lethe
