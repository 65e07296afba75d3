#pragma once

// What the ledger says: that something was created or erased, when, and by when it had to be gone.
// Nothing in a leaf names or describes a person, a call or a customer; docs/ledger.md says why.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "ledger/merkle_tree.h"
#include "seal/data_class.h"

namespace lethe {

enum class LeafKind : std::uint8_t {
  kCreated = 1,            ///< something was stored
  kErased = 2,             ///< it is gone
  kRefused = 3,            ///< it was not stored, because its period is zero
  kPolicyChanged = 4,      ///< somebody's period became another one
  kEpochKeyDestroyed = 5,  ///< the key that sealed what was created in an hour or so is gone
};

/// "created", "erased", "refused", "policy_changed", "epoch_key_destroyed".
std::string_view LeafKindName(LeafKind kind);

/// Why something was erased.
enum class ErasureCause : std::uint8_t {
  kNone = 0,  ///< of leaves of other kinds
  kExpired = 1,
  kRequested = 2,
  kConsentWithdrawn = 3,
  kTaskEnded = 4,
  kTenantRemoved = 5,
  kLost = 6,  ///< found missing: a disk was lost, or an older backup of the records put back
};
inline constexpr std::size_t kNumErasureCauses = 7;

/// "none", "expired", "requested", "consent_withdrawn", "task_ended", "tenant_removed",
/// "lost".
std::string_view ErasureCauseName(ErasureCause cause);

/// Stands where a leaf refers to no other leaf.
inline constexpr std::uint64_t kNoLeaf = std::numeric_limits<std::uint64_t>::max();

inline constexpr std::size_t kLeafBytes = 96;
inline constexpr std::size_t kMaxRegionBytes = 16;

/// Units: whole seconds, UTC. Finer times would serve nobody but those who look for a certain call.
struct Leaf {
  LeafKind kind = LeafKind::kCreated;
  DataClass data_class = DataClass::kAudio;
  ErasureCause cause = ErasureCause::kNone;

  /// How many items it is about; 0 for a changed policy or a destroyed key. What was created as one
  /// leaf may be erased by several.
  std::uint32_t items = 1;

  /// When it was written down; the ledger sets it.
  std::chrono::sys_seconds time{};

  /// When it has, or had, to be gone at the latest. Of an erasure it may be earlier than what the
  /// creation said, as a period may have become shorter. None (1970) for refusals and policies.
  std::chrono::sys_seconds due{};

  /// Of an erasure, the number of the creation's leaf; kNoLeaf if it is not known.
  std::uint64_t creation = kNoLeaf;

  /// Which item it is, for those who were told (ledger/item_reference.h); the erasure repeats that
  /// of the creation. Zeros say none.
  MerkleHash reference{};

  /// Where it was stored: 1 to kMaxRegionBytes of a-z, 0-9 and -.
  std::string region;

  /// Of a changed policy the period before and after, of a destroyed key the epoch's begin and end
  /// (since 1970); else 0.
  std::chrono::seconds from{0}, to{0};

  bool operator==(const Leaf&) const = default;
};

/// Says what is wrong with a leaf: fields that its kind does not have, or must have.
/// Errors: kInvalidArgument
Status CheckLeaf(const Leaf& leaf);

/// The bytes of a leaf that passes CheckLeaf(). There is one way to write a leaf: different bytes
/// are different leaves. The layout is in docs/ledger.md.
std::array<std::byte, kLeafBytes> EncodeLeaf(const Leaf& leaf);

/// Errors: kInvalidArgument for all that EncodeLeaf() does not write
Result<Leaf> DecodeLeaf(std::span<const std::byte> bytes);

}  // namespace lethe
