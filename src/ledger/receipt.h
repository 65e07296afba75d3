#pragma once

// A receipt: one leaf of the ledger, and the proof that it is there under a signed head. Whoever
// has it needs nothing else of ours but the public key.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ledger/leaf.h"
#include "ledger/merkle_tree.h"
#include "ledger/signed_head.h"

namespace lethe {

/// Longer texts are refused unread.
inline constexpr std::size_t kMaxReceiptBytes = 64 * 1024;

struct Receipt {
  Leaf leaf;
  std::uint64_t number = 0;       ///< of the leaf
  std::vector<MerkleHash> proof;  ///< of its inclusion under the head
  SignedHead head;
  /// With it, its owner can show which item the leaf is about (ledger/item_reference.h).
  std::optional<MerkleHash> opening;

  /// JSON, as docs/ledger.md describes it.
  std::string Json() const;
  /// Errors: kInvalidArgument for what is no receipt, and for one whose readable half says
  /// something
  ///         else than its leaf
  static Result<Receipt> Parse(std::string_view json);

  /// Says whether the leaf is in the tree of the head. Whose signature the head has is not asked.
  bool ProvesInclusion() const;
  /// Says whether the receipt is about that id. False without an opening.
  bool IsAbout(std::string_view id) const;
};

}  // namespace lethe
