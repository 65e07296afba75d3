// Goal: a power cut costs nothing that was acknowledged, and what is no power cut is not taken for
// one. Method: the files are cut at every byte behind the last head, and records are spoilt in
// every way in which a disk may leave an unfinished batch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/internal/leaf_log.h"
#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

constexpr std::size_t kSigned = 5, kSecondBatch = 8, kAll = 11;

class LedgerCrashTest : public testing::Test {
 protected:
  LedgerCrashTest() {
    EXPECT_THAT(test_.Open(), IsOk());
    for (std::size_t i = 0; i < kAll; ++i) leaves_.push_back(Created());
    const std::span all(leaves_);
    EXPECT_THAT(test_.ledger->Append(all.first(kSigned)), IsOk());
    EXPECT_THAT(test_.ledger->SignHead(), IsOk());
    EXPECT_THAT(test_.ledger->Append(all.subspan(kSigned, kSecondBatch - kSigned)), IsOk());
    EXPECT_THAT(test_.ledger->Append(all.subspan(kSecondBatch)), IsOk());
    test_.ledger.reset();
    records_ = ReadAll(Segment());
    tree_ = ReadAll(test_.folder() + "/tree");
    heads_ = ReadAll(test_.folder() + "/heads");
  }

  std::string Segment() const { return test_.folder() + "/leaves-00000000"; }
  void Restore(const std::string& records, const std::string& tree) {
    test_.ledger.reset();
    WriteAll(Segment(), records);
    WriteAll(test_.folder() + "/tree", tree);
    WriteAll(test_.folder() + "/heads", heads_);
  }
  // Opens, and expects the first `size` leaves, a ledger that can be proven, and one that goes on.
  void ExpectWorks(std::size_t size) {
    ASSERT_THAT(test_.Open(), IsOk());
    ASSERT_EQ(test_.ledger->size(), size);
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_EQ(test_.ledger->Read(i)->reference, leaves_[i].reference);
    }
    EXPECT_EQ(test_.Add(leaves_[0]), size);
    ASSERT_THAT(test_.ledger->SignHead(), IsOk());
    EXPECT_TRUE(VerifyExport(test_.Export(), {.trusted_key = test_.key()})->is_clean());
  }
  std::string WithSpoilt(std::size_t record, std::size_t at = 60) const {
    std::string changed = records_;
    changed[record * kRecordBytes + at] =
        static_cast<char>(changed[record * kRecordBytes + at] ^ 1);
    return changed;
  }
  std::string WithZeros(std::size_t record) const {
    std::string changed = records_;
    return changed.replace(record * kRecordBytes, kRecordBytes, kRecordBytes, '\0');
  }

  TestLedger test_;
  std::vector<Leaf> leaves_;
  std::string records_, tree_, heads_;
};

TEST_F(LedgerCrashTest, CutAtEveryByteBehindTheHeadTheWholeRecordsAreLeft) {
  ASSERT_EQ(records_.size(), kAll * kRecordBytes);
  for (std::size_t size = kSigned * kRecordBytes; size < records_.size(); ++size) {
    Restore(records_.substr(0, size), tree_);
    ASSERT_THAT(test_.Open(), IsOk()) << size;
    EXPECT_EQ(test_.ledger->cut_off_bytes(), size % kRecordBytes);
    ASSERT_EQ(test_.ledger->size(), size / kRecordBytes);
    if (size % 36 == 0) ExpectWorks(size / kRecordBytes);  // each record at three places
  }
}

TEST_F(LedgerCrashTest, CutBeforeTheHeadIsLoss) {
  for (std::size_t size = 0; size < kSigned * kRecordBytes; size += 27) {
    Restore(records_.substr(0, size), tree_);
    EXPECT_THAT(test_.Open(), HasCode(StatusCode::kDataLoss)) << size;
  }
}

TEST_F(LedgerCrashTest, TreeCutAnywhereOrFullOfZerosIsMadeAnew) {
  for (std::size_t size = 0; size < tree_.size(); size += 16) {
    Restore(records_, tree_.substr(0, size));
    ExpectWorks(kAll);
    // Of the hashes behind the head, which were not yet on the disk, some may be zeros.
    Restore(records_, tree_.substr(0, size) + std::string(tree_.size() - size, '\0'));
    ExpectWorks(kAll);
  }
}

TEST_F(LedgerCrashTest, RecordsOfTheLastBatchMayBeLostInAnyOrder) {
  for (std::size_t record = kSecondBatch; record < kAll; ++record) {
    Restore(WithSpoilt(record), tree_);
    ExpectWorks(record);
    Restore(WithZeros(record), tree_);
    ExpectWorks(record);
  }
}

TEST_F(LedgerCrashTest, RecordOfAnEarlierBatchIsLostAndNotCutOff) {
  for (std::size_t record = kSigned; record < kSecondBatch; ++record) {
    for (std::size_t at = 0; at < kRecordBytes; at += 5) {
      Restore(WithSpoilt(record, at), tree_);
      EXPECT_THAT(test_.Open(), HasCode(StatusCode::kDataLoss)) << record << " " << at;
    }
    Restore(WithZeros(record), tree_);
    EXPECT_THAT(test_.Open(), HasCode(StatusCode::kDataLoss));
  }
}

TEST_F(LedgerCrashTest, HeadsCutAtEveryByteAreThoseBefore) {
  Restore(records_, tree_);
  ASSERT_THAT(test_.Open(), IsOk());
  ASSERT_THAT(test_.ledger->SignHead(), IsOk());
  test_.ledger.reset();
  const std::string two = ReadAll(test_.folder() + "/heads");
  for (std::size_t size = heads_.size(); size < two.size(); ++size) {
    for (const std::size_t zeros : {std::size_t{0}, two.size() - size}) {
      WriteAll(test_.folder() + "/heads", two.substr(0, size) + std::string(zeros, '\0'));
      ASSERT_THAT(test_.Open(), IsOk()) << size;
      EXPECT_EQ(test_.ledger->num_heads(), 1U);
      EXPECT_EQ(test_.ledger->size(), kAll);
      EXPECT_EQ(test_.ledger->cut_off_bytes(), size - heads_.size() + zeros);
      test_.ledger.reset();
    }
  }
}

TEST_F(LedgerCrashTest, SegmentThatWasBegunAndHasNothingYet) {
  TestLedger test(/*leaves_per_segment=*/4);
  ASSERT_THAT(test.Open(), IsOk());
  ASSERT_THAT(test.ledger->Append(std::vector(4, Created())), IsOk());
  test.ledger.reset();
  WriteAll(test.folder() + "/leaves-00000001", "");
  ASSERT_THAT(test.Open(), IsOk());
  EXPECT_EQ(test.ledger->size(), 4U);
  EXPECT_EQ(test.Add(Created()), 4U);
  test.ledger.reset();
  // A batch over two segments, of which the second part is torn.
  ASSERT_THAT(test.Open(), IsOk());
  ASSERT_THAT(test.ledger->Append(std::vector(6, Created())), IsOk());
  test.ledger.reset();
  const std::string third = ReadAll(test.folder() + "/leaves-00000002");
  WriteAll(test.folder() + "/leaves-00000002", third.substr(0, kRecordBytes + 1));
  ASSERT_THAT(test.Open(), IsOk());
  EXPECT_EQ(test.ledger->size(), 9U);
}

}  // namespace
}  // namespace lethe
