// Goal: the verifier's account is right: what was created is live or erased, once, and in time, and
// what is not so is named. Method: small ledgers with one thing wrong each; those that the ledger
// itself would not write are signed by the test. And one of 100,000 leaves, in which a turned bit,
// a dropped leaf and a rewritten history are each found.

#include "ledger/verifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/forger.h"
#include "tests/support/test_ledger.h"

namespace lethe {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kAudioIndex = 0, kResultIndex = 1;

std::vector<std::string> Kinds(const Verification& verified) {
  std::vector<std::string> kinds;
  for (const Finding& finding : verified.findings) {
    kinds.emplace_back(FindingKindName(finding.kind));
  }
  return kinds;
}

class VerifierTest : public testing::Test {
 protected:
  VerifierTest() { EXPECT_THAT(test_.Open(), IsOk()); }

  Verification Verify(seconds allowed_lateness = seconds(60)) {
    EXPECT_THAT(test_.ledger->SignHead(), IsOk());
    return VerifyExport(test_.Export(),
                        {.trusted_key = test_.key(), .allowed_lateness = allowed_lateness})
        .value();
  }

  TestLedger test_;
};

TEST_F(VerifierTest, CreatedIsLiveOrErasedForEveryClass) {
  const Leaf audio = Created(DataClass::kAudio), rows = Created(DataClass::kResult, 10);
  const std::uint64_t first = test_.Add(audio), second = test_.Add(rows);
  test_.Add(Created(DataClass::kAudio));
  test_.Add(Erased(first, audio, ErasureCause::kTaskEnded));
  Leaf some = Erased(second, rows, ErasureCause::kRequested);
  some.items = 3;
  test_.Add(some);
  some.items = 7;
  some.cause = ErasureCause::kTenantRemoved;
  test_.Add(some);
  test_.Add({.kind = LeafKind::kRefused, .items = 5, .region = "eu"});
  test_.Add({.kind = LeafKind::kPolicyChanged,
             .items = 0,
             .region = "eu",
             .from = hours(24),
             .to = hours(1)});
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), IsEmpty());
  const ClassAccount &of_audio = verified.classes[kAudioIndex],
                     &of_results = verified.classes[kResultIndex];
  EXPECT_EQ(of_audio.created, 2U);
  EXPECT_EQ(of_audio.erased, 1U);
  EXPECT_EQ(of_audio.live, 1U);
  EXPECT_EQ(of_audio.refused, 5U);
  EXPECT_EQ(of_results.created, 10U);
  EXPECT_EQ(of_results.erased, 10U);
  EXPECT_EQ(of_results.live, 0U);
  EXPECT_THAT(of_results.erased_for, ElementsAre(0, 0, 3, 0, 0, 7, 0));
  EXPECT_TRUE(of_audio.is_complete() && of_results.is_complete());
  EXPECT_EQ(verified.policy_changes, 1U);
}

TEST_F(VerifierTest, LatenessIsMeasuredAndTheLargestIsNamed) {
  const Leaf leaf = Created(DataClass::kAudio, 1, kNoon + hours(1));
  for (int i = 0; i < 4; ++i) test_.Add(leaf);
  test_.clock.Set(kNoon + minutes(30));
  test_.Add(Erased(0, leaf));
  test_.clock.Set(kNoon + hours(1));
  test_.Add(Erased(1, leaf, ErasureCause::kExpired));
  test_.clock.Advance(seconds(7));
  test_.Add(Erased(2, leaf, ErasureCause::kExpired));
  test_.clock.Advance(seconds(83));
  test_.Add(Erased(3, leaf, ErasureCause::kExpired));
  const Verification late = Verify();
  EXPECT_THAT(Kinds(late), ElementsAre("late"));
  EXPECT_THAT(late.findings[0].what, HasSubstr("leaf 7 is 90 s late"));
  const Lateness& lateness = late.classes[kAudioIndex].lateness;
  EXPECT_EQ(lateness.largest, seconds(90));
  EXPECT_EQ(lateness.largest_leaf, 7U);
  EXPECT_EQ(lateness.leaves, 4U);
  EXPECT_THAT(lateness.bins, ElementsAre(2, 0, 1, 0, 1, 0, 0, 0));
  EXPECT_THAT(Kinds(Verify(seconds(90))), IsEmpty());
}

