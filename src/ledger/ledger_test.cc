// Goal: the ledger keeps what ledger/ledger.h promises: what was appended is there and can be
// proven, in the order and with the times that it says, whoever writes and reads at once, and
// whoever takes its files away or changes them is told. Method: a ledger with small segments in a
// folder; threads; files removed, changed and exchanged. Power cuts are in ledger_crash_test.cc.

#include "ledger/ledger.h"

#include <set>
#include <thread>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace fs = std::filesystem;

TEST(LedgerTest, WhatWasAppendedIsThereAfterOpeningAgain) {
  TestLedger test(/*leaves_per_segment=*/4);
  ASSERT_THAT(test.Open(), IsOk());
  std::vector<Leaf> leaves;
  for (int i = 0; i < 11; ++i) leaves.push_back(Created());
  EXPECT_EQ(*test.ledger->Append(std::span(leaves).first(6)), 0U);
  EXPECT_EQ(*test.ledger->Append(std::span(leaves).subspan(6)), 6U);
  const MerkleHash root = test.ledger->SignHead()->head().root;
  const VerifierKey key = test.key();
  ASSERT_THAT(test.Open(), IsOk());
  EXPECT_EQ(test.ledger->size(), 11U);
  EXPECT_EQ(test.ledger->cut_off_bytes(), 0U);
  EXPECT_FALSE(test.ledger->tree_was_rebuilt());
  EXPECT_EQ(test.key(), key);
  for (std::uint64_t i = 0; i < 11; ++i) {
    const auto read = test.ledger->Read(i);
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(read->reference, leaves[i].reference);
    EXPECT_EQ(read->time, kNoon);
  }
  EXPECT_THAT(test.ledger->Read(11), HasCode(StatusCode::kNotFound));
  EXPECT_EQ(test.ledger->SignHead()->head().root, root);
}

TEST(LedgerTest, FilesAreItsOwnersAlone) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  test.Add(Created());
  ASSERT_THAT(test.ledger->SignHead(), IsOk());
  struct stat about;
  ASSERT_EQ(::stat(test.folder().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700U);
  ASSERT_EQ(::stat((test / "signing.key").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST(LedgerTest, EveryLeafIsProvenUnderAHeadAndHeadsAreConsistent) {
  TestLedger test(/*leaves_per_segment=*/8);
  ASSERT_THAT(test.Open(), IsOk());
  std::vector<TreeHead> heads;
  for (int i = 0; i < 40; ++i) {
    test.Add(Created());
    if (i % 3 == 0) heads.push_back(test.ledger->SignHead()->head());
  }
  for (std::uint64_t number = 0; number < 40; ++number) {
    const auto receipt = test.ledger->Prove(number);
    ASSERT_THAT(receipt, IsOk());
    EXPECT_TRUE(receipt->ProvesInclusion());
    EXPECT_TRUE(receipt->head.IsSignedBy(test.key()));
    EXPECT_EQ(receipt->leaf, *test.ledger->Read(number));
    // The first head that has it, not the last: a receipt made again is the same one.
    EXPECT_LE(receipt->head.head().size, number + 3);
  }
  for (const TreeHead& from : heads) {
    for (const TreeHead& to : heads) {
      if (from.size > to.size) continue;
      const auto proof = test.ledger->ProveConsistency(from.size, to.size);
      ASSERT_THAT(proof, IsOk());
      EXPECT_TRUE(VerifyConsistency(from.size, to.size, from.root, to.root, *proof));
    }
  }
  EXPECT_THAT(test.ledger->Prove(40), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(test.ledger->ProveConsistency(0, 41), HasCode(StatusCode::kInvalidArgument));
}

TEST(LedgerTest, ManyWritersAndReadersAtOnceLoseNothing) {
  TestLedger test(/*leaves_per_segment=*/64);
  ASSERT_THAT(test.Open(), IsOk());
  constexpr int kThreads = 8, kBatches = 25;
  std::vector<std::set<std::uint64_t>> numbers(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kBatches; ++i) {
          std::vector<Leaf> batch(static_cast<std::size_t>(1 + i % 3), Created());
          const std::uint64_t first = test.ledger->Append(batch).value();
          for (std::size_t j = 0; j < batch.size(); ++j) {
            EXPECT_EQ(test.ledger->Read(first + j)->reference, batch[j].reference);
            EXPECT_TRUE(numbers[static_cast<std::size_t>(t)].insert(first + j).second);
          }
          if (i % 10 == 0) {
            EXPECT_TRUE(test.ledger->Prove(first)->ProvesInclusion());
          }
        }
      });
    }
  }
  std::set<std::uint64_t> all;
  for (const auto& some : numbers) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), test.ledger->size());
  EXPECT_EQ(*all.rbegin() + 1, test.ledger->size());
  ASSERT_THAT(test.ledger->SignHead(), IsOk());
  EXPECT_TRUE(VerifyExport(test.Export(), {})->is_clean());
}

