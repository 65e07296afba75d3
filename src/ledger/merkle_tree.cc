#include "ledger/merkle_tree.h"

#include <bit>

namespace lethe {
namespace {

constexpr std::byte kLeafPrefix{0}, kNodePrefix{1};

// The largest power of two that is less than n; n >= 2.
std::uint64_t SplitPoint(std::uint64_t n) { return std::bit_floor(n - 1); }

// The root of the leaves from `begin` on, `count` > 0 of them, where `begin` is a multiple of a
// power of two that is not less than count: every subtree of a tree is such.
Result<MerkleHash> SubtreeRoot(std::uint64_t begin, std::uint64_t count, const NodeReader& reader) {
  if (std::has_single_bit(count)) {
    const int level = std::countr_zero(count);
    return reader({.level = level, .index = begin >> level});
  }
  const std::uint64_t left = SplitPoint(count);
  ASSIGN_OR_RETURN(const MerkleHash left_root, SubtreeRoot(begin, left, reader));
  ASSIGN_OR_RETURN(const MerkleHash right_root, SubtreeRoot(begin + left, count - left, reader));
  return HashChildren(left_root, right_root);
}

// PATH of section 2.1.3.1, for the subtree of `count` leaves from `begin` on.
Status AddPath(std::uint64_t index, std::uint64_t begin, std::uint64_t count,
               const NodeReader& reader, std::vector<MerkleHash>& proof) {
  if (count == 1) return OkStatus();
  const std::uint64_t left = SplitPoint(count), middle = begin + left;
  const bool in_left = index < middle;
  RETURN_IF_ERROR(in_left ? AddPath(index, begin, left, reader, proof)
                          : AddPath(index, middle, count - left, reader, proof));
  ASSIGN_OR_RETURN(const MerkleHash sibling, in_left ? SubtreeRoot(middle, count - left, reader)
                                                     : SubtreeRoot(begin, left, reader));
  proof.push_back(sibling);
  return OkStatus();
}

// SUBPROOF of section 2.1.4.1: `old_end` lies in the subtree; `known` says that whoever verifies
// has the root of the old leaves from `begin` on already.
Status AddSubproof(std::uint64_t old_end, std::uint64_t begin, std::uint64_t count, bool known,
                   const NodeReader& reader, std::vector<MerkleHash>& proof) {
  if (old_end == begin + count) {
    if (known) return OkStatus();
    ASSIGN_OR_RETURN(const MerkleHash root, SubtreeRoot(begin, count, reader));
    proof.push_back(root);
    return OkStatus();
  }
  const std::uint64_t left = SplitPoint(count), middle = begin + left;
  const bool in_left = old_end <= middle;
  RETURN_IF_ERROR(in_left ? AddSubproof(old_end, begin, left, known, reader, proof)
                          : AddSubproof(old_end, middle, count - left, false, reader, proof));
  ASSIGN_OR_RETURN(const MerkleHash sibling, in_left ? SubtreeRoot(middle, count - left, reader)
                                                     : SubtreeRoot(begin, left, reader));
  proof.push_back(sibling);
  return OkStatus();
}

}  // namespace

MerkleHash HashLeaf(std::span<const std::byte> leaf) {
  return Sha256({std::span(&kLeafPrefix, 1), leaf});
}

MerkleHash HashChildren(const MerkleHash& left, const MerkleHash& right) {
  return Sha256({std::span(&kNodePrefix, 1), left, right});
}

MerkleHash EmptyRoot() { return Sha256({}); }

Result<CompactRange> CompactRange::At(std::uint64_t size, const NodeReader& reader) {
  CompactRange range;
  range.size_ = size;
  std::uint64_t begin = 0;
  for (int level = 63; level >= 0; --level) {
    const std::uint64_t leaves = std::uint64_t{1} << level;
    if ((size & leaves) == 0) continue;
    ASSIGN_OR_RETURN(const MerkleHash node, reader({.level = level, .index = begin >> level}));
    range.nodes_.push_back(node);
    begin += leaves;
  }
  return range;
}

MerkleHash CompactRange::Root() const {
  if (nodes_.empty()) return EmptyRoot();
  MerkleHash root = nodes_.back();
  for (std::size_t i = nodes_.size() - 1; i > 0; --i) root = HashChildren(nodes_[i - 1], root);
  return root;
}

void CompactRange::Append(const MerkleHash& leaf, std::vector<MerkleHash>* completed) {
  MerkleHash node = leaf;
  if (completed != nullptr) completed->push_back(node);
  // As in counting: every one at the end of the number is carried.
  for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    node = HashChildren(nodes_.back(), node);
    nodes_.pop_back();
    if (completed != nullptr) completed->push_back(node);
  }
  nodes_.push_back(node);
  ++size_;
}

Result<std::vector<MerkleHash>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                               const NodeReader& reader) {
  if (index >= size) {
    return InvalidArgument("a tree of " + std::to_string(size) + " leaves has no leaf " +
                           std::to_string(index));
  }
  std::vector<MerkleHash> proof;
  RETURN_IF_ERROR(AddPath(index, 0, size, reader, proof));
  return proof;
}

Result<std::vector<MerkleHash>> ConsistencyProof(std::uint64_t old_size, std::uint64_t new_size,
                                                 const NodeReader& reader) {
  if (old_size > new_size) {
    return InvalidArgument("a tree of " + std::to_string(new_size) +
                           " leaves has no beginning of " + std::to_string(old_size));
  }
  std::vector<MerkleHash> proof;
  if (old_size > 0) RETURN_IF_ERROR(AddSubproof(old_size, 0, new_size, true, reader, proof));
  return proof;
}

bool VerifyInclusion(const MerkleHash& leaf, std::uint64_t index, std::uint64_t size,
                     std::span<const MerkleHash> proof, const MerkleHash& root) {
  if (index >= size) return false;
  std::uint64_t node = index, last = size - 1;  // numbers of the node and the last one, on a level
  MerkleHash hash = leaf;
  for (const MerkleHash& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = HashChildren(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = HashChildren(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool VerifyConsistency(std::uint64_t old_size, std::uint64_t new_size, const MerkleHash& old_root,
                       const MerkleHash& new_root, std::span<const MerkleHash> proof) {
  if (old_size > new_size) return false;
  if (old_size == new_size) return proof.empty() && old_root == new_root;
  if (old_size == 0) return proof.empty() && old_root == EmptyRoot();
  std::uint64_t node = old_size - 1, last = new_size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  // A perfect old tree is itself the first node, and the proof does not repeat it.
  const bool perfect = std::has_single_bit(old_size);
  if (!perfect && proof.empty()) return false;
  MerkleHash old_hash = perfect ? old_root : proof.front(), new_hash = old_hash;
  for (const MerkleHash& sibling : proof.subspan(perfect ? 0 : 1)) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      old_hash = HashChildren(sibling, old_hash);
      new_hash = HashChildren(sibling, new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = HashChildren(new_hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == old_root && new_hash == new_root;
}

}  // namespace lethe