TEST_F(VerifierTest, WhatHadToBeGoneAndIsNotIsOverdue) {
  test_.Add(Created(DataClass::kResult, 4, kNoon + hours(1)));
  test_.Add(Created(DataClass::kResult, 1, kNoon + hours(2)));
  test_.clock.Set(kNoon + hours(1) + seconds(60));
  EXPECT_THAT(Kinds(Verify()), IsEmpty());
  test_.clock.Advance(seconds(1));
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), ElementsAre("overdue"));
  EXPECT_THAT(verified.findings[0].what, HasSubstr("4 of result"));
  EXPECT_THAT(verified.findings[0].what, HasSubstr("leaf 0"));
  EXPECT_EQ(verified.classes[kResultIndex].overdue, 4U);
}

TEST_F(VerifierTest, ErasedTwiceIsFoundAndTheAccountDoesNotAddUp) {
  const Leaf leaf = Created(DataClass::kAudio, 2);
  test_.Add(leaf);
  test_.Add(Erased(0, leaf));
  test_.Add(Erased(0, leaf));
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), ElementsAre("erasure"));
  EXPECT_THAT(verified.findings[0].what, HasSubstr("leaf 2 erases leaf 0"));
  EXPECT_FALSE(verified.classes[kAudioIndex].is_complete());
}

TEST_F(VerifierTest, ErasedWithoutHavingBeenCreatedIsFound) {
  const Leaf leaf = Created();
  test_.Add(leaf);
  test_.Add(Erased(0, leaf));
  Leaf of_an_erasure = Erased(1, leaf);
  Leaf by_an_unknown_name = Erased(kNoLeaf, Created());
  Leaf without_any_name = Erased(kNoLeaf, leaf);
  without_any_name.reference = {};
  for (const Leaf& bad : {of_an_erasure, by_an_unknown_name, without_any_name}) test_.Add(bad);
  EXPECT_THAT(Kinds(Verify()), ElementsAre("erasure", "erasure", "erasure"));
}

TEST_F(VerifierTest, ErasureWithoutANumberIsFoundByItsReference) {
  const Leaf first = Created(), second = Created();
  test_.Add(first);
  test_.Add(Erased(kNoLeaf, first));
  test_.Add(second);
  test_.Add(Erased(kNoLeaf, second));
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), IsEmpty());
  EXPECT_EQ(verified.classes[kAudioIndex].live, 0U);
  test_.Add(Erased(kNoLeaf, second));
  EXPECT_THAT(Kinds(Verify()), ElementsAre("erasure"));
}

TEST_F(VerifierTest, ErasureOfSomethingElseIsFound) {
  const Leaf leaf = Created();
  test_.Add(leaf);
  Leaf other_class = Erased(0, leaf), other_item = Erased(0, leaf), other_region = Erased(0, leaf);
  other_class.data_class = DataClass::kResult;
  other_item.reference[0] ^= std::byte{1};
  other_region.region = "eu";
  for (const Leaf& bad : {other_class, other_item, other_region}) test_.Add(bad);
  EXPECT_THAT(Kinds(Verify()), ElementsAre("erasure", "erasure", "erasure"));
}

TEST_F(VerifierTest, TimeToBeGoneMayComeNearerAndNotGoAway) {
  const Leaf leaf = Created(DataClass::kAudio, 1, kNoon + hours(2));
  test_.Add(leaf);
  test_.Add(leaf);
  Leaf earlier = Erased(0, leaf), later = Erased(1, leaf);
  earlier.due -= hours(1);
  later.due += hours(1);
  test_.Add(earlier);
  EXPECT_THAT(Kinds(Verify()), IsEmpty());
  test_.Add(later);
  EXPECT_THAT(Kinds(Verify()), ElementsAre("period"));
}