TEST(LedgerTest, TimesNeverGoBackWhateverTheClockDoes) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  test.Add(Created());
  test.clock.Advance(minutes(10));
  ASSERT_THAT(test.ledger->SignHead(), IsOk());
  test.clock.Set(kNoon - hours(1));
  test.Add(Created(DataClass::kAudio, 1, kNoon));
  EXPECT_EQ(test.ledger->Read(1)->time, kNoon + minutes(10));
  ASSERT_THAT(test.Open(), IsOk());
  EXPECT_EQ(test.ledger->SignHead()->head().time, kNoon + minutes(10));
}

TEST(LedgerTest, HeadsAreSignedWhenTheyAreDue) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  const auto heads = [&] {
    EXPECT_THAT(test.ledger->SignHeadIfDue(), IsOk());
    return test.ledger->num_heads();
  };
  EXPECT_EQ(heads(), 0U);
  EXPECT_THAT(test.ledger->LastHead(), HasCode(StatusCode::kNotFound));
  test.Add(Created());
  EXPECT_EQ(heads(), 1U);  // the first leaf
  test.Add(Created());
  EXPECT_EQ(heads(), 1U);
  test.clock.Advance(minutes(10));
  EXPECT_EQ(heads(), 2U);  // the interval is over
  test.clock.Advance(minutes(10));
  EXPECT_EQ(heads(), 2U);  // nothing is new
  test.clock.Advance(hours(24));
  EXPECT_EQ(heads(), 3U);  // a head says what is live now
}

