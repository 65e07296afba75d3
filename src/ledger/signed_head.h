#pragma once

// A signed head: how many leaves there are, their root, and when that was so.
//
//   <origin>
//   <size>
//   <root, base64>
//   time <seconds since 1970>
//   next-key <public key>            when this head hands over to another key
//
//   — <origin> <key id and signature, base64>
//
// Source: C2SP tlog-checkpoint and signed-note, with two extension lines. Any tool that reads
//         checkpoints reads these.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ledger/merkle_tree.h"
#include "ledger/signing_key.h"

namespace lethe {

/// Longer notes are refused unread.
inline constexpr std::size_t kMaxNoteBytes = 4096;
inline constexpr std::size_t kMaxNoteSignatures = 16;

struct TreeHead {
  std::string origin;  ///< the ledger's name, which is the name of its keys too
  std::uint64_t size = 0;
  MerkleHash root{};
  std::chrono::sys_seconds time{};
  /// The key that signs the heads behind this one. Such a head is signed by both.
  std::optional<VerifierKey> next_key;

  /// What is signed: the lines above, up to the blank one.
  std::string Text() const;
  bool operator==(const TreeHead&) const = default;
};

/// A head with the signatures it came with, none of which has been verified.
class SignedHead {
 public:
  /// Errors: kInvalidArgument for what is no head
  static Result<SignedHead> Parse(std::string_view note);
  static SignedHead Sign(const TreeHead& head, std::initializer_list<const SigningKey*> keys);

  const TreeHead& head() const { return head_; }
  /// All of it, as Parse() reads it.
  const std::string& note() const { return note_; }

  /// Says whether the head has a signature under that key's name and id, and it is right.
  bool IsSignedBy(const VerifierKey& key) const;

 private:
  struct Signature {
    std::string name;
    std::uint32_t key_id = 0;
    Ed25519Signature bytes{};
  };
  static Result<Signature> ParseSignature(std::string_view line);

  TreeHead head_;
  std::string text_, note_;
  std::vector<Signature> signatures_;
};

}  // namespace lethe