TEST_F(VerifierTest, LateDestructionOfAnEpochsKeyIsFound) {
  const seconds begin = kNoon.time_since_epoch() - hours(26);
  test_.Add({.kind = LeafKind::kEpochKeyDestroyed,
             .items = 0,
             .due = kNoon - minutes(2),
             .region = "eu",
             .from = begin,
             .to = begin + hours(1)});
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), ElementsAre("late"));
  EXPECT_EQ(verified.keys_of_hours.destroyed, 1U);
  EXPECT_EQ(verified.keys_of_hours.lateness.largest, seconds(120));
  // It is none of an item.
  EXPECT_EQ(verified.classes[kAudioIndex].lateness.leaves, 0U);
}

// Leaves that the ledger would not write, signed as if it had.
class WrittenByHandTest : public testing::Test {
 protected:
  void Put(Leaf leaf, sys_seconds time) {
    leaf.time = time;
    const auto bytes = EncodeLeaf(leaf);
    parts_.leaves.emplace_back(bytes.begin(), bytes.end());
  }
  void Sign(sys_seconds time) {
    notes_.push_back(SignedHead::Sign({.origin = key_.verifier().name,
                                       .size = parts_.leaves.size(),
                                       .root = parts_.Root(parts_.leaves.size()),
                                       .time = time},
                                      {&key_})
                         .note());
  }
  Verification Verify(std::optional<sys_seconds> at = {}) {
    parts_.key = key_.verifier().Text();
    parts_.notes = notes_;
    return VerifyExport(parts_.File(), {.trusted_key = key_.verifier(), .at = at}).value();
  }

  const SigningKey key_ = OtherKey();
  Forgery parts_;
  std::vector<std::string> notes_;
};

TEST_F(WrittenByHandTest, DatesBeforeTheHeadBeforeAreFound) {
  const Leaf leaf = Created();
  Put(leaf, kNoon);
  Sign(kNoon + hours(1));
  Put(Erased(0, leaf), kNoon + minutes(59));  // said to have been in time
  Sign(kNoon + hours(2));
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), ElementsAre("time"));
  EXPECT_THAT(verified.findings[0].what, HasSubstr("leaf 1"));
}

TEST_F(WrittenByHandTest, HeadsAndLeavesDatedBackAreFound) {
  const Leaf leaf = Created(DataClass::kAudio, 1, kNoon + hours(1));
  Put(leaf, kNoon);
  Put(leaf, kNoon - seconds(1));
  Sign(kNoon - seconds(1));
  EXPECT_THAT(Kinds(Verify()), ElementsAre("time", "time"));
}

TEST_F(WrittenByHandTest, PeriodsLongerThanTheClassMayHaveAreFound) {
  Put(Created(DataClass::kAudio, 1, kNoon + hours(24) + seconds(1)), kNoon);
  Put({.kind = LeafKind::kPolicyChanged, .items = 0, .region = "eu", .to = hours(25)}, kNoon);
  Sign(kNoon);
  EXPECT_THAT(Kinds(Verify()), ElementsAre("period", "period"));
}

// Something that was sealed at a time, and erased in time; its leaf is written so much later.
class KeysOfHoursTest : public WrittenByHandTest {
 protected:
  void Hold(DataClass data_class, sys_seconds sealed, seconds period, seconds behind = seconds(0)) {
    const Leaf leaf = Created(data_class, 1, sealed + period);
    Put(leaf, sealed + behind);
    Put(Erased(parts_.leaves.size() - 1, leaf), sealed + std::max(period, behind));
  }
  void Destroy(DataClass data_class, sys_seconds hour, sys_seconds time,
               const char* region = "ap-guangzhou") {
    Put({.kind = LeafKind::kEpochKeyDestroyed,
         .data_class = data_class,
         .items = 0,
         .due = hour + std::chrono::floor<seconds>(MaxLifetime(data_class)),
         .region = region,
         .from = hour.time_since_epoch(),
         .to = hour.time_since_epoch() + hours(1)},
        time);
  }
  // A head when no key of the test has any excuse left.
  Verification VerifyAtLast() {
    Sign(kLast);
    return Verify();
  }

  static constexpr sys_seconds kHour = kNoon;
  static constexpr sys_seconds kLast = kNoon + hours(14 * 24);
  static constexpr minutes kBefore{7};  // the hour's end
};

