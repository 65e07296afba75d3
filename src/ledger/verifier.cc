#include "ledger/verifier.h"

#include <algorithm>

#include "ledger/export.h"
#include "ledger/internal/account_keeper.h"
#include "ledger/internal/findings.h"
#include "ledger/merkle_tree.h"

namespace lethe {
namespace {

using std::chrono::sys_seconds;

// A root that the leaves have to have at some size.
struct Expected {
  std::uint64_t size = 0;
  MerkleHash root{};
  FindingKind kind = FindingKind::kHistory;
  std::string what;                 // "head 3"
  std::optional<sys_seconds> time;  // of a head of the export, whose time stands among the leaves'
};

class ExportVerifier {
 public:
  ExportVerifier(const ExportView& view, const VerifyOptions& options)
      : view_(view), options_(options), accounts_(view, options, findings_) {}

  Verification Run() {
    result_.num_leaves = view_.num_leaves();
    result_.num_heads = view_.heads.size();
    if (!view_.is_undamaged) {
      findings_.Add(FindingKind::kDamaged,
                    "the hash at the end of the file is not that of the file");
    }
    FollowHeads();
    if (options_.remembered_head) ExpectRemembered(*options_.remembered_head);
    for (const Receipt& receipt : options_.receipts) ExpectReceipt(receipt);
    GoThroughLeaves();
    if (result_.last_head && options_.at) CheckAge(result_.last_head->time, *options_.at);
    accounts_.Finish(result_.last_head ? result_.last_head->time : last_time_, result_);
    result_.num_findings = findings_.count();
    result_.findings = findings_.Take();
    return std::move(result_);
  }

 private:
  bool IsSignedByAny(const SignedHead& head) const {
    return std::ranges::any_of(result_.keys,
                               [&](const VerifierKey& key) { return head.IsSignedBy(key); });
  }

  // Each head has to be signed by the key that the heads before it lead to.
  void FollowHeads() {
    Result<VerifierKey> key = VerifierKey::Parse(view_.first_key);
    if (!key.ok()) {
      findings_.Add(FindingKind::kMalformed, "the first public key is none");
      return;
    }
    result_.origin = key->name;
    result_.keys.push_back(*std::move(key));
    for (std::size_t number = 0; number < view_.heads.size(); ++number) {
      const std::string name = "head " + std::to_string(number);
      const Result<SignedHead> parsed = SignedHead::Parse(view_.heads[number]);
      if (!parsed.ok()) {
        findings_.Add(FindingKind::kMalformed, name + " is none");
      } else {
        FollowHead(name, *parsed);
      }
    }
    if (!result_.last_head) {
      findings_.Add(FindingKind::kSignature, "nothing is signed by the key");
    } else if (result_.last_head->size < view_.num_leaves()) {
      findings_.Add(FindingKind::kHistory, "no head vouches for the leaves from " +
                                               std::to_string(result_.last_head->size) + " on");
    }
    if (options_.trusted_key) {
      result_.is_key_trusted =
          std::ranges::find(result_.keys, *options_.trusted_key) != result_.keys.end();
      if (!result_.is_key_trusted) {
        findings_.Add(FindingKind::kSignature, "the key that is trusted does not sign this ledger");
      }
    }
  }

  void FollowHead(const std::string& name, const SignedHead& signed_head) {
    const TreeHead& head = signed_head.head();
    if (head.origin != result_.origin) {
      findings_.Add(FindingKind::kSignature, name + " is of another ledger");
      return;
    }
    if (!signed_head.IsSignedBy(result_.keys.back())) {
      findings_.Add(FindingKind::kSignature, name + " is not signed by the ledger's key");
      return;
    }
    if (head.next_key) {
      if (head.next_key->name != result_.origin || !signed_head.IsSignedBy(*head.next_key)) {
        findings_.Add(FindingKind::kSignature,
                      name + " hands over to a key that did not sign it too");
        return;
      }
      result_.keys.push_back(*head.next_key);
    }
    if (result_.last_head && head.size < result_.last_head->size) {
      findings_.Add(FindingKind::kHistory, name + " has fewer leaves than the one before");
      return;
    }
    if (result_.last_head) NoteGap({.from = result_.last_head->time, .to = head.time});
    result_.last_head = head;
    if (head.size > view_.num_leaves()) {
      findings_.Add(FindingKind::kHistory, name + " vouches for " + std::to_string(head.size) +
                                               " leaves, and there are " +
                                               std::to_string(view_.num_leaves()));
      return;
    }
    expected_.push_back({.size = head.size, .root = head.root, .what = name, .time = head.time});
  }

  void NoteGap(const HeadGap& gap) {
    if (gap.length() <= kLongestBetweenHeads) return;
    ++result_.num_gaps;
    if (!result_.longest_gap || result_.longest_gap->length() < gap.length()) {
      result_.longest_gap = gap;
    }
  }

  void CheckAge(sys_seconds head, sys_seconds at) {
    if (at - head <= kOldestLastHead) return;
    findings_.Add(FindingKind::kStale,
                  "the last head, of " + ShowUtc(head) + ", is " +
                      std::to_string(std::chrono::floor<std::chrono::hours>(at - head).count()) +
                      " h older than the time that was asked about: nothing here says what was "
                      "erased since");
  }

