#pragma once

// The journal: what the ledger has yet to be told about the records. Whatever creates or erases
// something that is held writes here too, in the same transaction; so no creation and no erasure is
// ever missing in the ledger, and none is there that did not happen.
//
//   transaction {row, item} --> Pending() --> Ledger::Append() --> Settle()
//
// If the process ends between the last two, the ledger has leaves that are not settled: Recover()
// is shown them and finds out which they are. So each is told once. It also tells when the records
// are older than the ledger, as a backup that was put back is: what the ledger says is erased is
// erased again.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "ledger/item_reference.h"
#include "ledger/leaf.h"

namespace lethe {

struct JournalEntry {
  std::int64_t number = 0;  // names it, among those of its kind
  std::int64_t item = 0;    // which item it is about; 0: none
  Leaf leaf;                // but for its time
};

/// Something that was erased, for its receipt.
struct ErasedItem {
  DataClass data_class = DataClass::kResult;
  std::string id;  // what a receipt says it is about: "task:1234"
  MerkleHash reference{}, opening{};
};

/// Something the ledger was told of when it began: that it was stored, or that it was not.
struct BegunItem {
  ErasedItem item;
  std::uint64_t leaf = kNoLeaf;  // its number; kNoLeaf: not told yet
};

/// Thread: any, but one at a time from Pending() to Settle()
/// Errors: as Store
class Journal {
 public:
  virtual ~Journal() = default;

  /// The name of the ledger that these records are told to; empty: none yet.
  virtual Result<std::string> Origin() = 0;
  /// Errors: kFailedPrecondition when it is another one already
  virtual Status SetOrigin(const std::string& origin) = 0;

  /// At most `limit` entries, in the order in which they are to be told.
  virtual Result<std::vector<JournalEntry>> Pending(int limit) = 0;

  /// What is to be told of certain items, at most of kMaxAtOnce of them; as Pending().
  static constexpr std::size_t kMaxAtOnce = 100;
  virtual Result<std::vector<JournalEntry>> PendingOf(std::span<const ErasedItem> items) = 0;

  /// They are in the ledger now, in their order, the first one as leaf `first`.
  virtual Status Settle(std::span<const JournalEntry> entries, std::uint64_t first) = 0;

  /// How many leaves of the ledger are settled.
  virtual Result<std::uint64_t> SettledLeaves() = 0;

  /// What became of leaves that were not known to be settled.
  struct Recovery {
    int leaves = 0;        // how many they were
    int settled = 0;       // entries of ours that were there already
    int erased_again = 0;  // items that the ledger says are erased, and that were held
    int lost = 0;          // items that the ledger says are held, and that are not
  };
  /// Leaves from SettledLeaves() on, the first one being that. Errors: as Store
  virtual Result<Recovery> Recover(std::span<const Leaf> leaves) = 0;

  /// Something to be told that no record shows: a refusal, a changed period, a destroyed key.
  virtual Status Note(const Leaf& leaf) = 0;

  /// Nodes that do not have the ledger ask the one that has to compare the records with it, and
  /// wait for the answer: so they know that what a backup brought back is erased again.
  struct Comparisons {
    std::int64_t asked = 0, answered = 0;  // numbers, counting up
  };
  virtual Result<Comparisons> FindComparisons() = 0;
  /// Returns the number of the question.
  virtual Result<std::int64_t> AskForComparison() = 0;
  /// All up to `number` are answered.
  virtual Status AnswerComparisons(std::int64_t number) = 0;
};

}  // namespace lethe
