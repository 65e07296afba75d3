#include "ledger/ledger.h"

#include <algorithm>

#include "base/check.h"
#include "ledger/internal/ledger_files.h"

namespace lethe {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// Opening hashes what is not signed; with this many it takes a moment.
constexpr std::uint64_t kMaxUnsignedLeaves = 1 << 17;
constexpr seconds kOldestHead = std::chrono::hours(24);

Status ReadingOnly() { return FailedPrecondition("the ledger is opened for reading only"); }

}  // namespace

// What one caller wants to append.
struct Ledger::Request {
  std::span<const Leaf> leaves;
  bool done = false;
  Status status;
  std::uint64_t first = 0;
};

// The right to write, while it lives. Several wait for it on the condition variable.
class Ledger::Turn {
 public:
  explicit Turn(Ledger& ledger) : ledger_(ledger) {
    const MutexLock lock(ledger_.mutex_);
    while (ledger_.somebody_writes_) ledger_.turn_is_over_.Wait(ledger_.mutex_);
    ledger_.somebody_writes_ = true;
  }
  ~Turn() {
    {
      const MutexLock lock(ledger_.mutex_);
      ledger_.somebody_writes_ = false;
    }
    ledger_.turn_is_over_.NotifyAll();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Ledger& ledger_;
};

NodeReader Ledger::Nodes() const {
  return [this](TreeNode node) { return files_->tree->Read(node); };
}

sys_seconds Ledger::Now() const { return std::max(last_time_, floor<seconds>(clock_.Now())); }

Result<std::uint64_t> Ledger::Append(std::span<const Leaf> leaves) {
  if (!writable_) return ReadingOnly();
  if (leaves.size() > kMaxBatchLeaves) {
    return InvalidArgument("too many leaves at once: " + std::to_string(leaves.size()));
  }
  for (const Leaf& leaf : leaves) {
    RETURN_IF_ERROR(CheckLeaf(leaf));
    if (leaf.creation != kNoLeaf && leaf.creation >= size_) {
      return InvalidArgument("the leaf refers to a creation that is not there: " +
                             std::to_string(leaf.creation));
    }
    const auto latest = floor<seconds>(clock_.Now()) + MaxLifetime(leaf.data_class);
    if (leaf.kind == LeafKind::kCreated && leaf.due > latest) {
      return InvalidArgument("longer than its class may be kept: " +
                             std::string(DataClassName(leaf.data_class)));
    }
  }
  Request request{.leaves = leaves};
  MutexLock lock(mutex_);
  waiting_.push_back(&request);
  while (!request.done) {
    if (somebody_writes_) {
      turn_is_over_.Wait(mutex_);
      continue;
    }
    // Nobody writes, so this thread does, for all who wait: one sync for all of them.
    std::size_t taken = 0, num_leaves = 0;
    while (taken < waiting_.size() &&
           num_leaves + waiting_[taken]->leaves.size() <= kMaxBatchLeaves) {
      num_leaves += waiting_[taken++]->leaves.size();
    }
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(taken);
    const std::vector<Request*> group(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    somebody_writes_ = true;
    lock.Unlock();
    Commit(group);
    lock.Lock();
    somebody_writes_ = false;
    for (Request* written : group) written->done = true;
    turn_is_over_.NotifyAll();
  }
  if (!request.status.ok()) return request.status;
  return request.first;
}

void Ledger::Commit(std::span<Request* const> group) {
  std::vector<const Leaf*> leaves;
  std::uint64_t next = size_;
  for (Request* request : group) {
    request->first = next;
    next += request->leaves.size();
    for (const Leaf& leaf : request->leaves) leaves.push_back(&leaf);
  }
  const Status status = CommitLeaves(leaves);
  for (Request* request : group) request->status = status;
}

Status Ledger::CommitLeaves(std::span<const Leaf* const> leaves) {
  if (broken_) {
    return Unavailable("the ledger could not be written earlier; start the service anew");
  }
  std::vector<LeafBytes> encoded;
  encoded.reserve(leaves.size());
  const sys_seconds now = Now();
  for (const Leaf* leaf : leaves) {
    Leaf stamped = *leaf;
    stamped.time = now;
    encoded.push_back(EncodeLeaf(stamped));
  }
  RETURN_IF_ERROR(files_->leaves->Append(encoded));
  last_time_ = now;
  // From here on the leaves are there. A tree that could not be written is made anew on opening.
  if (Status added = AddToTree(encoded); !added.ok()) {
    broken_ = true;
    return added;
  }
  size_ += leaves.size();
  return OkStatus();
}

Status Ledger::AddToTree(std::span<const LeafBytes> leaves) {
  std::vector<MerkleHash> completed;
  completed.reserve(2 * leaves.size() + 64);
  const std::uint64_t before = range_.size();
  for (const LeafBytes& leaf : leaves) range_.Append(HashLeaf(leaf), &completed);
  return files_->tree->Write(before, completed);
}

Result<SignedHead> Ledger::SignNow(const SigningKey* next_key) {
  if (broken_) {
    return Unavailable("the ledger could not be written earlier; start the service anew");
  }
  // The tree is on the disk before the head: opening trusts what was signed.
  RETURN_IF_ERROR(files_->tree->Sync());
  TreeHead head{.origin = origin_, .size = size_, .root = range_.Root(), .time = Now()};
  if (next_key != nullptr) head.next_key = next_key->verifier();
  SignedHead made = next_key == nullptr ? SignedHead::Sign(head, {&*key_})
                                        : SignedHead::Sign(head, {&*key_, next_key});
  if (Status added = files_->heads->Append(made); !added.ok()) {
    broken_ = true;
    return added;
  }
  last_time_ = head.time;
  return made;
}

Result<SignedHead> Ledger::SignHead() {
  if (!writable_) return ReadingOnly();
  const Turn turn(*this);
  return SignNow(nullptr);
}

bool Ledger::IsHeadDue() const {
  const Result<SignedHead> last = LastHead();
  if (!last.ok()) return size_ > 0;
  const std::uint64_t is_new = size_ - last->head().size;
  const auto age = clock_.Now() - last->head().time;
  return (is_new > 0 && age >= options_.head_interval) || age >= kOldestHead ||
         is_new >= kMaxUnsignedLeaves;
}

Status Ledger::SignHeadIfDue() {
  if (!writable_) return ReadingOnly();
  const Turn turn(*this);
  return IsHeadDue() ? SignNow(nullptr).status() : OkStatus();
}

Result<SignedHead> Ledger::RotateKey() {
  if (!writable_) return ReadingOnly();
  const Turn turn(*this);
  ASSIGN_OR_RETURN(SigningKey next_key,
                   SigningKey::Load(NextKeyFile(), origin_, /*may_create=*/true));
  ASSIGN_OR_RETURN(SignedHead head, SignNow(&next_key));
  // From here on the new key is the ledger's; opening finishes what is interrupted here.
  key_ = std::move(next_key);
  RETURN_IF_ERROR(ReplaceKeyFile());
  return head;
}

std::uint64_t Ledger::num_heads() const { return files_->heads->count(); }

std::uint64_t Ledger::cut_off_bytes() const {
  return files_->leaves->cut_off_bytes() + files_->heads->cut_off_bytes();
}

Result<SignedHead> Ledger::ReadHead(std::uint64_t number) const {
  return files_->heads->Read(number);
}

Result<SignedHead> Ledger::LastHead() const {
  const std::uint64_t count = files_->heads->count();
  if (count == 0) return NotFound("nothing of the ledger is signed yet");
  return files_->heads->Read(count - 1);
}

std::vector<VerifierKey> Ledger::keys() const {
  std::vector<VerifierKey> all = files_->heads->next_keys();
  all.insert(all.begin(), first_key_);
  return all;
}

Status Ledger::ReadEncoded(std::uint64_t first, std::span<LeafBytes> leaves) const {
  const std::uint64_t size = size_;
  if (first > size || leaves.size() > size - first) {
    return NotFound("the ledger has no leaves behind the number " + std::to_string(size));
  }
  return files_->leaves->Read(first, leaves);
}

Result<Leaf> Ledger::Read(std::uint64_t number) const {
  std::array<LeafBytes, 1> encoded;
  RETURN_IF_ERROR(ReadEncoded(number, encoded));
  return DecodeLeaf(encoded[0]);
}

Result<Receipt> Ledger::Prove(std::uint64_t number) {
  Receipt receipt;
  ASSIGN_OR_RETURN(receipt.leaf, Read(number));
  receipt.number = number;
  const std::uint64_t first = files_->heads->FirstOf(number + 1);
  ASSIGN_OR_RETURN(receipt.head, first < files_->heads->count() ? ReadHead(first) : SignHead());
  ASSIGN_OR_RETURN(receipt.proof, InclusionProof(number, receipt.head.head().size, Nodes()));
  if (!receipt.ProvesInclusion()) {
    return DataLoss(
        "a hash of the ledger is not what was written; remove its file `tree` and start "
        "the service anew: it is made again");
  }
  return receipt;
}

Result<std::vector<MerkleHash>> Ledger::ProveConsistency(std::uint64_t old_size,
                                                         std::uint64_t new_size) const {
  if (new_size > size_) {
    return InvalidArgument("the ledger has not so many leaves: " + std::to_string(new_size));
  }
  return ConsistencyProof(old_size, new_size, Nodes());
}

}  // namespace lethe
