#pragma once

// For tests: what somebody could do who has the export of a ledger, knows its format, and has keys
// of their own but not the ledger's. Written apart from WriteExport(), so that the two check each
// other.

#include <array>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "ledger/export.h"

namespace lethe {

struct Forgery {
  std::string key;
  std::vector<std::vector<std::byte>> leaves;
  std::vector<std::string> notes;

  static Forgery Of(const std::vector<std::byte>& file) {
    const ExportView view = ExportView::Parse(file).value();
    Forgery parts{.key = std::string(view.first_key)};
    for (std::uint64_t i = 0; i < view.num_leaves(); ++i) {
      parts.leaves.emplace_back(view.leaf(i).begin(), view.leaf(i).end());
    }
    for (const std::string_view note : view.heads) parts.notes.emplace_back(note);
    return parts;
  }

  /// With a hash at the end that is right.
  std::vector<std::byte> File() const {
    std::vector<std::byte> file;
    const auto add = [&](std::span<const std::byte> bytes) {
      file.insert(file.end(), bytes.begin(), bytes.end());
    };
    const auto add_number = [&](auto value) {
      for (std::size_t i = sizeof(value); i > 0; --i) {
        file.push_back(static_cast<std::byte>(value >> (8 * (i - 1)) & 0xff));
      }
    };
    const auto add_text = [&](const std::string& text) { add(std::as_bytes(std::span(text))); };
    add_text("LETHE-LG");
    add_number(std::uint32_t{1});
    add_number(static_cast<std::uint32_t>(key.size()));
    add_number(std::uint64_t{leaves.size()});
    add_number(std::uint64_t{notes.size()});
    add_text(key);
    for (const auto& leaf : leaves) add(leaf);
    for (const std::string& note : notes) {
      add_number(static_cast<std::uint32_t>(note.size()));
      add_text(note);
    }
    add(Sha256({file}));
    return file;
  }

  MerkleHash Root(std::size_t size) const {
    CompactRange range;
    for (std::size_t i = 0; i < size; ++i) range.Append(HashLeaf(leaves[i]));
    return range.Root();
  }

  void SetLeaf(std::size_t number, const Leaf& leaf) {
    const auto bytes = EncodeLeaf(leaf);
    leaves[number].assign(bytes.begin(), bytes.end());
  }

  /// Signs all leaves with other keys, at that time, as the only head.
  void Sign(const SigningKey& signer, std::chrono::sys_seconds time) {
    key = signer.verifier().Text();
    notes = {SignedHead::Sign({.origin = signer.verifier().name,
                               .size = leaves.size(),
                               .root = Root(leaves.size()),
                               .time = time},
                              {&signer})
                 .note()};
  }
};

inline SigningKey OtherKey(char seed = 'x', std::string_view name = "test.example/ledger") {
  const std::string bytes(32, seed);
  return SigningKey::FromSeed(std::as_bytes(std::span(bytes)), name);
}

}  // namespace lethe