TEST(LedgerTest, LeavesThatAreWrongAreRefusedAndNothingIsAdded) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  const Leaf good = Created();
  Leaf no_region = good;
  no_region.region = "";
  const Leaf too_long = Created(DataClass::kAudio, 1, kNoon + hours(24) + std::chrono::seconds(1));
  const Leaf of_nothing = Erased(0, good);
  for (const Leaf& bad : {no_region, too_long, of_nothing}) {
    EXPECT_THAT(test.ledger->Append(std::vector{good, bad}), HasCode(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(test.ledger->Append(std::vector(kMaxBatchLeaves + 1, good)),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_EQ(test.ledger->size(), 0U);
}

TEST(LedgerTest, OneProcessWritesAndOthersReadWhatIsSigned) {
  TestLedger test;
  EXPECT_THAT(Ledger::OpenForReading(test.folder()), HasCode(StatusCode::kNotFound));
  ASSERT_THAT(test.Open(), IsOk());
  EXPECT_THAT(Ledger::OpenForReading(test.folder()), HasCode(StatusCode::kNotFound));
  test.Add(Created());
  ASSERT_THAT(test.ledger->SignHead(), IsOk());
  test.Add(Created());
  EXPECT_THAT(Ledger::Open(test.options(), test.clock), HasCode(StatusCode::kFailedPrecondition));
  const auto reader = Ledger::OpenForReading(test.folder());
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ((*reader)->size(), 1U);
  EXPECT_EQ((*reader)->origin(), "test.example/ledger");
  EXPECT_TRUE((*reader)->Prove(0)->ProvesInclusion());
  const Leaf leaf = Created();
  EXPECT_THAT((*reader)->Append({&leaf, 1}), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT((*reader)->SignHead(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT((*reader)->SignHeadIfDue(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT((*reader)->RotateKey(), HasCode(StatusCode::kFailedPrecondition));
}

TEST(LedgerTest, NewKeyIsHandedOverToAndTheOldOneNoLongerSigns) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  test.Add(Created());
  const VerifierKey old_key = test.key();
  const auto handover = test.ledger->RotateKey();
  ASSERT_THAT(handover, IsOk());
  ASSERT_THAT(test.ledger->keys(), SizeIs(2));
  const VerifierKey new_key = test.ledger->keys()[1];
  EXPECT_TRUE(handover->IsSignedBy(old_key));
  EXPECT_TRUE(handover->IsSignedBy(new_key));
  EXPECT_EQ(handover->head().next_key, new_key);
  ASSERT_THAT(test.Open(), IsOk());
  const auto head = test.ledger->SignHead();
  ASSERT_THAT(head, IsOk());
  EXPECT_FALSE(head->IsSignedBy(old_key));
  EXPECT_TRUE(head->IsSignedBy(new_key));
  EXPECT_FALSE(fs::exists(test / "signing.key.next"));
}

TEST(LedgerTest, HandoverDestroysTheOldKey) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  test.Add(Created());
  // Another name of the file shows what becomes of its bytes.
  fs::create_hard_link(test / "signing.key", test / "old.key");
  ASSERT_THAT(test.ledger->RotateKey(), IsOk());
  EXPECT_EQ(ReadAll(test / "old.key"), "");
  EXPECT_EQ(ReadAll(test / "signing.key").size(), 32U);
}

TEST(LedgerTest, HandoverThatWasInterruptedIsFinishedOnOpening) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  test.Add(Created());
  const std::string old_key = ReadAll(test / "signing.key");
  ASSERT_THAT(test.ledger->RotateKey(), IsOk());
  const VerifierKey new_key = test.ledger->keys()[1];
  // As if it had ended behind the head: before the old key was destroyed, in the midst of that, and
  // before the rename.
  for (const std::string& left : {old_key, std::string(80, 'x'), std::string()}) {
    test.ledger.reset();
    fs::rename(test / "signing.key", test / "signing.key.next");
    WriteAll(test / "signing.key", left);
    fs::permissions(test / "signing.key", fs::perms(0600));
    fs::create_hard_link(test / "signing.key", test / "old.key");
    ASSERT_THAT(test.Open(), IsOk());
    EXPECT_TRUE(test.ledger->SignHead()->IsSignedBy(new_key));
    EXPECT_FALSE(fs::exists(test / "signing.key.next"));
    EXPECT_EQ(ReadAll(test / "old.key"), "");
    fs::remove(test / "old.key");
  }
  // As if it had ended before the head: the key that was made is taken the next time.
  ASSERT_THAT(SigningKey::Load(test / "signing.key.next", "x", true), IsOk());
  ASSERT_THAT(test.Open(), IsOk());
  ASSERT_THAT(test.ledger->RotateKey(), IsOk());
  EXPECT_THAT(test.ledger->keys(), SizeIs(3));
}

TEST(LedgerTest, AnotherKeyDoesNotSignIt) {
  TestLedger test;
  ASSERT_THAT(test.Open(), IsOk());
  test.ledger.reset();
  fs::remove(test / "signing.key");
  EXPECT_THAT(test.Open(), HasCode(StatusCode::kFailedPrecondition));
  ASSERT_THAT(SigningKey::Load(test / "signing.key", "x", true), IsOk());
  EXPECT_THAT(test.Open(), HasCode(StatusCode::kFailedPrecondition));
}

class DamagedLedgerTest : public testing::Test {
 protected:
  DamagedLedgerTest() {
    EXPECT_THAT(test_.Open(), IsOk());
    for (int i = 0; i < 10; ++i) {
      test_.Add(Created());
      if (i == 4 || i == 7) {
        EXPECT_THAT(test_.ledger->SignHead(), IsOk());
      }
    }
    test_.ledger.reset();
  }
  // Turns a bit of a file.
  void Spoil(const std::string& name, std::size_t at) {
    std::string bytes = ReadAll(test_.folder() + "/" + name);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 16);
    WriteAll(test_.folder() + "/" + name, bytes);
  }

  TestLedger test_{/*leaves_per_segment=*/4};
};

TEST_F(DamagedLedgerTest, TreeIsMadeAnewFromTheLeaves) {
  fs::remove(test_.folder() + "/tree");
  EXPECT_THAT(Ledger::OpenForReading(test_.folder()), HasCode(StatusCode::kNotFound));
  ASSERT_THAT(test_.Open(), IsOk());
  EXPECT_TRUE(test_.ledger->tree_was_rebuilt());
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_TRUE(test_.ledger->Prove(i)->ProvesInclusion());
  ASSERT_THAT(test_.ledger->SignHead(), IsOk());
  EXPECT_TRUE(VerifyExport(test_.Export(), {})->is_clean());
  ASSERT_THAT(test_.Open(), IsOk());
  EXPECT_FALSE(test_.ledger->tree_was_rebuilt());
}

TEST_F(DamagedLedgerTest, SpoiltHashIsRepairedOrItsProofIsNotHandedOut) {
  const std::size_t size = ReadAll(test_.folder() + "/tree").size();
  for (std::size_t at = 0; at < size; at += 32) {
    Spoil("tree", at);
    ASSERT_THAT(test_.Open(), IsOk());
    for (std::uint64_t i = 0; i < 10; ++i) {
      const auto receipt = test_.ledger->Prove(i);
      if (receipt.ok()) {
        EXPECT_TRUE(receipt->ProvesInclusion());
      } else {
        EXPECT_THAT(receipt, HasCode(StatusCode::kDataLoss));
      }
    }
    test_.ledger.reset();
    fs::remove(test_.folder() + "/tree");
    ASSERT_THAT(test_.Open(), IsOk());
    test_.ledger.reset();
  }
}

TEST_F(DamagedLedgerTest, SpoiltLeafIsNotReadAndNotHashedAgain) {
  Spoil("leaves-00000000", 2 * 108 + 50);
  ASSERT_THAT(test_.Open(), IsOk());  // opening does not read what is signed
  EXPECT_THAT(test_.ledger->Read(2), HasCode(StatusCode::kDataLoss));
  EXPECT_THAT(test_.ledger->Prove(2), HasCode(StatusCode::kDataLoss));
  EXPECT_THAT(test_.ledger->Read(3), IsOk());
  test_.ledger.reset();
  fs::remove(test_.folder() + "/tree");
  EXPECT_THAT(test_.Open(), HasCode(StatusCode::kDataLoss));
}

TEST_F(DamagedLedgerTest, SegmentsThatAreMissingOrShortAreToldFromPowerCuts) {
  const std::string first = test_.folder() + "/leaves-00000000";
  const std::string bytes = ReadAll(first);
  WriteAll(first, bytes.substr(0, bytes.size() - 1));
  EXPECT_THAT(test_.Open(), HasCode(StatusCode::kDataLoss));
  fs::remove(first);
  EXPECT_THAT(test_.Open(), HasCode(StatusCode::kDataLoss));
  WriteAll(first, bytes);
  EXPECT_THAT(test_.Open(), IsOk());
  test_.ledger.reset();
  fs::remove(test_.folder() + "/leaves-00000002");
  fs::remove(test_.folder() + "/leaves-00000001");
  const Status rolled_back = test_.Open();
  EXPECT_THAT(rolled_back, HasCode(StatusCode::kDataLoss));
  EXPECT_THAT(rolled_back.message(), HasSubstr("vouches for 8 leaves"));
}

TEST_F(DamagedLedgerTest, HeadsAndThePageThatSaysWhichLedgerItIsAreChecked) {
  const std::string heads = ReadAll(test_.folder() + "/heads");
  for (const std::size_t at : {0U, 5U, 20U, 300U}) {
    Spoil("heads", at);
    // Of the last head it may have been a power cut.
    EXPECT_EQ(test_.Open().ok(), at >= heads.size() / 2) << at;
    test_.ledger.reset();
    WriteAll(test_.folder() + "/heads", heads);
  }
  const std::string page = ReadAll(test_.folder() + "/ledger.txt");
  for (std::size_t at = 0; at < page.size(); ++at) {
    Spoil("ledger.txt", at);
    EXPECT_FALSE(test_.Open().ok()) << at;
    WriteAll(test_.folder() + "/ledger.txt", page);
  }
  fs::remove(test_.folder() + "/ledger.txt");
  EXPECT_THAT(test_.Open(), HasCode(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace lethe
