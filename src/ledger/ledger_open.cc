// Opening a ledger: what it is, whose key signs it, and what of it a power cut left.

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <sys/stat.h>

#include "base/check.h"
#include "base/random.h"
#include "ledger/internal/ledger_files.h"
#include "ledger/ledger.h"
#include "seal/file_key_store.h"

namespace lethe {
namespace {

using Mode = RandomAccessFile::Mode;

// What is not signed is read and hashed in pieces of 384 KiB.
constexpr std::uint64_t kLeavesAtOnce = 4096;

Status NothingSigned(const std::string& folder) {
  return NotFound("nothing of the ledger is signed yet, in " + folder);
}

}  // namespace

Ledger::Ledger(LedgerOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), files_(std::make_unique<Files>()) {}

Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::Open(const LedgerOptions& options, const Clock& clock) {
  std::unique_ptr<Ledger> ledger(new Ledger(options, clock));
  ledger->writable_ = true;
  if (::mkdir(options.folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "cannot make the folder " + options.folder);
  }
  ASSIGN_OR_RETURN(ledger->files_->lock,
                   RandomAccessFile::Open(options.folder + "/lock", Mode::kWriteCreate));
  ASSIGN_OR_RETURN(const bool locked, ledger->files_->lock.TryLock());
  if (!locked) {
    return FailedPrecondition("another process writes to the ledger in " + options.folder);
  }
  const Status read = ledger->ReadAbout();
  if (read.code() == StatusCode::kNotFound) {
    RETURN_IF_ERROR(ledger->Begin());
  } else {
    RETURN_IF_ERROR(read);
  }
  RETURN_IF_ERROR(ledger->OpenFiles(/*writable=*/true));
  return ledger;
}

Result<std::unique_ptr<Ledger>> Ledger::OpenForReading(const std::string& folder) {
  std::unique_ptr<Ledger> ledger(new Ledger({.folder = folder}, SystemClock()));
  const Status read = ledger->ReadAbout();
  if (read.code() == StatusCode::kNotFound) return NotFound("there is no ledger in " + folder);
  RETURN_IF_ERROR(read);
  RETURN_IF_ERROR(ledger->OpenFiles(/*writable=*/false));
  return ledger;
}

Status Ledger::ReadAbout() {
  ASSIGN_OR_RETURN(LedgerAbout about, LedgerAbout::Read(options_.folder));
  first_key_ = std::move(about.first_key);
  origin_ = first_key_.name;
  options_.leaves_per_segment = about.leaves_per_segment;
  return OkStatus();
}

// The key is there before the page that names it.
Status Ledger::Begin() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    if (entry.path().filename() == "lock") continue;
    return DataLoss(
        "there are files of a ledger, but not the page that says which, ledger.txt, in " +
        options_.folder);
  }
  origin_ = options_.origin.empty() ? "lethe-ledger/" + RandomHex(16) : options_.origin;
  ASSIGN_OR_RETURN(const SigningKey key,
                   SigningKey::Load(options_.signing_key_file, origin_, /*may_create=*/true));
  first_key_ = key.verifier();
  const LedgerAbout about = {.first_key = first_key_,
                             .leaves_per_segment = options_.leaves_per_segment};
  return about.Write(options_.folder);
}

Status Ledger::OpenKey() {
  const VerifierKey current = keys().back();
  Result<SigningKey> key =
      SigningKey::Load(options_.signing_key_file, origin_, /*may_create=*/false);
  if (!key.ok() || key->verifier() != current) {
    // A rotation that was signed: the new key has not got its name yet, the old one may be gone.
    Result<SigningKey> next = SigningKey::Load(NextKeyFile(), origin_, /*may_create=*/false);
    if (!next.ok() || next->verifier() != current) {
      if (!key.ok()) return key.status();
      return FailedPrecondition("this key does not sign the ledger; it is signed by " +
                                current.Text() + " and not by " + options_.signing_key_file);
    }
    RETURN_IF_ERROR(ReplaceKeyFile());
    key = std::move(next);
  }
  key_ = *std::move(key);
  return OkStatus();
}

