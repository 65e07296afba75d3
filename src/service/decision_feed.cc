#include "service/decision_feed.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace lethe {
namespace {

constexpr int kBatch = DecisionFile::kMostOfBatch;
constexpr std::chrono::hours kTidying{24};
constexpr std::uint64_t kUntidy = 10'000;  // records, 3 MB
// The key of nobody is there as long as the folder of keys, whatever its master key.
constexpr TenantId kNobody = 0;

}  // namespace

Status DecisionFeed::Open(const std::string& folder) {
  ASSIGN_OR_RETURN(const auto key, keys_.TenantKey(kNobody));
  ASSIGN_OR_RETURN(file_,
                   DecisionFile::Open(folder + "/decisions", key->Mix(*key, "lethe decisions v1")));
  ASSIGN_OR_RETURN(const KnownDecisions known, decisions_.Known());
  // Records from before the last opening but one know it by none of its names, and miss nothing.
  const bool lost = known.file != 0 && (file_->is_new() || known.next > file_->next());
  const bool misses_some = !IsOf(known) || lost || file_->damaged() > 0;
  file_->SkipTo(known.next);
  if (misses_some) {
    // The records know it once it has all that they say: until then it is gone through again.
    RETURN_IF_ERROR(PutBack(0, KnownDecisions()));
    RETURN_IF_ERROR(Tidy());
    RETURN_IF_ERROR(decisions_.QueueAll());
    RETURN_IF_ERROR(decisions_.Settle({}, Whole()));
  } else {
    RETURN_IF_ERROR(Compare());
    RETURN_IF_ERROR(Tidy());
  }
  const MutexLock lock(mutex_);
  report_.damaged += file_->damaged();
  report_.lost |= lost;
  return OkStatus();
}

Status DecisionFeed::Tidy() {
  RETURN_IF_ERROR(file_->Tidy(clock_.Now()));
  tidied_ = std::chrono::steady_clock::now();
  tidy_records_ = file_->records();
  return OkStatus();
}

bool DecisionFeed::IsOf(const KnownDecisions& known) const {
  return known.file == file_->name() || (known.file == file_->name_before() && known.file != 0);
}

KnownDecisions DecisionFeed::Whole() const {
  return {.file = file_->name(), .next = file_->next()};
}

Status DecisionFeed::Compare() {
  ASSIGN_OR_RETURN(const KnownDecisions known, decisions_.Known());
  // What the numbers of another file say of this one is nothing.
  return known == Whole() ? OkStatus() : PutBack(IsOf(known) ? known.next : 0, Whole());
}

Status DecisionFeed::PutBack(std::uint64_t first, const KnownDecisions& then) {
  ASSIGN_OR_RETURN(const std::vector<NumberedDecision> newer, file_->ReadFrom(first, clock_.Now()));
  DecisionsPutBack sum;
  std::span<const NumberedDecision> rest(newer);
  do {
    const auto some = rest.first(std::min<std::size_t>(rest.size(), kBatch));
    rest = rest.subspan(some.size());
    std::vector<Decision> decisions;
    for (const NumberedDecision& one : some) decisions.push_back(one.decision);
    const KnownDecisions known =
        rest.empty() ? then : KnownDecisions{.file = then.file, .next = rest.front().number};
    ASSIGN_OR_RETURN(const DecisionsPutBack part, decisions_.PutBack(decisions, known));
    sum += part;
  } while (!rest.empty());
  const MutexLock lock(mutex_);
  report_.put_back += sum;
  return OkStatus();
}

Status DecisionFeed::Tell() {
  if (!file_->IsInPlace()) {
    return Unavailable("the file of decisions beside the ledger was moved away or replaced");
  }
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<PendingDecision> pending, decisions_.Pending(kBatch));
    if (pending.empty()) break;
    std::vector<Decision> decisions;
    for (const PendingDecision& one : pending) decisions.push_back(one.decision);
    RETURN_IF_ERROR(file_->Append(decisions));
    RETURN_IF_ERROR(decisions_.Settle(pending, Whole()));
    // Whoever decides the same again and again fills no disk.
    if (file_->records() > 2 * tidy_records_ + kUntidy) RETURN_IF_ERROR(Tidy());
  }
  if (std::chrono::steady_clock::now() - tidied_ < kTidying) return OkStatus();
  return Tidy();
}

DecisionFeed::Report DecisionFeed::TakeReport() {
  const MutexLock lock(mutex_);
  return std::exchange(report_, {});
}

}  // namespace lethe
