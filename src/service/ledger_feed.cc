#include "service/ledger_feed.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/fact.h"
#include "base/file.h"

namespace lethe {
namespace {

constexpr std::chrono::seconds kInterval{1};
constexpr std::chrono::milliseconds kLook{100};
// Each batch is a transaction in whose way calls are.
constexpr int kBatch = 100;
// How many times as long as it took it rests behind a batch.
constexpr int kRest = 4;
// More than one erasure asks receipts for.
constexpr std::size_t kRemembered = 100'000;

}  // namespace

Status LedgerFeed::Open() {
  ASSIGN_OR_RETURN(const std::string origin, journal_.Origin());
  const bool is_here = ReadFile(options_.folder + "/ledger.txt", 1 << 16).ok();
  if (!origin.empty() && !is_here) {
    return FailedPrecondition("the ledger of these records is not here: " + origin + ", in " +
                              options_.folder);
  }
  ASSIGN_OR_RETURN(ledger_, Ledger::Open(options_, clock_));
  Status status = journal_.SetOrigin(ledger_->origin());
  if (status.ok()) status = Recover();
  if (status.ok() && decisions_ != nullptr) status = decisions_->Open(options_.folder);
  if (!status.ok()) Close();
  return status;
}

void LedgerFeed::Close() {
  if (decisions_ != nullptr) decisions_->Close();
  ledger_.reset();
}

Status LedgerFeed::Recover() {
  Journal::Recovery sum;
  for (;;) {
    ASSIGN_OR_RETURN(const std::uint64_t settled, journal_.SettledLeaves());
    const std::uint64_t size = ledger_->size();
    if (settled > size) {
      return DataLoss("the ledger has fewer leaves than it was told: " + std::to_string(size) +
                      " of " + std::to_string(settled));
    }
    if (settled == size) break;
    std::vector<Leaf> leaves;
    for (std::uint64_t i = settled; i < std::min(size, settled + kBatch); ++i) {
      ASSIGN_OR_RETURN(const Leaf leaf, ledger_->Read(i));
      leaves.push_back(leaf);
    }
    ASSIGN_OR_RETURN(const Journal::Recovery part, journal_.Recover(leaves));
    sum.leaves += static_cast<int>(leaves.size());
    sum.settled += part.settled;
    sum.erased_again += part.erased_again;
    sum.lost += part.lost;
  }
  const MutexLock lock(mutex_);
  report_.recovery.leaves += sum.leaves;
  report_.recovery.settled += sum.settled;
  report_.recovery.erased_again += sum.erased_again;
  report_.recovery.lost += sum.lost;
  return OkStatus();
}

Status LedgerFeed::Compare() {
  ASSIGN_OR_RETURN(const Journal::Comparisons comparisons, journal_.FindComparisons());
  if (ledger_ == nullptr) {
    RETURN_IF_ERROR(Open());
  } else {
    // Every time: the records may have been put back while we run.
    ASSIGN_OR_RETURN(const std::uint64_t settled, journal_.SettledLeaves());
    if (settled != ledger_->size()) RETURN_IF_ERROR(Recover());
    if (decisions_ != nullptr) RETURN_IF_ERROR(decisions_->Compare());
  }
  if (comparisons.asked == comparisons.answered) return OkStatus();
  return journal_.AnswerComparisons(comparisons.asked);
}

Status LedgerFeed::Tell(std::span<const JournalEntry> entries) {
  std::vector<Leaf> leaves;
  for (const JournalEntry& entry : entries) leaves.push_back(entry.leaf);
  const auto first = ledger_->Append(leaves);
  Status status = first.status();
  if (first.ok()) {
    status = journal_.Settle(entries, *first);
    Remember(entries, *first);
  }
  // What of it is in the ledger, and what of that is settled, is found out at the next opening.
  if (!status.ok()) Close();
  return status;
}

Status LedgerFeed::TellDecisions() {
  if (decisions_ == nullptr) return OkStatus();
  Status told = decisions_->Tell();
  if (!told.ok()) Close();
  return told;
}

Result<bool> LedgerFeed::TellBatch() {
  RETURN_IF_ERROR(Compare());
  RETURN_IF_ERROR(TellDecisions());
  ASSIGN_OR_RETURN(const std::vector<JournalEntry> entries, journal_.Pending(kBatch));
  if (entries.empty()) return false;
  RETURN_IF_ERROR(Tell(entries));
  return true;
}

Status LedgerFeed::TellOf(std::span<const ErasedItem> items) {
  RETURN_IF_ERROR(Compare());
  while (!items.empty()) {
    const auto some = items.first(std::min(items.size(), Journal::kMaxAtOnce));
    ASSIGN_OR_RETURN(const std::vector<JournalEntry> entries, journal_.PendingOf(some));
    if (entries.empty()) {
      items = items.subspan(some.size());
    } else {
      RETURN_IF_ERROR(Tell(entries));
    }
  }
  return OkStatus();
}

Status LedgerFeed::CatchUpNow() {
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, TellBatch());
    if (!more) return OkStatus();
  }
}