TEST_F(KeysOfHoursTest, OneThatWasNeverDestroyedIsFound) {
  Hold(DataClass::kResult, kHour + minutes(5), hours(24));
  Sign(kHour + hours(7 * 24));
  EXPECT_THAT(Kinds(Verify()), IsEmpty()) << "it may still be there";
  Sign(kHour + hours(7 * 24) + minutes(2));
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), ElementsAre("key"));
  EXPECT_THAT(verified.findings[0].what,
              HasSubstr("result in ap-guangzhou of the hour from 2026-11-24 12:00:00 UTC"));
  EXPECT_EQ(verified.keys_of_hours.missing, 1U);
}

TEST_F(KeysOfHoursTest, OfResultsTheyGoAfterADayOrAsOlderVersionsDidAfterSeven) {
  for (const hours after : {hours(25), hours(7 * 24)}) {
    parts_ = {};
    notes_.clear();
    Hold(DataClass::kResult, kHour + minutes(5), hours(24));
    Destroy(DataClass::kResult, kHour, kHour + after);
    EXPECT_THAT(Kinds(VerifyAtLast()), IsEmpty());
  }
}

TEST_F(KeysOfHoursTest, AnothersStandsForNone) {
  Hold(DataClass::kOperationLog, kHour, hours(24 * 7 - 1));
  Destroy(DataClass::kOperationLog, kHour, kHour + hours(24 * 7), "eu");
  Destroy(DataClass::kResult, kHour, kHour + hours(24 * 7));
  Destroy(DataClass::kOperationLog, kHour + hours(1), kHour + hours(24 * 7 + 1));
  Destroy(DataClass::kOperationLog, kHour - hours(2), kHour + hours(24 * 7 + 1));
  Sign(kHour + hours(24 * 7 + 2));
  const Verification verified = Verify();
  EXPECT_EQ(verified.keys_of_hours.missing, 1U);
}

TEST_F(KeysOfHoursTest, OfWhatIsWrittenDownBehindItsHourTheKeyIsThatOfItsHour) {
  const sys_seconds sealed = kHour + hours(1) - kBefore;
  for (const auto& [period, behind] :
       {std::pair<seconds, seconds>(hours(24), minutes(10)),  // in the next hour
        {hours(24), hours(63)},                               // of a service that was stopped
        {hours(1), hours(3)}}) {                              // of an application's shorter period
    parts_ = {};
    notes_.clear();
    Hold(DataClass::kResult, sealed, period, behind);
    Destroy(DataClass::kResult, kHour, kHour + hours(7 * 24));
    EXPECT_EQ(VerifyAtLast().keys_of_hours.missing, 0U);
  }
}

TEST_F(KeysOfHoursTest, WhatNoKeySealsWantsNone) {
  Hold(DataClass::kMonitoring, kHour, hours(1));
  Put({.kind = LeafKind::kRefused, .items = 1, .region = "eu"}, kHour + hours(2));
  Sign(kHour + hours(80 * 24));
  EXPECT_THAT(Kinds(Verify()), IsEmpty());
}

TEST_F(WrittenByHandTest, AnExportWhoseLastHeadIsOldIsFound) {
  Put(Created(), kNoon);
  Sign(kNoon);
  EXPECT_THAT(Kinds(Verify(kNoon + kOldestLastHead)), IsEmpty());
  EXPECT_THAT(Kinds(Verify(kNoon - hours(1))), IsEmpty());
  EXPECT_THAT(Kinds(Verify()), IsEmpty()) << "nobody asked";
  const Verification verified = Verify(kNoon + hours(24 * 30));
  EXPECT_THAT(Kinds(verified), ElementsAre("stale"));
  EXPECT_THAT(verified.findings[0].what, HasSubstr("of 2026-11-24 12:00:00 UTC, is 720 h older"));
}

