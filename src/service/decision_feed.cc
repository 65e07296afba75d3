#include "service/decision_feed.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

namespace lethe {
namespace {

constexpr int kBatch = DecisionFile::kMostOfBatch;
constexpr std::chrono::hours kTidying{24};
// The key of nobody is there as long as the folder of keys, whatever its master key.
constexpr TenantId kNobody = 0;

}  // namespace

Status DecisionFeed::Open(const std::string& folder) {
  const std::string path = folder + "/decisions";
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(path, ignored);
  // Before there is a file: afterwards nobody would know that it began without them.
  if (is_new) RETURN_IF_ERROR(decisions_.QueueAll());
  ASSIGN_OR_RETURN(const auto key, keys_.TenantKey(kNobody));
  ASSIGN_OR_RETURN(file_, DecisionFile::Open(path, key->Mix(*key, "lethe decisions v1")));
  ASSIGN_OR_RETURN(const std::uint64_t settled, decisions_.Settled());
  const bool lost = settled > file_->next();
  {
    const MutexLock lock(mutex_);
    report_.damaged += file_->damaged();
    report_.lost |= lost;
  }
  file_->SkipTo(settled);
  RETURN_IF_ERROR(Compare());
  if (!is_new && (lost || file_->damaged() > 0)) RETURN_IF_ERROR(decisions_.QueueAll());
  RETURN_IF_ERROR(file_->Tidy(clock_.Now()));
  tidied_ = std::chrono::steady_clock::now();
  return OkStatus();
}

Status DecisionFeed::Compare() {
  ASSIGN_OR_RETURN(const std::uint64_t settled, decisions_.Settled());
  return settled < file_->next() ? PutBack(settled) : OkStatus();
}

Status DecisionFeed::PutBack(std::uint64_t settled) {
  ASSIGN_OR_RETURN(const std::vector<NumberedDecision> newer,
                   file_->ReadFrom(settled, clock_.Now()));
  DecisionsPutBack sum;
  std::span<const NumberedDecision> rest(newer);
  do {
    const auto some = rest.first(std::min<std::size_t>(rest.size(), kBatch));
    rest = rest.subspan(some.size());
    std::vector<Decision> decisions;
    for (const NumberedDecision& one : some) decisions.push_back(one.decision);
    const std::uint64_t next = rest.empty() ? file_->next() : rest.front().number;
    ASSIGN_OR_RETURN(const DecisionsPutBack part, decisions_.PutBack(decisions, next));
    sum += part;
  } while (!rest.empty());
  const MutexLock lock(mutex_);
  report_.put_back += sum;
  return OkStatus();
}

Status DecisionFeed::Tell() {
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<PendingDecision> pending, decisions_.Pending(kBatch));
    if (pending.empty()) break;
    std::vector<Decision> decisions;
    for (const PendingDecision& one : pending) decisions.push_back(one.decision);
    RETURN_IF_ERROR(file_->Append(decisions));
    RETURN_IF_ERROR(decisions_.Settle(pending, file_->next()));
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - tidied_ < kTidying) return OkStatus();
  tidied_ = now;
  return file_->Tidy(clock_.Now());
}

DecisionFeed::Report DecisionFeed::TakeReport() {
  const MutexLock lock(mutex_);
  return std::exchange(report_, {});
}

}  // namespace lethe