void LedgerFeed::Remember(std::span<const JournalEntry> entries, std::uint64_t first) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Leaf& leaf = entries[i].leaf;
    if (leaf.kind != LeafKind::kErased) continue;
    somebody_waits_ |=
        leaf.cause == ErasureCause::kRequested || leaf.cause == ErasureCause::kConsentWithdrawn;
    erased_[leaf.reference] = first + i;
    erased_in_order_.push_back(leaf.reference);
  }
  while (erased_in_order_.size() > kRemembered) {
    erased_.erase(erased_in_order_.front());
    erased_in_order_.pop_front();
  }
}

Status LedgerFeed::CatchUp() {
  const MutexLock telling(telling_);
  Status status = CatchUpNow();
  Note(status);
  return status;
}

Status LedgerFeed::AwaitComparison(Millis patience) {
  ASSIGN_OR_RETURN(const std::int64_t question, journal_.AskForComparison());
  const auto began = std::chrono::steady_clock::now();
  for (int look = 1; std::chrono::steady_clock::now() - began < patience; ++look) {
    std::this_thread::sleep_for(kLook);
    ASSIGN_OR_RETURN(const Journal::Comparisons comparisons, journal_.FindComparisons());
    if (comparisons.answered >= question) return OkStatus();
    // Whoever had it may be gone, and it be ours now.
    if (look % 10 == 0 && CatchUp().ok()) return OkStatus();
  }
  return Unavailable("the node that has the ledger did not answer, in seconds: " +
                     std::to_string(patience / std::chrono::seconds(1)));
}

void LedgerFeed::Note(const Status& status) {
  const MutexLock lock(mutex_);
  report_.is_ours = ledger_ != nullptr;
  if (ledger_ != nullptr) {
    report_.leaves = ledger_->size();
    report_.heads = ledger_->num_heads();
  }
  if (!status.ok() && status.message() != report_.error) ++report_.failures;
  report_.error = status.ok() ? std::string() : status.message();
  // Where another process has the ledger, that one tells it.
  if (status.ok() || status.code() == StatusCode::kFailedPrecondition) {
    told_ = std::chrono::steady_clock::now();
  }
}

Result<std::vector<Receipt>> LedgerFeed::Prove(std::span<const ErasedItem> erased) {
  const MutexLock telling(telling_);
  const Status told = TellOf(erased);
  Note(told);
  RETURN_IF_ERROR(told);
  std::vector<Receipt> receipts;
  for (const ErasedItem& item : erased) {
    const auto leaf = erased_.find(item.reference);
    if (leaf == erased_.end()) continue;
    ASSIGN_OR_RETURN(Receipt receipt, ledger_->Prove(leaf->second));
    receipt.opening = item.opening;
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

Status LedgerFeed::TellNow(std::span<const ErasedItem> items) {
  const MutexLock telling(telling_);
  Status told = TellOf(items);
  Note(told);
  return told;
}

Result<Receipt> LedgerFeed::ProveLeaf(std::uint64_t number, const MerkleHash& opening) {
  const MutexLock telling(telling_);
  RETURN_IF_ERROR(Compare());
  ASSIGN_OR_RETURN(Receipt receipt, ledger_->Prove(number));
  receipt.opening = opening;
  return receipt;
}

void LedgerFeed::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LedgerFeed::Wake() {
  {
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.NotifyAll();
}

void LedgerFeed::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.Unlock();
    const auto began = std::chrono::steady_clock::now();
    bool more = false;
    {
      const MutexLock telling(telling_);
      const Result<bool> told = TellBatch();
      Note(told.status());
      more = told.ok() && *told;
      if (told.ok() && !more && ledger_ != nullptr) {
        // Another process may have asked for it, which can only wait for a head.
        const bool now = std::exchange(somebody_waits_, false);
        const bool signed_now = now && ledger_->SignHead().ok();
        if (!signed_now) (void)ledger_->SignHeadIfDue();
      }
    }
    const auto worked = std::chrono::steady_clock::now() - began;
    lock.Lock();
    // Calls want the records, too.
    const auto rest = more ? kRest * worked : kInterval;
    const auto until = std::chrono::steady_clock::now() + rest;
    while (!stopping_ && (!woken_ || more) && changed_.WaitUntil(mutex_, until)) {
    }
  }
}

void LedgerFeed::Stop() {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  (void)CatchUp();
  const MutexLock telling(telling_);
  if (ledger_ == nullptr) return;
  const auto last = ledger_->LastHead();
  if (!last.ok() || last->head().size < ledger_->size()) (void)ledger_->SignHead();
  Close();
}

Result<LedgerFeed::Published> LedgerFeed::Publish(std::optional<std::uint64_t> from) {
  const MutexLock lock(telling_);
  if (ledger_ == nullptr) return Unavailable("another node writes the ledger");
  ASSIGN_OR_RETURN(const SignedHead head, ledger_->LastHead());
  Published published{.head = head.note(), .keys = {}, .consistency = {}};
  for (const VerifierKey& key : ledger_->keys()) published.keys.push_back(key.Text());
  if (!from) return published;
  if (*from > head.head().size) {
    return FailedPrecondition("the last head has fewer leaves than that: " +
                              std::to_string(head.head().size));
  }
  ASSIGN_OR_RETURN(published.consistency, ledger_->ProveConsistency(*from, head.head().size));
  return published;
}

LedgerFeed::Report LedgerFeed::report() const {
  const MutexLock lock(mutex_);
  Report report = report_;
  report.lateness = MillisSince(told_);
  return report;
}

}  // namespace lethe
