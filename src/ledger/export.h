#pragma once

// A ledger as one file, which is all that a verifier needs: the first public key, the leaves, the
// heads. Numbers are big-endian.
//
//   "LETHE-LG"            8 bytes
//   version               4, is 1
//   length of the key     4
//   number of leaves      8
//   number of heads       8
//   first public key      text (ledger/signing_key.h)
//   leaves                96 each (ledger/leaf.h)
//   heads                 each its length (4) and its note (ledger/signed_head.h)
//   SHA-256               32, of all before: damage is told from forgery
//
// Later public keys are in the heads that hand over to them.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ledger/ledger.h"

namespace lethe {

/// Takes the next bytes of a file.
using ByteSink = std::function<Status(std::span<const std::byte>)>;

/// Writes all heads that there are when it begins, and the leaves of the last one, piece by piece.
/// Errors: kNotFound when nothing is signed yet; kDataLoss; those of `sink`
Status WriteExport(const Ledger& ledger, const ByteSink& sink);

/// The parts of an export, which it borrows.
struct ExportView {
  std::string_view first_key;
  std::span<const std::byte> leaves;  ///< a multiple of kLeafBytes
  std::vector<std::string_view> heads;
  bool is_undamaged = false;  ///< the hash at the end is right

  std::uint64_t num_leaves() const { return leaves.size() / kLeafBytes; }
  std::span<const std::byte> leaf(std::uint64_t number) const {
    return leaves.subspan(number * kLeafBytes, kLeafBytes);
  }

  /// Takes a file apart; what keys, leaves and heads say is not looked at.
  /// Errors: kInvalidArgument for what is no export, or not all of one
  static Result<ExportView> Parse(std::span<const std::byte> file);
};

}  // namespace lethe
