#pragma once

// The Merkle tree of Certificate Transparency: hashes, proofs that a leaf is in a tree, proofs that
// one tree is the beginning of another.
//
// Source: RFC 9162, section 2.1 (the hashing of RFC 6962, with SHA-256)

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"

namespace lethe {

using MerkleHash = Sha256Digest;

/// SHA-256(0x00 || leaf).
MerkleHash HashLeaf(std::span<const std::byte> leaf);
/// SHA-256(0x01 || left || right).
MerkleHash HashChildren(const MerkleHash& left, const MerkleHash& right);
/// The root of the tree without leaves: SHA-256 of nothing.
MerkleHash EmptyRoot();

/// A perfect subtree: that of the leaves index * 2^level to (index + 1) * 2^level.
struct TreeNode {
  int level = 0;
  std::uint64_t index = 0;
  bool operator==(const TreeNode&) const = default;
};

/// Says the hash of a perfect subtree, from wherever hashes are kept.
using NodeReader = std::function<Result<MerkleHash>(TreeNode)>;

/// As much of a growing tree as its root needs: the perfect subtrees side by side that cover it, at
/// most 64 hashes whatever the number of leaves.
class CompactRange {
 public:
  CompactRange() = default;
  /// Takes up a tree of `size` leaves whose hashes are kept. Errors: those of `reader`
  static Result<CompactRange> At(std::uint64_t size, const NodeReader& reader);

  std::uint64_t size() const { return size_; }
  MerkleHash Root() const;

  /// Adds a leaf. If `completed` is given, the hashes of the perfect subtrees that it completes are
  /// put behind what is there, the leaf's own first.
  void Append(const MerkleHash& leaf, std::vector<MerkleHash>* completed = nullptr);

 private:
  std::uint64_t size_ = 0;
  std::vector<MerkleHash> nodes_;  // one for each set bit of size_, the largest first
};

/// The hashes that prove leaf `index` to be in the tree of the first `size` leaves.
/// Errors: kInvalidArgument when index >= size; those of `reader`
Result<std::vector<MerkleHash>> InclusionProof(std::uint64_t index, std::uint64_t size,
                                               const NodeReader& reader);

/// The hashes that prove the tree of the first `old_size` leaves to be the beginning of that of
/// `new_size`. Empty if the sizes are equal or the old one is 0.
/// Errors: kInvalidArgument when old_size > new_size; those of `reader`
Result<std::vector<MerkleHash>> ConsistencyProof(std::uint64_t old_size, std::uint64_t new_size,
                                                 const NodeReader& reader);

/// Source: RFC 9162, section 2.1.3.2
bool VerifyInclusion(const MerkleHash& leaf, std::uint64_t index, std::uint64_t size,
                     std::span<const MerkleHash> proof, const MerkleHash& root);

/// Source: RFC 9162, section 2.1.4.2
bool VerifyConsistency(std::uint64_t old_size, std::uint64_t new_size, const MerkleHash& old_root,
                       const MerkleHash& new_root, std::span<const MerkleHash> proof);

}  // namespace lethe
