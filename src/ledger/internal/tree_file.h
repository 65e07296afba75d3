#pragma once

// The hashes of all perfect subtrees on disk, in the order in which they become complete: behind
// each leaf's hash those of the subtrees that it completes. So the file only grows, and holds 2n -
// popcount(n) hashes for n leaves. It follows from the leaves and can be made anew.

#include <cstdint>
#include <span>
#include <string>

#include "base/random_access_file.h"
#include "base/status.h"
#include "ledger/merkle_tree.h"

namespace lethe {

/// How many hashes the file of so many leaves holds.
std::uint64_t StoredHashes(std::uint64_t leaves);
/// Which of them is the node's.
std::uint64_t StoredHashIndex(TreeNode node);

/// Thread: Read() from any, of nodes that are there; the rest from one at a time
class TreeFile {
 public:
  static Result<TreeFile> Open(const std::string& path, RandomAccessFile::Mode mode);

  Result<MerkleHash> Read(TreeNode node) const;
  /// Writes the hashes that the leaves behind the first `leaves` complete, in order. They are on
  /// the disk after the next Sync().
  Status Write(std::uint64_t leaves, std::span<const MerkleHash> completed);
  Status Sync() { return file_.Sync(); }

 private:
  explicit TreeFile(RandomAccessFile file) : file_(std::move(file)) {}
  RandomAccessFile file_;
};

}  // namespace lethe