TEST_F(WrittenByHandTest, TimesWithoutAHeadAreToldAndNoFinding) {
  Put(Created(DataClass::kResult, 1, kNoon + hours(24 * 7)), kNoon);
  for (const hours at : {hours(0), hours(25), hours(25 + 63), hours(25 + 63 + 26)}) {
    Sign(kNoon + at);
  }
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), IsEmpty());
  EXPECT_EQ(verified.num_gaps, 2U);
  ASSERT_TRUE(verified.longest_gap);
  EXPECT_EQ(verified.longest_gap->from, kNoon + hours(25));
  EXPECT_EQ(verified.longest_gap->to, kNoon + hours(25 + 63));
}

TEST_F(WrittenByHandTest, TwoHeadsOfOneSizeAndDifferentRootsAreFound) {
  Put(Created(), kNoon);
  Sign(kNoon);
  parts_.leaves.clear();
  Put(Created(), kNoon);
  Sign(kNoon);
  EXPECT_THAT(Kinds(Verify()), ElementsAre("history"));
}

TEST_F(WrittenByHandTest, LeavesThatAreNoneAreFoundAndTheRestIsCounted) {
  Put(Created(), kNoon);
  parts_.leaves.emplace_back(kLeafBytes);
  Put(Created(), kNoon);
  Sign(kNoon);
  const Verification verified = Verify();
  EXPECT_THAT(Kinds(verified), ElementsAre("malformed"));
  EXPECT_EQ(verified.classes[kAudioIndex].created, 2U);
}

TEST_F(WrittenByHandTest, FindingsAreCountedAndTheFirstAreTold) {
  for (int i = 0; i < 150; ++i) parts_.leaves.emplace_back(kLeafBytes);
  Sign(kNoon);
  const Verification verified = Verify();
  EXPECT_EQ(verified.num_findings, 150U);
  EXPECT_THAT(verified.findings, SizeIs(kMaxToldOfAKind));
}

TEST(LargeLedgerTest, HundredThousandLeavesAreVerifiedAndAnyTamperingIsFound) {
  constexpr std::size_t kBatch = 2000, kLeaves = 100'000;
  TestLedger test(/*leaves_per_segment=*/30'000);
  ASSERT_THAT(test.Open(), IsOk());
  while (test.ledger->size() < kLeaves) {
    const std::uint64_t first = test.ledger->size();
    std::vector<Leaf> created;
    for (std::size_t i = 0; i < kBatch; ++i) created.push_back(Created(kDataClasses[i % 4]));
    ASSERT_THAT(test.ledger->Append(created), IsOk());
    std::vector<Leaf> erased;
    for (std::size_t i = 0; i < kBatch; ++i) erased.push_back(Erased(first + i, created[i]));
    test.clock.Advance(minutes(1));
    ASSERT_THAT(test.ledger->Append(erased), IsOk());
    ASSERT_THAT(test.ledger->SignHead(), IsOk());
  }
  const std::vector<std::byte> file = test.Export();
  const VerifyOptions options = {.trusted_key = test.key()};
  const Verification verified = VerifyExport(file, options).value();
  EXPECT_THAT(Kinds(verified), IsEmpty());
  EXPECT_EQ(verified.num_leaves, kLeaves);
  for (const ClassAccount& account : verified.classes) {
    EXPECT_EQ(account.created, kLeaves / 8);
    EXPECT_EQ(account.erased, kLeaves / 8);
  }
  Forgery turned = Forgery::Of(file);
  turned.leaves[54'321][50] ^= std::byte{1};
  const Verification of_turned = VerifyExport(turned.File(), options).value();
  EXPECT_THAT(Kinds(of_turned), testing::Contains("history"));
  EXPECT_THAT(of_turned.findings[0].what, HasSubstr("the first 52000 are as signed"));
  Forgery dropped = Forgery::Of(file);
  dropped.leaves.erase(dropped.leaves.begin() + 54'321);
  EXPECT_THAT(Kinds(VerifyExport(dropped.File(), options).value()), testing::Contains("history"));
  Forgery rewritten = Forgery::Of(file);
  rewritten.leaves.resize(kLeaves - kBatch * 2);
  rewritten.Sign(OtherKey(), kNoon + hours(1));
  EXPECT_THAT(Kinds(VerifyExport(rewritten.File(), options).value()), ElementsAre("signature"));
}

}  // namespace
}  // namespace lethe
