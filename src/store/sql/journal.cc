#include <algorithm>
#include <iterator>
#include <tuple>

#include "store/internal/checks.h"
#include "store/sql/internal/item_book.h"
#include "store/sql/internal/repositories.h"
#include "store/sql/internal/task_forgetting.h"

namespace lethe {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr Int kNotInTheLedger = -1;
// Entries of one item that are looked for at once; it has as many rows at most.
constexpr int kMostOfItem = 1'000;

// The number of the creation in the ledger, as a column has it and as a leaf has it.
std::uint64_t CreationOf(Int column) {
  return column < 0 ? kNoLeaf : static_cast<std::uint64_t>(column);
}

class SqlJournal : public Journal {
 public:
  SqlJournal(Database& database, const ItemBook& items, TaskForgetting forgetting)
      : database_(database), items_(items), forgetting_(forgetting) {}

  Result<std::string> Origin() override {
    const auto work = [](Connection& sql) -> Result<std::string> {
      const auto rows =
          sql.Rows<std::tuple<Text>>("SELECT value FROM settings WHERE name = 'ledger_origin'");
      return rows.empty() ? std::string() : std::get<0>(rows.front());
    };
    return database_.Read("look for the ledger", work);
  }

  Status SetOrigin(const std::string& origin) override {
    const auto work = [&](Connection& sql) {
      const auto rows = sql.Rows<std::tuple<Text>>(
          "SELECT value FROM settings WHERE name = 'ledger_origin' {lock}");
      if (rows.empty()) {
        sql.Run("INSERT INTO settings (name, value) VALUES ('ledger_origin', :origin)", origin);
        return OkStatus();
      }
      if (std::get<0>(rows.front()) == origin) return OkStatus();
      return FailedPrecondition("these records are told to another ledger: " +
                                std::get<0>(rows.front()));
    };
    return database_.Write("name the ledger", work);
  }

  Result<std::vector<JournalEntry>> Pending(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    // An erasure is told only when its creation was, so creations go first.
    const auto work = [&](Connection& sql) -> Result<std::vector<JournalEntry>> {
      std::vector<JournalEntry> created = Created(sql, "leaf = :untold", kNotInTheLedger, limit);
      if (!created.empty()) return created;
      return Others(sql, "o.seq > :none", Int{0}, limit);
    };
    return database_.Read("read the journal", work);
  }

  Result<std::vector<JournalEntry>> PendingOf(std::span<const ErasedItem> items) override {
    if (items.size() > kMaxAtOnce) return InvalidArgument("so many items are not read at once");
    const auto work = [&](Connection& sql) -> Result<std::vector<JournalEntry>> {
      std::vector<JournalEntry> created, others;
      for (const ErasedItem& item : items) {
        const std::string reference = HexOf(item.reference);
        const auto seq = sql.Rows<std::tuple<Int>>(
            "SELECT seq FROM items WHERE reference = :reference", reference);
        if (seq.empty()) continue;
        const auto& [number] = seq.front();
        Append(Created(sql, "seq = :item AND leaf = -1", number, 1), created);
        Append(Others(sql, "o.item = :item", number, kMostOfItem), others);
      }
      return created.empty() ? others : created;
    };
    return database_.Read("read the journal", work);
  }

  Status Settle(std::span<const JournalEntry> entries, std::uint64_t first) override {
    const auto work = [&](Connection& sql) {
      Int leaf = static_cast<Int>(first);
      for (const JournalEntry& entry : entries) {
        if (Begins(entry.leaf)) {
          sql.Run("UPDATE items SET leaf = :leaf WHERE seq = :item", leaf, entry.item);
          ForgetRefusalOfNobody(sql, entry);
        } else {
          SettleOther(sql, entry.number, entry.item, entry.leaf.items);
        }
        ++leaf;
      }
      SetSettled(sql, leaf);
      return OkStatus();
    };
    // What a power cut unsettles is recognised in the ledger.
    return database_.Write("settle the journal", work, Durability::kBuffered);
  }

  Result<std::uint64_t> SettledLeaves() override {
    const auto work = [](Connection& sql) -> Result<std::uint64_t> { return Settled(sql); };
    return database_.Read("read the journal", work);
  }

