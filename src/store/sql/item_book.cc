#include "store/sql/internal/item_book.h"

#include <algorithm>
#include <tuple>

#include "base/encoding.h"

namespace lethe {
namespace {

Int Seconds(Int millis) { return millis / 1000; }

}  // namespace

std::string HexOf(const MerkleHash& hash) { return HexEncode(hash); }

MerkleHash HashOf(std::string_view hex) {
  MerkleHash hash{};
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < hash.size() && 2 * i + 1 < hex.size(); ++i) {
    hash[i] = static_cast<std::byte>(16 * digit(hex[2 * i]) + digit(hex[2 * i + 1]));
  }
  return hash;
}

Int ItemBook::Create(Connection& sql, const NewItem& item) const {
  const ItemSalt salt = RandomItemSalt();
  const std::string reference = HexOf(key_.Refer(item.data_class, salt, item.id).reference);
  sql.Run(
      "INSERT INTO items (reference, salt, data_class, record, remaining, due_s, leaf, kind) "
      "VALUES (:reference, :salt, :class, :record, :count, :due, -1, :kind)",
      reference, HexEncode(salt), item.data_class, item.id, item.count, Seconds(item.due_ms),
      item.kind);
  return sql.Number("SELECT seq FROM items WHERE reference = :reference", reference);
}

void ItemBook::Erase(Connection& sql, Int item, Int count, ErasureCause cause) const {
  if (item == 0) return;
  sql.Run(
      "INSERT INTO ledger_outbox (kind, data_class, cause, item_count, due_s, item, reference, "
      "creation, from_s, to_s) "
      "SELECT :kind, data_class, :cause, :count, due_s, seq, '', -1, 0, 0 FROM items "
      "WHERE seq = :item AND kind = :created",
      LeafKind::kErased, cause, count, item, LeafKind::kCreated);
}

void ItemBook::Shorten(Connection& sql, Int item, Int due_ms) const {
  sql.Run("UPDATE items SET due_s = :due WHERE seq = :item AND due_s > :also_due", Seconds(due_ms),
          item, Seconds(due_ms));
}

std::string ItemBook::CallKey(std::string_view call_id) const {
  return HexOf(key_.Refer(DataClass::kOperationLog, ItemSalt{}, call_id).opening);
}

ErasedItem ItemBook::Opened(Int data_class, const std::string& record, const std::string& salt_hex,
                            const std::string& reference) const {
  const MerkleHash padded = HashOf(salt_hex);
  ItemSalt salt;
  std::copy_n(padded.begin(), salt.size(), salt.begin());
  ErasedItem item{.data_class = static_cast<DataClass>(data_class),
                  .id = record,
                  .reference = HashOf(reference)};
  item.opening = key_.Refer(item.data_class, salt, record).opening;
  return item;
}

std::optional<ErasedItem> ItemBook::Describe(Connection& sql, Int item) const {
  if (item == 0) return std::nullopt;
  const auto rows = sql.Rows<std::tuple<Int, Text, Text, Text>>(
      "SELECT data_class, record, salt, reference FROM items WHERE seq = :item AND kind = :created",
      item, LeafKind::kCreated);
  if (rows.empty()) return std::nullopt;
  const auto& [data_class, record, salt, reference] = rows.front();
  return Opened(data_class, record, salt, reference);
}

std::optional<BegunItem> ItemBook::Begun(Connection& sql, Int item) const {
  if (item == 0) return std::nullopt;
  const auto rows = sql.Rows<std::tuple<Int, Text, Text, Text, Int>>(
      "SELECT data_class, record, salt, reference, leaf FROM items WHERE seq = :item", item);
  if (rows.empty()) return std::nullopt;
  const auto& [data_class, record, salt, reference, leaf] = rows.front();
  return BegunItem{.item = Opened(data_class, record, salt, reference),
                   .leaf = leaf < 0 ? kNoLeaf : static_cast<std::uint64_t>(leaf)};
}

void ItemBook::ForgetRefusal(Connection& sql, Int item) const {
  sql.Run("DELETE FROM items WHERE seq = :item AND kind = :refused AND leaf >= 0", item,
          LeafKind::kRefused);
}

}  // namespace lethe
