#pragma once

// Brings what the records' journal has for the ledger into the ledger (store/journal.h), on a
// thread of its own, and makes receipts of what was just erased.
//
// Several nodes may share records; one of them has the ledger: the first that was started, and when
// its process is gone and the ledger's folder is shared, another. What the others erase is told by
// it, and is proven as soon as it was.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "ledger/ledger.h"
#include "service/decision_feed.h"
#include "store/journal.h"

namespace lethe {

/// With `decisions` it also keeps the file of decisions beside the ledger; none: somebody else
/// does.
///
/// Thread: any. Lifetime: the journal, the clock and the decisions outlive it
class LedgerFeed {
 public:
  LedgerFeed(Journal& journal, const LedgerOptions& options, const Clock& clock,
             DecisionFeed* decisions = nullptr)
      : journal_(journal), options_(options), clock_(clock), decisions_(decisions) {}
  ~LedgerFeed() { Stop(); }
  LedgerFeed(const LedgerFeed&) = delete;
  LedgerFeed& operator=(const LedgerFeed&) = delete;

  /// Tells the ledger all that is in the journal, having opened it if it was not open yet.
  /// Errors: kFailedPrecondition when another process has the ledger; kDataLoss when the ledger has
  ///         less than it was told; as Ledger and Journal
  Status CatchUp();

  /// Of a process that does not have the ledger: waits until the one that has it has compared it
  /// with the records since this call, or until it is ours.
  /// Errors: kUnavailable when that took longer than `patience`; as Journal
  Status AwaitComparison(Millis patience);

  /// From now on, every second or as soon as Wake() says so.
  void Start();
  void Wake();
  /// Tells what is left, and signs it.
  void Stop();

  /// Tells the ledger what was erased, before all else that is in the journal, and returns receipts
  /// of it, in order. Errors: as CatchUp()
  Result<std::vector<Receipt>> Prove(std::span<const ErasedItem> erased);

  /// The receipt of a leaf that the ledger has, with the opening of what it is about.
  /// Errors: as CatchUp()
  Result<Receipt> ProveLeaf(std::uint64_t number, const MerkleHash& opening);

  /// What anybody may know: the last signed head, as it is written, and the keys that sign heads,
  /// in order; and the hashes that prove the ledger to go on from the head of its first `from`
  /// leaves (RFC 9162, section 2.1.4). Errors: kUnavailable where another process has the ledger;
  /// kNotFound before the first head; kFailedPrecondition when that has fewer leaves than `from`
  struct Published {
    std::string head;
    std::vector<std::string> keys;
    std::vector<MerkleHash> consistency;
  };
  Result<Published> Publish(std::optional<std::uint64_t> from = {});

  /// Tells the ledger of certain items, before all else that is in the journal. Errors: as
  /// CatchUp()
  Status TellNow(std::span<const ErasedItem> items);

  struct Report {
    bool is_ours = false;  // whether this process writes the ledger
    std::uint64_t leaves = 0, heads = 0;
    std::uint64_t failures = 0;  // times that it could not be told
    std::string error;           // of the last time; empty: it was told
    Millis lateness{0};          // since it was told without an error, or another process had it
    Journal::Recovery recovery;  // of all comparisons
  };
  Report report() const;

 private:
  Status Open() REQUIRES(telling_);
  // No longer has what it may be wrong about; the next comparison opens it again.
  void Close() REQUIRES(telling_);
  Status Recover() REQUIRES(telling_);
  // Opens the ledger if it is not open, and makes the records agree with it.
  Status Compare() REQUIRES(telling_);
  Status CatchUpNow() REQUIRES(telling_);
  // Tells at most a batch; says whether there may be more.
  Result<bool> TellBatch() REQUIRES(telling_);
  Status TellDecisions() REQUIRES(telling_);
  Status TellOf(std::span<const ErasedItem> items) REQUIRES(telling_);
  Status Tell(std::span<const JournalEntry> entries) REQUIRES(telling_);
  void Note(const Status& status) REQUIRES(telling_);
  void Remember(std::span<const JournalEntry> entries, std::uint64_t first) REQUIRES(telling_);
  void Run();

  // Constant after construction.
  Journal& journal_;
  const LedgerOptions options_;
  const Clock& clock_;
  DecisionFeed* const decisions_;  // whoever has the ledger has its file, too
  // Whose turn it is to tell the ledger.
  Mutex telling_;
  std::unique_ptr<Ledger> ledger_ GUARDED_BY(telling_);
  bool somebody_waits_ GUARDED_BY(telling_) = false;  // for a head that proves an erasure
  // What was erased of late: where it is in the ledger.
  std::map<MerkleHash, std::uint64_t> erased_ GUARDED_BY(telling_);
  std::deque<MerkleHash> erased_in_order_ GUARDED_BY(telling_);

  // Any thread.
  mutable Mutex mutex_;
  CondVar changed_;
  Report report_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point told_ GUARDED_BY(mutex_) = std::chrono::steady_clock::now();
  bool woken_ GUARDED_BY(mutex_) = false, stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace lethe