  Result<Recovery> Recover(std::span<const Leaf> leaves) override {
    const auto work = [&](Connection& sql) -> Result<Recovery> {
      Recovery recovery;
      Int number = static_cast<Int>(Settled(sql));
      for (const Leaf& leaf : leaves) {
        if (Begins(leaf)) {
          RecoverCreation(sql, leaf, number, recovery);
        } else if (leaf.kind == LeafKind::kErased) {
          RecoverErasure(sql, leaf, recovery);
        } else {
          RecoverNote(sql, leaf, recovery);
        }
        ++number;
      }
      SetSettled(sql, number);
      return recovery;
    };
    ASSIGN_OR_RETURN(const Recovery recovery, database_.Write("compare with the ledger", work));
    if (recovery.erased_again > 0) database_.EmptyLog();
    return recovery;
  }

  Status Note(const Leaf& leaf) override {
    const auto work = [&](Connection& sql) {
      NoteLeaf(sql, leaf);
      return OkStatus();
    };
    return database_.Write("note something in the journal", work);
  }

  Result<Comparisons> FindComparisons() override {
    const auto work = [](Connection& sql) -> Result<Comparisons> {
      return Comparisons{.asked = Counter(sql, "ledger_asked"),
                         .answered = Counter(sql, "ledger_compared")};
    };
    return database_.Read("read the journal", work);
  }

  Result<std::int64_t> AskForComparison() override {
    const auto work = [](Connection& sql) -> Result<std::int64_t> {
      sql.Run("UPDATE counters SET value = value + 1 WHERE name = 'ledger_asked'");
      return Counter(sql, "ledger_asked");
    };
    return database_.Write("ask for a comparison with the ledger", work);
  }

  Status AnswerComparisons(std::int64_t number) override {
    const auto work = [&](Connection& sql) {
      // These may be other records than those that asked.
      if (Counter(sql, "ledger_asked") < number) return OkStatus();
      sql.Run("UPDATE counters SET value = :number WHERE name = 'ledger_compared'", number);
      return OkStatus();
    };
    return database_.Write("answer for the ledger", work);
  }

 private:
  // Whether it is the first that the ledger has of an item.
  static bool Begins(const Leaf& leaf) {
    return leaf.kind == LeafKind::kCreated || leaf.kind == LeafKind::kRefused;
  }

  // Its task may be gone by now.
  void ForgetRefusalOfNobody(Connection& sql, const JournalEntry& entry) const {
    if (entry.leaf.kind != LeafKind::kRefused) return;
    if (sql.Number("SELECT COUNT(*) FROM tasks WHERE audio_item = :item", entry.item) == 0) {
      items_.ForgetRefusal(sql, entry.item);
    }
  }

  static void Append(std::vector<JournalEntry> some, std::vector<JournalEntry>& all) {
    all.insert(all.end(), std::make_move_iterator(some.begin()),
               std::make_move_iterator(some.end()));
  }

  std::vector<JournalEntry> Created(Connection& sql, const std::string& which, Int value,
                                    int limit) const {
    using Row = std::tuple<Int, Text, Int, Int, Int, Int>;
    std::vector<JournalEntry> entries;
    for (const auto& [seq, reference, data_class, count, due, kind] : sql.Rows<Row>(
             "SELECT seq, reference, data_class, remaining, due_s, kind FROM items WHERE " + which +
                 " ORDER BY seq LIMIT :limit",
             value, limit)) {
      entries.push_back({.number = seq,
                         .item = seq,
                         .leaf = {.kind = static_cast<LeafKind>(kind),
                                  .data_class = static_cast<DataClass>(data_class),
                                  .items = static_cast<std::uint32_t>(count),
                                  .due = sys_seconds(seconds(due)),
                                  .reference = HashOf(reference),
                                  .region = items_.region()}});
    }
    return entries;
  }

