// Goal: whatever somebody does to an export, or to the ledger behind it, without the ledger's key,
// is found. Method: every byte of an export changed; leaves changed, dropped, put in and exchanged,
// with every hash of the file made right again; whole histories signed by other keys; older states.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/forger.h"
#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using std::chrono::hours;

// Expects a finding of that kind.
MATCHER_P(Finds, kind, "finds something of the kind " + std::string(FindingKindName(kind))) {
  for (const Finding& finding : arg.findings) {
    *result_listener << FindingKindName(finding.kind) << ": " << finding.what << "\n";
  }
  return std::any_of(arg.findings.begin(), arg.findings.end(),
                     [&](const Finding& finding) { return finding.kind == kind; });
}

class TamperingTest : public testing::Test {
 protected:
  TamperingTest() {
    EXPECT_THAT(test_.Open(), IsOk());
    for (std::uint64_t i = 0; i < 12; ++i) {
      const Leaf created = Created(kDataClasses[i % 4]);
      const std::uint64_t number = test_.Add(created);
      if (i % 2 == 0) test_.Add(Erased(number, created));
      test_.clock.Advance(std::chrono::seconds(5));
      if (i % 3 == 0) {
        EXPECT_THAT(test_.ledger->SignHead(), IsOk());
      }
    }
    EXPECT_THAT(test_.ledger->SignHead(), IsOk());
    file_ = test_.Export();
    options_.trusted_key = test_.key();
  }

  Verification Verify(const std::vector<std::byte>& file) const {
    return VerifyExport(file, options_).value();
  }

  TestLedger test_;
  std::vector<std::byte> file_;
  VerifyOptions options_;
};

TEST_F(TamperingTest, WhatNobodyTouchedIsClean) {
  const Verification verified = Verify(file_);
  EXPECT_TRUE(verified.is_clean()) << verified.findings.front().what;
  EXPECT_TRUE(verified.is_key_trusted);
  EXPECT_EQ(verified.num_leaves, 18U);
  EXPECT_EQ(Forgery::Of(file_).File(), file_);  // two writers, one format
}

TEST_F(TamperingTest, EveryChangedByteIsFound) {
  for (std::size_t at = 0; at < file_.size(); ++at) {
    std::vector<std::byte> changed = file_;
    changed[at] ^= std::byte{1} << (at % 8);
    const auto verified = VerifyExport(changed, options_);
    EXPECT_FALSE(verified.ok() && verified->is_clean()) << at;
  }
}

TEST_F(TamperingTest, EveryShorterFileIsFound) {
  for (std::size_t size = 0; size < file_.size(); ++size) {
    const auto verified = VerifyExport(std::span(file_).first(size), options_);
    EXPECT_FALSE(verified.ok() && verified->is_clean()) << size;
  }
}

TEST_F(TamperingTest, EveryTurnedBitOfALeafIsFoundAlsoWhenTheFilesHashIsMadeRight) {
  for (std::size_t number = 0; number < 18; ++number) {
    for (std::size_t bit = 0; bit < kLeafBytes * 8; bit += 19) {
      Forgery forged = Forgery::Of(file_);
      forged.leaves[number][bit / 8] ^= std::byte{1} << (bit % 8);
      EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kHistory)) << number << " " << bit;
    }
  }
}

TEST_F(TamperingTest, DroppedLeafIsFound) {
  for (std::size_t number = 0; number < 18; ++number) {
    Forgery forged = Forgery::Of(file_);
    forged.leaves.erase(forged.leaves.begin() + static_cast<std::ptrdiff_t>(number));
    EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kHistory)) << number;
  }
}

TEST_F(TamperingTest, LeavesPutInOrExchangedAreFound) {
  for (std::size_t number = 0; number + 1 < 18; ++number) {
    Forgery forged = Forgery::Of(file_);
    std::swap(forged.leaves[number], forged.leaves[number + 1]);
    EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kHistory)) << number;
    forged = Forgery::Of(file_);
    forged.leaves.insert(forged.leaves.begin() + static_cast<std::ptrdiff_t>(number),
                         forged.leaves[number]);
    EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kHistory)) << number;
  }
}

TEST_F(TamperingTest, LeavesThatNoHeadVouchesForAreFound) {
  Forgery forged = Forgery::Of(file_);
  forged.leaves.push_back(forged.leaves.back());
  EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kHistory));
  forged.notes.clear();
  EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kSignature));
}

TEST_F(TamperingTest, DroppedOrExchangedHeadsCannotHideAnything) {
  Forgery forged = Forgery::Of(file_);
  std::swap(forged.notes[1], forged.notes[2]);
  EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kHistory));
  forged = Forgery::Of(file_);
  forged.notes.pop_back();  // then the last leaves are not vouched for
  EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kHistory));
}

TEST_F(TamperingTest, HistorySignedByAnotherKeyAgreesWithItselfAndIsNotTheTrustedOne) {
  Forgery forged = Forgery::Of(file_);
  forged.leaves.resize(2);  // an erasure less, and all that came later
  forged.Sign(OtherKey(), kNoon + hours(1));
  EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kSignature));
  const Verification without_key = VerifyExport(forged.File(), {}).value();
  EXPECT_TRUE(without_key.is_clean());
  EXPECT_FALSE(without_key.is_key_trusted);
}

