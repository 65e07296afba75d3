#pragma once

// How a leaf says which item it is about without saying it.
//
//   opening   = HMAC-SHA256(ledger key, "lethe item opening v1" || class || salt || id)
//   reference = SHA-256("lethe item reference v1" || opening || class || id)
//
// The reference is in the leaf, the salt lies with the item and goes with it, the opening is told
// to those who get a receipt. Who has neither cannot try out ids, and cannot see that two leaves
// are about things of one name. docs/decisions.md says what each part is for.

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "ledger/leaf.h"

namespace lethe {

/// Random, another one for each item; to be kept beside the item, sealed like it, and erased with
/// it.
using ItemSalt = std::array<std::byte, 16>;
ItemSalt RandomItemSalt();

struct ItemReference {
  MerkleHash reference;  ///< for the leaf
  MerkleHash opening;    ///< for the receipt
};

/// The key without which no reference can be made again. When it is destroyed, no leaf can be
/// traced to an id any more, except by those who have a receipt for it.
///
/// Thread: any
class ReferenceKey {
 public:
  /// Errors: as LoadKeyFile() (base/key_file.h)
  static Result<ReferenceKey> Load(const std::string& path, bool may_create);

  ItemReference Refer(DataClass data_class, const ItemSalt& salt, std::string_view id) const;

 private:
  struct Free {
    void operator()(unsigned char* bytes) const;
  };
  explicit ReferenceKey(std::unique_ptr<unsigned char, Free> bytes) : bytes_(std::move(bytes)) {}

  std::unique_ptr<unsigned char, Free> bytes_;
};

/// Says whether a reference is about that id: what somebody with a receipt can check.
bool OpensReference(const MerkleHash& reference, const MerkleHash& opening, DataClass data_class,
                    std::string_view id);

}  // namespace lethe
