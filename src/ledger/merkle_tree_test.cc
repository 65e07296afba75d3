// Goal: the tree is the one of RFC 9162, its proofs prove, and nothing else does. Method: the roots
// and proofs that Certificate Transparency's reference leaves are known by; a second
// implementation, straight from the definitions, for all trees of up to 70 leaves
// (tests/program/ledger_test.py has a third, in Python); every proof spoilt in every place.

#include "ledger/merkle_tree.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kReferenceLeaves = {"",
                                                   "00",
                                                   "10",
                                                   "2021",
                                                   "3031",
                                                   "40414243",
                                                   "5051525354555657",
                                                   "606162636465666768696a6b6c6d6e6f"};

const std::vector<std::string> kReferenceRoots = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<std::byte> FromHex(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<std::string> ToHex(const std::vector<MerkleHash>& hashes) {
  std::vector<std::string> texts;
  for (const MerkleHash& hash : hashes) texts.push_back(HexEncode(hash));
  return texts;
}

// Perfect subtrees as a map, filled by a compact range.
class Tree {
 public:
  void Append(const MerkleHash& leaf) {
    std::vector<MerkleHash> completed;
    const std::uint64_t index = range_.size();
    range_.Append(leaf, &completed);
    for (std::size_t level = 0; level < completed.size(); ++level) {
      nodes_[{level, index >> level}] = completed[level];
    }
    leaves_.push_back(leaf);
    roots_.push_back(range_.Root());
  }

  NodeReader Reader() const {
    return [this](TreeNode node) -> Result<MerkleHash> {
      const auto found = nodes_.find({static_cast<std::size_t>(node.level), node.index});
      if (found == nodes_.end()) return NotFound("no such node");
      return found->second;
    };
  }
  const MerkleHash& root(std::uint64_t size) const { return roots_[size]; }
  const MerkleHash& leaf(std::uint64_t index) const { return leaves_[index]; }
  std::span<const MerkleHash> leaves(std::uint64_t size) const {
    return std::span(leaves_).first(size);
  }

 private:
  CompactRange range_;
  std::map<std::pair<std::size_t, std::uint64_t>, MerkleHash> nodes_;
  std::vector<MerkleHash> leaves_, roots_{EmptyRoot()};
};

Tree ReferenceTree() {
  Tree tree;
  for (const std::string& leaf : kReferenceLeaves) tree.Append(HashLeaf(FromHex(leaf)));
  return tree;
}

Tree NumberedTree(std::uint64_t size) {
  Tree tree;
  for (std::uint64_t i = 0; i < size; ++i) {
    tree.Append(HashLeaf(std::as_bytes(std::span(&i, 1))));
  }
  return tree;
}

// MTH of section 2.1.1, word for word.
MerkleHash DefinedRoot(std::span<const MerkleHash> leaves) {
  if (leaves.empty()) return EmptyRoot();
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  return HashChildren(DefinedRoot(leaves.first(k)), DefinedRoot(leaves.subspan(k)));
}

// PATH of section 2.1.3.1.
std::vector<MerkleHash> DefinedPath(std::uint64_t m, std::span<const MerkleHash> leaves) {
  if (leaves.size() == 1) return {};
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  auto path = m < k ? DefinedPath(m, leaves.first(k)) : DefinedPath(m - k, leaves.subspan(k));
  path.push_back(DefinedRoot(m < k ? leaves.subspan(k) : leaves.first(k)));
  return path;
}

// SUBPROOF of section 2.1.4.1.
std::vector<MerkleHash> DefinedSubproof(std::uint64_t m, std::span<const MerkleHash> leaves,
                                        bool known) {
  if (m == leaves.size()) {
    return known ? std::vector<MerkleHash>{} : std::vector{DefinedRoot(leaves)};
  }
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  auto proof = m <= k ? DefinedSubproof(m, leaves.first(k), known)
                      : DefinedSubproof(m - k, leaves.subspan(k), false);
  proof.push_back(DefinedRoot(m <= k ? leaves.subspan(k) : leaves.first(k)));
  return proof;
}

TEST(MerkleTreeTest, RootsAreThoseOfCertificateTransparency) {
  const Tree tree = ReferenceTree();
  for (std::size_t size = 0; size <= 8; ++size) {
    EXPECT_EQ(HexEncode(tree.root(size)), kReferenceRoots[size]) << size;
  }
}

TEST(MerkleTreeTest, ProofsAreThoseOfCertificateTransparency) {
  const Tree tree = ReferenceTree();
  EXPECT_THAT(ToHex(*InclusionProof(0, 1, tree.Reader())), IsEmpty());
  EXPECT_THAT(ToHex(*InclusionProof(0, 8, tree.Reader())),
              ElementsAre("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                          "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"));
  EXPECT_THAT(ToHex(*InclusionProof(2, 3, tree.Reader())),
              ElementsAre("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"));
  EXPECT_THAT(ToHex(*ConsistencyProof(6, 8, tree.Reader())),
              ElementsAre("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"));
  EXPECT_THAT(ToHex(*ConsistencyProof(2, 5, tree.Reader())),
              ElementsAre("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"));
}

TEST(MerkleTreeTest, RootsAndProofsAreAsDefinedForEveryTreeOfUpTo70Leaves) {
  const Tree tree = NumberedTree(70);
  for (std::uint64_t size = 0; size <= 70; ++size) {
    ASSERT_EQ(tree.root(size), DefinedRoot(tree.leaves(size))) << size;
    EXPECT_EQ(CompactRange::At(size, tree.Reader())->Root(), tree.root(size));
    for (std::uint64_t other = 0; other < size; ++other) {
      const auto inclusion = *InclusionProof(other, size, tree.Reader());
      EXPECT_EQ(inclusion, DefinedPath(other, tree.leaves(size)));
      EXPECT_TRUE(VerifyInclusion(tree.leaf(other), other, size, inclusion, tree.root(size)));
      const auto consistency = *ConsistencyProof(other, size, tree.Reader());
      if (other > 0) {
        EXPECT_EQ(consistency, DefinedSubproof(other, tree.leaves(size), true));
      }
      EXPECT_TRUE(VerifyConsistency(other, size, tree.root(other), tree.root(size), consistency));
    }
  }
}

// The same proof, wrong in one place each: a hash changed, left out, put in twice, one too many.
std::vector<std::vector<MerkleHash>> Spoilt(const std::vector<MerkleHash>& proof) {
  std::vector<std::vector<MerkleHash>> all;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    auto changed = proof, shorter = proof, longer = proof;
    changed[i][7] ^= std::byte{4};
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), proof[i]);
    all.insert(all.end(), {changed, shorter, longer});
  }
  auto more = proof;
  more.push_back(EmptyRoot());
  all.push_back(more);
  return all;
}

