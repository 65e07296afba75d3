#pragma once

// The ledger: an append-only log of what was created and erased, as a Merkle tree whose heads are
// signed. In its folder are
//
//   ledger.txt        its name, its first public key, the size of its segments
//   leaves-NNNNNNNN   the leaves, with checksums; they are what the rest follows from
//   tree              the hashes of all perfect subtrees
//   heads             the signed heads
//   lock              held by the process that writes
//   decisions         not the ledger's: what was decided (ledger/decision_file.h)
//
// and elsewhere, apart from it, the file of the key that signs. What an outsider can conclude from
// an export of it is in ledger/verifier.h and docs/ledger.md.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "ledger/leaf.h"
#include "ledger/merkle_tree.h"
#include "ledger/receipt.h"
#include "ledger/signed_head.h"
#include "ledger/signing_key.h"

namespace lethe {

struct LedgerOptions {
  std::string folder;  ///< made with a mode of 0700 if it is not there; its parent has to be
  std::string signing_key_file;  ///< made with the ledger
  /// The name of a new ledger (see IsKeyName()); none means "lethe-ledger/" and random digits.
  std::string origin;
  /// SignHeadIfDue() signs when the last head is that old and there are new leaves.
  Millis head_interval{10 * 60 * 1000};
  /// Of a new ledger.
  std::uint64_t leaves_per_segment = 1 << 20;
};

/// The most leaves of one Append().
inline constexpr std::size_t kMaxBatchLeaves = 65'536;

/// Memory: some bytes for each head; nothing that grows with the leaves
/// Thread: any. Writers wait for each other; what several want to append meanwhile is brought to
/// the
///         disk together.
class Ledger {
 public:
  /// Opens a ledger to write to it, or begins one. What a power cut left of an unfinished Append()
  /// is cut off, and cut_off_bytes() says so. Errors:   kFailedPrecondition when another process
  /// writes to it, or the signing key is not the
  ///           ledger's; kDataLoss when it is not what was written or lags behind its signed heads;
  ///           as LoadKeyFile() (base/key_file.h)
  /// Lifetime: the clock has to outlive the ledger
  static Result<std::unique_ptr<Ledger>> Open(const LedgerOptions& options, const Clock& clock);

  /// Opens what is signed of a ledger, also while another process writes to it. Needs no key, and
  /// whatever would write is kFailedPrecondition.
  /// Errors: kNotFound when there is none; kDataLoss
  static Result<std::unique_ptr<Ledger>> OpenForReading(const std::string& folder);
  ~Ledger();

  /// Adds leaves and sets their times: now, and never less than the last leaf's or head's, whatever
  /// the clock does. They are on the disk when this returns. Returns the number of the first.
  /// Errors: kInvalidArgument for a leaf that is wrong (CheckLeaf()), that stays longer than its
  ///         class may, or refers to a creation that is not there, and for more than
  ///         kMaxBatchLeaves; kResourceExhausted for a full disk; kUnavailable once a write has
  ///         failed in a way that leaves open what is on the disk. After an error none of the
  ///         leaves counts; if the power fails meanwhile, the first of them may be there
  Result<std::uint64_t> Append(std::span<const Leaf> leaves);

  /// Signs what there is now.
  Result<SignedHead> SignHead();
  /// Signs if the last head is older than the interval and there are new leaves, if it is older
  /// than a day, or if very many leaves are not signed. To be called now and then.
  Status SignHeadIfDue();
  /// Makes a new key and a head that hands over to it, signed by both; the old key is destroyed.
  Result<SignedHead> RotateKey();

  std::uint64_t size() const { return size_; }
  std::uint64_t num_heads() const;
  Result<SignedHead> ReadHead(std::uint64_t number) const;
  /// Errors: kNotFound when nothing was signed yet
  Result<SignedHead> LastHead() const;
  /// The first key and those that took over, in order.
  std::vector<VerifierKey> keys() const;
  const std::string& origin() const { return origin_; }

  /// Errors: kNotFound behind the end; kDataLoss
  Result<Leaf> Read(std::uint64_t number) const;
  /// Reads the encoded leaves from `first` on. Errors: as Read()
  Status ReadEncoded(std::uint64_t first,
                     std::span<std::array<std::byte, kLeafBytes>> leaves) const;

  /// The receipt of a leaf under the first head that has it, signed for it if there is none.
  /// Errors: as Read() and SignHead()
  Result<Receipt> Prove(std::uint64_t number);
  /// Errors: kInvalidArgument when there are not so many leaves; kDataLoss
  Result<std::vector<MerkleHash>> ProveConsistency(std::uint64_t old_size,
                                                   std::uint64_t new_size) const;

  std::uint64_t cut_off_bytes() const;
  /// Whether the hashes of the tree had to be made anew from the leaves.
  bool tree_was_rebuilt() const { return tree_was_rebuilt_; }

 private:
  struct Request;
  struct Files;
  class Turn;

  Ledger(LedgerOptions options, const Clock& clock);
  Status Begin();
  Status ReadAbout();
  Status OpenKey();
  std::string NextKeyFile() const;
  Status ReplaceKeyFile() const;
  Status OpenFiles(bool writable);
  Status CatchUp(std::uint64_t signed_size);
  Status AddToTree(std::span<const std::array<std::byte, kLeafBytes>> leaves);
  void Commit(std::span<Request* const> group);
  Status CommitLeaves(std::span<const Leaf* const> leaves);
  std::chrono::sys_seconds Now() const;
  bool IsHeadDue() const;
  Result<SignedHead> SignNow(const SigningKey* next_key);
  NodeReader Nodes() const;

  // Constant after opening.
  LedgerOptions options_;
  const Clock& clock_;
  std::string origin_;
  VerifierKey first_key_;
  bool writable_ = false, tree_was_rebuilt_ = false;
  // Any thread; they lock for themselves.
  std::unique_ptr<Files> files_;
  std::atomic<std::uint64_t> size_ = 0;
  // Whose turn it is to write.
  std::optional<SigningKey> key_;
  CompactRange range_;
  std::chrono::sys_seconds last_time_{};
  bool broken_ = false;
  // Any thread.
  Mutex mutex_;
  CondVar turn_is_over_;
  bool somebody_writes_ GUARDED_BY(mutex_) = false;
  std::vector<Request*> waiting_ GUARDED_BY(mutex_);
};

}  // namespace lethe
