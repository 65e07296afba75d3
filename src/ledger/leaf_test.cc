// Goal: a leaf has one form in bytes, which says all of it and nothing else, and its reference
// tells nothing to those who were not told. Method: leaves of every kind there and back; the bytes
// of one written down; every bit of them turned; fields that a kind does not have.

#include "ledger/leaf.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "ledger/item_reference.h"
#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::sys_seconds;

std::vector<Leaf> OneOfEachKind() {
  Leaf created = Created(DataClass::kResult, 3);
  created.time = kNoon;
  Leaf erased = Erased(7, created, ErasureCause::kConsentWithdrawn);
  erased.time = kNoon + hours(1);
  Leaf refused = {.kind = LeafKind::kRefused, .time = kNoon, .region = "eu"};
  Leaf policy = {.kind = LeafKind::kPolicyChanged,
                 .data_class = DataClass::kOperationLog,
                 .items = 0,
                 .time = kNoon,
                 .region = "na-siliconvalley",
                 .from = hours(168),
                 .to = hours(0)};
  Leaf epoch = {.kind = LeafKind::kEpochKeyDestroyed,
                .data_class = DataClass::kMonitoring,
                .items = 0,
                .time = kNoon,
                .due = kNoon + seconds(1),
                .region = "a",
                .from = kNoon.time_since_epoch() - hours(2),
                .to = kNoon.time_since_epoch() - hours(1)};
  return {created, erased, refused, policy, epoch};
}

TEST(LeafTest, EveryKindComesBackFromItsBytes) {
  for (const Leaf& leaf : OneOfEachKind()) {
    ASSERT_THAT(CheckLeaf(leaf), IsOk());
    const auto back = DecodeLeaf(EncodeLeaf(leaf));
    ASSERT_THAT(back, IsOk());
    EXPECT_EQ(*back, leaf);
  }
}

TEST(LeafTest, BytesAreThoseOfTheFormat) {
  Leaf leaf = Created(DataClass::kResult, 258, sys_seconds(seconds(0x0102030405)));
  leaf.reference.fill(std::byte{0xab});
  leaf = Erased(0x1122334455667788, leaf, ErasureCause::kTenantRemoved);
  leaf.time = sys_seconds(seconds(0x0605040302));
  EXPECT_EQ(HexEncode(EncodeLeaf(leaf)),
            "01020205"
            "00000102"
            "0000000605040302"
            "0000000102030405"
            "1122334455667788"
            "abababababababababababababababababababababababababababababababab"
            "61702d6775616e677a686f7500000000"
            "0000000000000000"
            "0000000000000000");
}

TEST(LeafTest, DifferentBytesAreDifferentLeavesOrNone) {
  for (const Leaf& leaf : OneOfEachKind()) {
    const auto bytes = EncodeLeaf(leaf);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto turned = bytes;
      turned[bit / 8] ^= std::byte{1} << (bit % 8);
      const auto read = DecodeLeaf(turned);
      if (!read.ok()) continue;
      EXPECT_NE(*read, leaf) << bit;
      EXPECT_EQ(EncodeLeaf(*read), turned) << bit;
    }
  }
  EXPECT_THAT(DecodeLeaf(std::vector<std::byte>(95)), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(DecodeLeaf(std::vector<std::byte>(97)), HasCode(StatusCode::kInvalidArgument));
}

TEST(LeafTest, FieldsThatAKindDoesNotHaveOrMustHaveAreRefused) {
  const auto refused = [](const Leaf& from, const auto& change) {
    Leaf leaf = from;
    change(leaf);
    EXPECT_THAT(CheckLeaf(leaf), HasCode(StatusCode::kInvalidArgument));
  };
  const std::vector<Leaf> kinds = OneOfEachKind();
  const Leaf &created = kinds[0], &erased = kinds[1], &not_stored = kinds[2], &policy = kinds[3],
             &epoch = kinds[4];
  refused(created, [](Leaf& leaf) { leaf.cause = ErasureCause::kExpired; });
  refused(created, [](Leaf& leaf) { leaf.creation = 3; });
  refused(created, [](Leaf& leaf) { leaf.due = {}; });
  refused(created, [](Leaf& leaf) { leaf.items = 0; });
  refused(created, [](Leaf& leaf) { leaf.to = seconds(1); });
  refused(created, [](Leaf& leaf) { leaf.region = ""; });
  refused(created, [](Leaf& leaf) { leaf.region = "seventeen-letters"; });
  refused(created, [](Leaf& leaf) { leaf.region = "AP"; });
  refused(created, [](Leaf& leaf) { leaf.time = sys_seconds(seconds(-1)); });
  refused(created, [](Leaf& leaf) { leaf.due = sys_seconds::max(); });
  refused(created, [](Leaf& leaf) { leaf.kind = static_cast<LeafKind>(6); });
  refused(created, [](Leaf& leaf) { leaf.data_class = static_cast<DataClass>(0); });
  refused(erased, [](Leaf& leaf) { leaf.cause = ErasureCause::kNone; });
  refused(erased, [](Leaf& leaf) { leaf.cause = static_cast<ErasureCause>(7); });
  refused(erased, [](Leaf& leaf) { leaf.due = {}; });
  refused(not_stored, [](Leaf& leaf) { leaf.due = kNoon; });
  refused(policy, [](Leaf& leaf) { leaf.items = 1; });
  refused(epoch, [](Leaf& leaf) { leaf.to = leaf.from; });
}

class ItemReferenceTest : public testing::Test {
 protected:
  TestLedger files_;
  const ReferenceKey key_ = *ReferenceKey::Load(files_ / "reference.key", /*may_create=*/true);
};

TEST_F(ItemReferenceTest, IsMadeAgainWithKeySaltAndIdAndOpenedByItsReceipt) {
  const ItemSalt salt = RandomItemSalt();
  const ItemReference made = key_.Refer(DataClass::kAudio, salt, "task 17");
  const ReferenceKey again = *ReferenceKey::Load(files_ / "reference.key", /*may_create=*/false);
  EXPECT_EQ(again.Refer(DataClass::kAudio, salt, "task 17").reference, made.reference);
  EXPECT_TRUE(OpensReference(made.reference, made.opening, DataClass::kAudio, "task 17"));
  EXPECT_FALSE(OpensReference(made.reference, made.opening, DataClass::kAudio, "task 18"));
  EXPECT_FALSE(OpensReference(made.reference, made.opening, DataClass::kResult, "task 17"));
  EXPECT_FALSE(OpensReference(made.reference, {}, DataClass::kAudio, "task 17"));
}

TEST_F(ItemReferenceTest, EqualIdsDoNotMeetWhereSaltClassOrKeyDiffer) {
  const ReferenceKey other = *ReferenceKey::Load(files_ / "other.key", /*may_create=*/true);
  const ItemSalt salt = RandomItemSalt();
  std::set<MerkleHash> seen;
  for (const ReferenceKey* key : {&key_, &other}) {
    for (const DataClass data_class : kDataClasses) {
      for (const ItemSalt& one : {salt, RandomItemSalt()}) {
        const ItemReference made = key->Refer(data_class, one, "task 17");
        seen.insert(made.reference);
        seen.insert(made.opening);
      }
    }
  }
  EXPECT_EQ(seen.size(), 2 * 4 * 2 * 2U);
}

}  // namespace
}  // namespace lethe