  std::vector<JournalEntry> Others(Connection& sql, const std::string& which, Int value,
                                   int limit) const {
    using Row = std::tuple<Int, Int, Int, Int, Int, Int, Int, Text, Int, Text, Int, Int, Int>;
    std::vector<JournalEntry> entries;
    // An item of its own has no row of items: it has no number, and COALESCE says what it has.
    for (const auto& [seq, kind, data_class, cause, count, due, item, own_reference, own_creation,
                      reference, creation, from, to] :
         sql.Rows<Row>("SELECT o.seq, o.kind, o.data_class, o.cause, o.item_count, o.due_s, "
                       "o.item, o.reference, o.creation, COALESCE(i.reference, ''), "
                       "COALESCE(i.leaf, -1), o.from_s, o.to_s FROM ledger_outbox o "
                       "LEFT JOIN items i ON i.seq = o.item WHERE " +
                           which + " ORDER BY o.seq LIMIT :limit",
                       value, limit)) {
      entries.push_back({.number = seq,
                         .item = item,
                         .leaf = {.kind = static_cast<LeafKind>(kind),
                                  .data_class = static_cast<DataClass>(data_class),
                                  .cause = static_cast<ErasureCause>(cause),
                                  .items = static_cast<std::uint32_t>(count),
                                  .due = sys_seconds(seconds(due)),
                                  .creation = CreationOf(item == 0 ? own_creation : creation),
                                  .reference = HashOf(item == 0 ? own_reference : reference),
                                  .region = items_.region(),
                                  .from = seconds(from),
                                  .to = seconds(to)}});
    }
    return entries;
  }

  static Int Counter(Connection& sql, std::string_view name) {
    return sql.Number("SELECT COALESCE(MAX(value), 0) FROM counters WHERE name = :name", name);
  }

  static std::uint64_t Settled(Connection& sql) {
    return static_cast<std::uint64_t>(Counter(sql, "ledger_leaves"));
  }

  static void SetSettled(Connection& sql, Int leaves) {
    sql.Run("UPDATE counters SET value = :leaves WHERE name = 'ledger_leaves'", leaves);
  }

  static void SettleOther(Connection& sql, Int seq, Int item, Int count) {
    sql.Run("DELETE FROM ledger_outbox WHERE seq = :seq", seq);
    if (item != 0) Subtract(sql, item, count);
  }

  static void Subtract(Connection& sql, Int item, Int count) {
    sql.Run("UPDATE items SET remaining = remaining - :count WHERE seq = :item", count, item);
    sql.Run("DELETE FROM items WHERE seq = :item AND remaining <= 0", item);
  }

  // Of an item of which no row is held any more: what the ledger was not told yet it has to be, and
  // no more than that.
  void QueueTheRest(Connection& sql, Int item) const {
    const Int rest =
        sql.Number("SELECT COALESCE(SUM(remaining), 0) FROM items WHERE seq = :item", item);
    Int queued = sql.Number(
        "SELECT COALESCE(SUM(item_count), 0) FROM ledger_outbox WHERE item = :item", item);
    if (queued < rest) items_.Erase(sql, item, rest - queued, ErasureCause::kRequested);
    for (const auto& [seq, count] : sql.Rows<std::tuple<Int, Int>>(
             "SELECT seq, item_count FROM ledger_outbox WHERE item = :item ORDER BY seq", item)) {
      if (queued <= rest) return;
      const Int fewer = std::min(count, queued - rest);
      sql.Run("UPDATE ledger_outbox SET item_count = item_count - :fewer WHERE seq = :seq", fewer,
              seq);
      sql.Run("DELETE FROM ledger_outbox WHERE seq = :seq AND item_count = 0", seq);
      queued -= fewer;
    }
  }

  static void NoteLeaf(Connection& sql, const Leaf& leaf) {
    const Int creation =
        leaf.creation == kNoLeaf ? kNotInTheLedger : static_cast<Int>(leaf.creation);
    sql.Run(
        "INSERT INTO ledger_outbox (kind, data_class, cause, item_count, due_s, item, reference, "
        "creation, from_s, to_s) VALUES (:kind, :class, :cause, :count, :due, 0, :reference, "
        ":creation, :from, :to)",
        leaf.kind, leaf.data_class, leaf.cause, leaf.items, leaf.due.time_since_epoch().count(),
        HexOf(leaf.reference), creation, leaf.from.count(), leaf.to.count());
  }