std::string Ledger::NextKeyFile() const { return options_.signing_key_file + ".next"; }

Status Ledger::ReplaceKeyFile() const {
  RETURN_IF_ERROR(OverwriteKeyFile(options_.signing_key_file));
  if (std::rename(NextKeyFile().c_str(), options_.signing_key_file.c_str()) == 0) return OkStatus();
  return ErrnoStatus(errno, "cannot rename " + NextKeyFile());
}

Status Ledger::OpenFiles(bool writable) {
  const std::string& folder = options_.folder;
  Result<std::unique_ptr<HeadFile>> heads = HeadFile::Open(folder + "/heads", writable);
  if (!writable && heads.status().code() == StatusCode::kNotFound) {
    return NothingSigned(folder);
  }
  RETURN_IF_ERROR(heads.status());
  files_->heads = *std::move(heads);
  if (writable) RETURN_IF_ERROR(OpenKey());

  const std::uint64_t num_heads = files_->heads->count();
  if (!writable && num_heads == 0) return NothingSigned(folder);
  TreeHead last{.root = EmptyRoot()};
  if (num_heads > 0) {
    ASSIGN_OR_RETURN(const SignedHead head, files_->heads->Read(num_heads - 1));
    if (!head.IsSignedBy(keys().back())) {
      return DataLoss("the ledger's last head is not signed by its key " + keys().back().Text());
    }
    last = head.head();
  }
  last_time_ = last.time;
  ASSIGN_OR_RETURN(files_->leaves,
                   LeafLog::Open({.folder = folder,
                                  .records_per_segment = options_.leaves_per_segment,
                                  .writable = writable},
                                 last.size));
  ASSIGN_OR_RETURN(TreeFile tree,
                   TreeFile::Open(folder + "/tree", writable ? Mode::kWriteCreate : Mode::kRead));
  files_->tree = std::make_unique<TreeFile>(std::move(tree));

  Result<CompactRange> range = CompactRange::At(last.size, Nodes());
  if (range.ok() && range->Root() == last.root) {
    range_ = *std::move(range);
  } else if (!writable) {
    return DataLoss(
        "the ledger's tree is not the one that was signed; start the service, which "
        "makes it anew, on " +
        folder);
  } else {
    tree_was_rebuilt_ = true;
  }
  if (writable) RETURN_IF_ERROR(CatchUp(last.size));
  if (tree_was_rebuilt_) {
    RETURN_IF_ERROR(files_->tree->Sync());
    ASSIGN_OR_RETURN(range, CompactRange::At(last.size, Nodes()));
    if (range->Root() != last.root) {
      return DataLoss("the ledger's leaves are not those that were signed, in " + folder);
    }
  }
  size_ = files_->leaves->size();
  return OkStatus();
}

// Hashes the leaves that the tree does not have yet: those behind the last head, whose hashes the
// disk may have lost, or all.
Status Ledger::CatchUp(std::uint64_t signed_size) {
  const std::uint64_t end = files_->leaves->size();
  std::vector<LeafBytes> leaves;
  while (range_.size() < end) {
    leaves.resize(std::min(kLeavesAtOnce, end - range_.size()));
    RETURN_IF_ERROR(files_->leaves->Read(range_.size(), leaves));
    RETURN_IF_ERROR(AddToTree(leaves));
  }
  if (end > signed_size) {
    std::array<LeafBytes, 1> last;
    RETURN_IF_ERROR(files_->leaves->Read(end - 1, last));
    ASSIGN_OR_RETURN(const Leaf leaf, DecodeLeaf(last[0]));
    last_time_ = std::max(last_time_, leaf.time);
  }
  return OkStatus();
}

}  // namespace lethe