TEST(MerkleTreeTest, SpoiltProofsProveNothing) {
  const Tree tree = NumberedTree(40);
  for (std::uint64_t size = 1; size <= 40; ++size) {
    for (std::uint64_t other = 0; other < size; ++other) {
      const auto inclusion = *InclusionProof(other, size, tree.Reader());
      for (const auto& proof : Spoilt(inclusion)) {
        EXPECT_FALSE(VerifyInclusion(tree.leaf(other), other, size, proof, tree.root(size)));
      }
      EXPECT_FALSE(VerifyInclusion(tree.leaf(other), other, size, inclusion, tree.root(size - 1)));
      EXPECT_FALSE(VerifyInclusion(tree.leaf(other), size, size, inclusion, tree.root(size)));
      for (std::uint64_t wrong = 0; wrong < size; ++wrong) {
        EXPECT_EQ(VerifyInclusion(tree.leaf(other), wrong, size, inclusion, tree.root(size)),
                  wrong == other);
      }
      const auto consistency = *ConsistencyProof(other, size, tree.Reader());
      for (const auto& proof : Spoilt(consistency)) {
        EXPECT_FALSE(VerifyConsistency(other, size, tree.root(other), tree.root(size), proof));
      }
      EXPECT_FALSE(VerifyConsistency(other, size, tree.root(size), tree.root(size), consistency));
      if (other > 0) {  // every tree begins with the empty one
        EXPECT_FALSE(
            VerifyConsistency(other, size, tree.root(other), tree.root(other), consistency));
      }
      EXPECT_FALSE(VerifyConsistency(size, other, tree.root(size), tree.root(other), consistency));
    }
  }
}

TEST(MerkleTreeTest, ALeafIsNoNode) {
  // Without the prefixes an inner node could be shown as a leaf.
  const MerkleHash a = HashLeaf({}), b = HashLeaf(a);
  std::vector<std::byte> children(a.begin(), a.end());
  children.insert(children.end(), b.begin(), b.end());
  EXPECT_NE(HashLeaf(children), HashChildren(a, b));
}

TEST(MerkleTreeTest, ProofsOfWhatIsNotThereAreRefused) {
  const Tree tree = NumberedTree(3);
  EXPECT_THAT(InclusionProof(3, 3, tree.Reader()), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(InclusionProof(0, 0, tree.Reader()), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(ConsistencyProof(4, 3, tree.Reader()), HasCode(StatusCode::kInvalidArgument));
  // More leaves than there are hashes of: the reader's error comes through.
  EXPECT_THAT(InclusionProof(0, 8, tree.Reader()), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(CompactRange::At(8, tree.Reader()), HasCode(StatusCode::kNotFound));
}

}  // namespace
}  // namespace lethe
