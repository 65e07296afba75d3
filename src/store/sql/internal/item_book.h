#pragma once

// The items that are held, and what the ledger has to be told about them. Called within the
// transactions of what creates and erases.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/item_reference.h"
#include "store/journal.h"
#include "store/sql/internal/database.h"

namespace lethe {

/// What is created: one thing, or as many of a kind as are written together.
struct NewItem {
  DataClass data_class = DataClass::kResult;
  std::string_view id;  // "task:1234"
  Int count = 1;
  Int due_ms = 0;  // since 1970
  /// Or kRefused: it was not stored. Then nothing is held, and its erasure is told to nobody.
  LeafKind kind = LeafKind::kCreated;
};

/// Thread: any. Lifetime: the key outlives it
/// Errors: soci::soci_error
class ItemBook {
 public:
  ItemBook(const ReferenceKey& key, std::string region) : key_(key), region_(std::move(region)) {}

  /// Returns the item's number.
  Int Create(Connection& sql, const NewItem& item) const;

  /// So many of an item are gone. Of item 0, which is nobody's: nothing.
  void Erase(Connection& sql, Int item, Int count, ErasureCause cause) const;

  /// When an item has to be gone, which became earlier.
  void Shorten(Connection& sql, Int item, Int due_ms) const;

  /// For the receipt of an item that is still there. Nothing of item 0, and of what was refused.
  std::optional<ErasedItem> Describe(Connection& sql, Int item) const;

  /// What the ledger has of an item that is there: its creation, or its refusal.
  std::optional<BegunItem> Begun(Connection& sql, Int item) const;

  /// Nobody asks about a refusal any more. One that was not told yet stays until it is.
  void ForgetRefusal(Connection& sql, Int item) const;

  /// What stands for the id of a call where it is searched for. Keyed: who has no key cannot try
  /// out ids.
  std::string CallKey(std::string_view call_id) const;

  const std::string& region() const { return region_; }

 private:
  ErasedItem Opened(Int data_class, const std::string& record, const std::string& salt_hex,
                    const std::string& reference) const;

  const ReferenceKey& key_;
  const std::string region_;
};

/// A reference as it is written in a column, and back.
std::string HexOf(const MerkleHash& hash);
MerkleHash HashOf(std::string_view hex);

}  // namespace lethe