TEST_F(TamperingTest, HeadsOfAnotherKeyUnderTheRightFirstKeyAreFound) {
  Forgery forged = Forgery::Of(file_);
  const std::string right_key = forged.key;
  forged.leaves.resize(2);
  forged.Sign(OtherKey(), kNoon + hours(1));
  forged.key = right_key;
  EXPECT_THAT(Verify(forged.File()), Finds(FindingKind::kSignature));
}

TEST_F(TamperingTest, NobodyHandsOverToTheirOwnKey) {
  const SigningKey other = OtherKey();
  for (const bool claims_to_be_the_right_key : {false, true}) {
    Forgery forged = Forgery::Of(file_);
    TreeHead head = {.origin = "test.example/ledger",
                     .size = forged.leaves.size(),
                     .root = forged.Root(forged.leaves.size()),
                     .time = kNoon + hours(1)};
    head.next_key = other.verifier();
    std::string note = SignedHead::Sign(head, {&other}).note();
    if (claims_to_be_the_right_key) {
      // The signature of an earlier head, put in front of the forger's.
      const std::string& earlier = forged.notes.back();
      note.insert(note.find("\n\n") + 2, earlier.substr(earlier.find("\n\n") + 2));
    }
    forged.notes.push_back(note);
    const Verification verified = Verify(forged.File());
    EXPECT_THAT(verified, Finds(FindingKind::kSignature));
    EXPECT_EQ(verified.keys.size(), 1U);
  }
}

TEST_F(TamperingTest, OlderStateIsFoundWhereALaterHeadWasKept) {
  test_.Add(Created());
  const SignedHead later = *test_.ledger->SignHead();
  EXPECT_TRUE(Verify(file_).is_clean());  // nothing in itself tells it
  options_.remembered_head = later;
  EXPECT_THAT(Verify(file_), Finds(FindingKind::kHistory));
  EXPECT_TRUE(Verify(test_.Export()).is_clean());
}

TEST_F(TamperingTest, OtherHistoryOfTheRightKeyIsFoundWhereAHeadWasKept) {
  // The operator restores an old copy, and writes on from there with the right key.
  TestLedger twin;
  std::filesystem::copy(test_.folder(), twin.folder());
  std::filesystem::copy(test_ / "signing.key", twin / "signing.key");
  twin.clock.Set(test_.clock.Now());
  ASSERT_THAT(twin.Open(), IsOk());
  test_.Add(Created());
  options_.remembered_head = *test_.ledger->SignHead();
  for (int i = 0; i < 3; ++i) twin.Add(Created());
  ASSERT_THAT(twin.ledger->SignHead(), IsOk());
  EXPECT_TRUE(VerifyExport(twin.Export(), {.trusted_key = test_.key()})->is_clean());
  EXPECT_THAT(Verify(twin.Export()), Finds(FindingKind::kHistory));
}

TEST_F(TamperingTest, HeadThatWasKeptHasToBeTheLedgers) {
  const SigningKey other = OtherKey();
  const TreeHead head = test_.ledger->LastHead()->head();
  options_.remembered_head = SignedHead::Sign(head, {&other});
  EXPECT_THAT(Verify(file_), Finds(FindingKind::kSignature));
}

TEST_F(TamperingTest, LaterKeyMayBeTheTrustedOne) {
  ASSERT_THAT(test_.ledger->RotateKey(), IsOk());
  test_.Add(Created());
  ASSERT_THAT(test_.ledger->SignHead(), IsOk());
  for (const VerifierKey& key : test_.ledger->keys()) {
    options_.trusted_key = key;
    const Verification verified = Verify(test_.Export());
    EXPECT_TRUE(verified.is_clean()) << verified.findings.front().what;
    EXPECT_EQ(verified.keys.size(), 2U);
  }
}

TEST_F(TamperingTest, ReceiptsBelongToTheirLedger) {
  const Receipt good = *test_.ledger->Prove(1);
  options_.receipts = {good};
  EXPECT_TRUE(Verify(file_).is_clean());
  EXPECT_FALSE(VerifyReceipt(good, test_.key()));
  options_.receipts = {good, *test_.ledger->Prove(2), good};
  EXPECT_TRUE(Verify(file_).is_clean());
  const auto found = [&](const Receipt& bad) {
    for (const std::vector<Receipt>& receipts : {std::vector{bad}, {good, bad}, {bad, good}}) {
      options_.receipts = receipts;
      EXPECT_THAT(Verify(file_), Finds(FindingKind::kReceipt));
    }
    EXPECT_TRUE(VerifyReceipt(bad, test_.key()));
  };
  Receipt bad = good;
  bad.number = 2;
  found(bad);
  bad = good;
  bad.leaf.cause = ErasureCause::kExpired;
  found(bad);
  bad = good;
  bad.proof.front()[0] ^= std::byte{1};
  found(bad);
  bad = good;
  const SigningKey other = OtherKey();
  bad.head = SignedHead::Sign(good.head.head(), {&other});
  found(bad);
  // All right in itself, and of a leaf that this export does not have yet.
  test_.Add(Created());
  const Receipt newer = *test_.ledger->Prove(18);
  EXPECT_FALSE(VerifyReceipt(newer, test_.key()));
  options_.receipts = {newer};
  EXPECT_THAT(Verify(file_), Finds(FindingKind::kReceipt));
}

}  // namespace
}  // namespace lethe
