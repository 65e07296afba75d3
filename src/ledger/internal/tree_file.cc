#include "ledger/internal/tree_file.h"

#include <bit>

namespace lethe {

std::uint64_t StoredHashes(std::uint64_t leaves) {
  return 2 * leaves - static_cast<std::uint64_t>(std::popcount(leaves));
}

std::uint64_t StoredHashIndex(TreeNode node) {
  const std::uint64_t last_leaf = ((node.index + 1) << node.level) - 1;
  return StoredHashes(last_leaf) + static_cast<std::uint64_t>(node.level);
}

Result<TreeFile> TreeFile::Open(const std::string& path, RandomAccessFile::Mode mode) {
  ASSIGN_OR_RETURN(RandomAccessFile file, RandomAccessFile::Open(path, mode));
  return TreeFile(std::move(file));
}

Result<MerkleHash> TreeFile::Read(TreeNode node) const {
  MerkleHash hash{};
  RETURN_IF_ERROR(file_.ReadFully(StoredHashIndex(node) * sizeof(MerkleHash), hash));
  return hash;
}

Status TreeFile::Write(std::uint64_t leaves, std::span<const MerkleHash> completed) {
  return file_.Write(StoredHashes(leaves) * sizeof(MerkleHash), std::as_bytes(completed));
}

}  // namespace lethe