  void ExpectRemembered(const SignedHead& head) {
    if (!IsSignedByAny(head)) {
      findings_.Add(FindingKind::kSignature,
                    "the head that was kept is not signed by a key of this ledger");
    } else if (head.head().size > view_.num_leaves()) {
      findings_.Add(FindingKind::kHistory,
                    "the head that was kept has " + std::to_string(head.head().size) +
                        " leaves, and this export is older or was rolled back to " +
                        std::to_string(view_.num_leaves()));
    } else {
      expected_.push_back(
          {.size = head.head().size, .root = head.head().root, .what = "the head that was kept"});
    }
  }

  void ExpectReceipt(const Receipt& receipt) {
    const TreeHead& head = receipt.head.head();
    if (!IsSignedByAny(receipt.head)) {
      findings_.Add(FindingKind::kReceipt, "the receipt is not signed by a key of this ledger");
    } else if (!receipt.ProvesInclusion()) {
      findings_.Add(FindingKind::kReceipt, "the receipt does not prove its leaf");
    } else if (head.size > view_.num_leaves()) {
      findings_.Add(FindingKind::kReceipt, "the receipt is newer than this export");
    } else if (!std::ranges::equal(EncodeLeaf(receipt.leaf), view_.leaf(receipt.number))) {
      findings_.Add(FindingKind::kReceipt, "the receipt's leaf is not the ledger's leaf " +
                                               std::to_string(receipt.number));
    } else {
      expected_.push_back({.size = head.size,
                           .root = head.root,
                           .kind = FindingKind::kReceipt,
                           .what = "the receipt's head"});
    }
  }

  void GoThroughLeaves() {
    std::ranges::stable_sort(expected_, {}, &Expected::size);
    CompactRange range;
    auto next = expected_.begin();
    for (std::uint64_t number = 0;; ++number) {
      for (; next != expected_.end() && next->size == number; ++next) CheckRoot(*next, range);
      if (number == view_.num_leaves()) return;
      const auto bytes = view_.leaf(number);
      range.Append(HashLeaf(bytes));
      const Result<Leaf> leaf = DecodeLeaf(bytes);
      if (!leaf.ok()) {
        findings_.Add(FindingKind::kMalformed,
                      "leaf " + std::to_string(number) + ": " + leaf.status().message());
        continue;
      }
      CheckTime("leaf " + std::to_string(number), leaf->time);
      accounts_.Add(number, *leaf);
    }
  }

  void CheckRoot(const Expected& expected, const CompactRange& range) {
    if (expected.time) CheckTime(expected.what, *expected.time);
    if (range.Root() == expected.root) {
      last_good_size_ = expected.size;
    } else {
      findings_.Add(expected.kind, expected.what + " was signed over other leaves than the first " +
                                       std::to_string(expected.size) + " here; the first " +
                                       std::to_string(last_good_size_) + " are as signed");
    }
  }

  // Leaves and heads together go forward. So what is dated back has to have been written before the
  // next head was signed.
  void CheckTime(const std::string& what, sys_seconds time) {
    if (time < last_time_)
      findings_.Add(FindingKind::kTime, what + " is dated before the one before");
    last_time_ = std::max(last_time_, time);
  }

  const ExportView& view_;
  const VerifyOptions& options_;
  Findings findings_;
  AccountKeeper accounts_;
  Verification result_;
  std::vector<Expected> expected_;
  sys_seconds last_time_{};
  std::uint64_t last_good_size_ = 0;
};

}  // namespace

std::string_view FindingKindName(FindingKind kind) {
  switch (kind) {
    case FindingKind::kDamaged:
      return "damaged";
    case FindingKind::kMalformed:
      return "malformed";
    case FindingKind::kSignature:
      return "signature";
    case FindingKind::kHistory:
      return "history";
    case FindingKind::kTime:
      return "time";
    case FindingKind::kErasure:
      return "erasure";
    case FindingKind::kPeriod:
      return "period";
    case FindingKind::kLate:
      return "late";
    case FindingKind::kOverdue:
      return "overdue";
    case FindingKind::kKey:
      return "key";
    case FindingKind::kStale:
      return "stale";
    case FindingKind::kReceipt:
      return "receipt";
  }
  return {};
}

Result<Verification> VerifyExport(std::span<const std::byte> file, const VerifyOptions& options) {
  ASSIGN_OR_RETURN(const ExportView view, ExportView::Parse(file));
  return ExportVerifier(view, options).Run();
}

std::optional<Finding> VerifyReceipt(const Receipt& receipt, const VerifierKey& trusted_key) {
  if (!receipt.head.IsSignedBy(trusted_key)) {
    return Finding{FindingKind::kSignature, "the receipt is not signed by the key that is trusted"};
  }
  if (!receipt.ProvesInclusion()) {
    return Finding{FindingKind::kReceipt, "the receipt does not prove its leaf"};
  }
  return std::nullopt;
}

std::span<const std::string_view> CannotProve() {
  static constexpr std::array<std::string_view, 5> kLines = {
      "that no copy was made outside the service: of a disk, of a backup, by somebody who was "
      "shown it",
      "that all that was stored was written down here: what was never entered is not missed",
      "that an erased file is gone from every medium; that is what sealing and destroyed keys are "
      "for",
      "times between two heads: the operator's clock and word, and no more than the time between "
      "them",
      "that others were shown the same ledger: keep a head, and compare it with the next export",
  };
  return kLines;
}

}  // namespace lethe