  // A creation that we know, and did not know to be told; or one of which we know nothing, because
  // the records are older: then what it was about is not here.
  void RecoverCreation(Connection& sql, const Leaf& leaf, Int number, Recovery& recovery) const {
    const std::string reference = HexOf(leaf.reference);
    if (sql.Run("UPDATE items SET leaf = :leaf WHERE reference = :reference", number, reference) >
        0) {
      ++recovery.settled;
      if (leaf.kind == LeafKind::kRefused) {
        const Int item =
            sql.Number("SELECT seq FROM items WHERE reference = :reference", reference);
        ForgetRefusalOfNobody(sql, {.item = item, .leaf = leaf});
      }
      return;
    }
    if (leaf.kind == LeafKind::kRefused) return;  // nothing was held
    Leaf lost = leaf;
    lost.kind = LeafKind::kErased;
    lost.cause = ErasureCause::kLost;
    lost.creation = static_cast<std::uint64_t>(number);
    NoteLeaf(sql, lost);
    recovery.lost += static_cast<int>(leaf.items);
  }

  void RecoverErasure(Connection& sql, const Leaf& leaf, Recovery& recovery) const {
    const std::string reference = HexOf(leaf.reference);
    const auto ours = sql.Rows<std::tuple<Int, Int>>(
        "SELECT o.seq, o.item FROM ledger_outbox o JOIN items i ON i.seq = o.item "
        "WHERE i.reference = :reference AND o.item_count = :count ORDER BY o.seq LIMIT 1",
        reference, leaf.items);
    if (!ours.empty()) {
      const auto& [seq, item] = ours.front();
      SettleOther(sql, seq, item, leaf.items);
      ++recovery.settled;
      return;
    }
    // Lost by our records, as it was created after them; but it was erased after that.
    const auto lost = sql.Rows<std::tuple<Int, Int>>(
        "SELECT seq, item_count FROM ledger_outbox WHERE item = 0 AND kind = :kind AND "
        "reference = :reference ORDER BY seq LIMIT 1",
        LeafKind::kErased, reference);
    if (!lost.empty()) {
      const auto& [seq, count] = lost.front();
      if (count <= Int{leaf.items}) {
        sql.Run("DELETE FROM ledger_outbox WHERE seq = :seq", seq);
      } else {
        sql.Run("UPDATE ledger_outbox SET item_count = item_count - :count WHERE seq = :seq",
                leaf.items, seq);
      }
      recovery.lost -= static_cast<int>(leaf.items);
      return;
    }
    const auto held = sql.Rows<std::tuple<Int, Int>>(
        "SELECT seq, data_class FROM items WHERE reference = :reference", reference);
    if (held.empty()) return;
    const auto& [item, data_class] = held.front();
    forgetting_.WipeAgain(sql, item, static_cast<DataClass>(data_class));
    Subtract(sql, item, leaf.items);
    QueueTheRest(sql, item);
    recovery.erased_again += static_cast<int>(leaf.items);
  }

  static void RecoverNote(Connection& sql, const Leaf& leaf, Recovery& recovery) {
    const auto ours = sql.Rows<std::tuple<Int>>(
        "SELECT seq FROM ledger_outbox WHERE kind = :kind AND data_class = :class AND "
        "reference = :reference AND from_s = :from AND to_s = :to ORDER BY seq LIMIT 1",
        leaf.kind, leaf.data_class, HexOf(leaf.reference), leaf.from.count(), leaf.to.count());
    if (ours.empty()) return;
    sql.Run("DELETE FROM ledger_outbox WHERE seq = :seq", std::get<0>(ours.front()));
    ++recovery.settled;
  }

  Database& database_;
  const ItemBook& items_;
  const TaskForgetting forgetting_;
};

}  // namespace

std::unique_ptr<Journal> MakeSqlJournal(Database& database, const ItemBook& items,
                                        TaskForgetting forgetting) {
  return std::make_unique<SqlJournal>(database, items, forgetting);
}

}  // namespace lethe
