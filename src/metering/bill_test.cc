// Goal: a month's usage is charged as the contract says, and its bill adds up to the micro-unit.
// Method: months of few calls with fees computed by hand; random ones whose shares have to add up.

#include "metering/bill.h"

#include <random>

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using std::chrono::days;
using std::chrono::hours;

constexpr BilledMonth kOctober{.month = std::chrono::year(2026) / 10};

class BillTest : public testing::Test {
 protected:
  // A call on a day of October (the first is 0).
  void Call(int day, Interface interface, std::chrono::seconds audio, bool succeeded = true) {
    calls_.push_back(
        {.app_id = 7,
         .interface = interface,
         .succeeded = succeeded,
         .end = kOctober.begin() + days(day) + hours(1) + Millis(static_cast<int>(calls_.size())),
         .audio = audio,
         .fee = 10});
  }
  Bill MakeTheBill(WallTime now = kOctober.end()) {
    UsageSums sums(kOctober.utc_offset);
    for (const FinishedCall& call : calls_) sums.Add(call);
    const auto bill = MakeBill(prices_, 7, kOctober, sums, now);
    EXPECT_THAT(bill, IsOk());
    return *bill;
  }
  // In the order of the calls.
  std::vector<MicroUnits> Shares(const Bill& bill) {
    CallShares shares(prices_, bill);
    std::vector<MicroUnits> all;
    for (const FinishedCall& call : calls_) {
      const auto share = shares.Next(call);
      EXPECT_THAT(share, IsOk());
      all.push_back(*share);
    }
    EXPECT_THAT(shares.Finish(), IsOk());
    return all;
  }

  PriceTable prices_ = *BuiltInPrices("mainland");
  std::vector<FinishedCall> calls_;
};

TEST_F(BillTest, TheWholeDayHasThePriceOfTheTierItReaches) {
  Call(0, Interface::kOpenAi, hours(299));
  Call(1, Interface::kOpenAi, hours(200));
  Call(1, Interface::kOpenAi, hours(100));
  const Bill bill = MakeTheBill();
  ASSERT_EQ(bill.lines.size(), 2U);
  EXPECT_EQ(bill.lines[0].tier, 0U);
  EXPECT_EQ(bill.lines[0].fee, 299 * 3'100'000);
  EXPECT_EQ(bill.lines[1].tier, 1U);
  EXPECT_EQ(bill.lines[1].fee, 300 * 2'700'000);  // and not 299 * 3.1 + 1 * 2.7
  EXPECT_EQ(bill.total, 299 * 3'100'000 + 300 * 2'700'000);
  EXPECT_THAT(Shares(bill), ElementsAre(299 * 3'100'000, 200 * 2'700'000, 100 * 2'700'000));
  EXPECT_EQ(bill.provisional, 30);
}

TEST_F(BillTest, FreeVolumeGoesToTheMonthsFirstCallsAndReachesNoTier) {
  Call(0, Interface::kRealtime, hours(4));
  Call(1, Interface::kRealtime, hours(2));  // of which one is free
  Call(2, Interface::kRealtime, hours(300));
  Call(3, Interface::kRealtime, hours(1));
  const Bill bill = MakeTheBill();
  EXPECT_EQ(bill.lines[0].free, 4 * 3600);
  EXPECT_EQ(bill.lines[0].fee, 0);
  EXPECT_EQ(bill.lines[1].free, 3600);
  EXPECT_EQ(bill.lines[1].fee, 3'200'000);
  EXPECT_EQ(bill.lines[2].fee, 300 * 2'800'000);
  EXPECT_EQ(bill.lines[3].fee, 3'200'000);
  EXPECT_THAT(Shares(bill), ElementsAre(0, 3'200'000, 300 * 2'800'000, 3'200'000));
}

TEST_F(BillTest, FreeVolumeIsSubtractedBeforeTheTierIsLookedUp) {
  Call(0, Interface::kRealtime, hours(304));
  EXPECT_EQ(MakeTheBill().lines[0].fee, 299 * 3'200'000);
  calls_.clear();
  Call(0, Interface::kRealtime, hours(305));
  EXPECT_EQ(MakeTheBill().lines[0].fee, 300 * 2'800'000);
}

TEST_F(BillTest, RecordingsAreBilledByTheMonthAndSentencesByTheCall) {
  Call(0, Interface::kRecording, hours(60'000));
  Call(30, Interface::kRecording, hours(60'010) + std::chrono::seconds(1));
  for (int i = 0; i < 5003; ++i) Call(i % 31, Interface::kSentence, std::chrono::seconds(50));
  Call(5, Interface::kSentence, std::chrono::seconds(50), false);
  const Bill bill = MakeTheBill();
  const BillLine& recordings = bill.lines[1];  // of the first day, after its sentences
  EXPECT_EQ(recordings.interface, Interface::kRecording);
  EXPECT_EQ(recordings.first, kOctober.first_day());
  EXPECT_EQ(recordings.last, kOctober.last_day());
  EXPECT_EQ(recordings.tier, 1U);
  // 120,000 h and one second at 1.40: 1'400'000 / 3600 = 388.9
  EXPECT_EQ(recordings.fee, 168'000'000'389);
  MicroUnits sentences = 0;
  for (const BillLine& line : bill.lines) {
    if (line.interface == Interface::kSentence) sentences += line.fee;
  }
  EXPECT_EQ(sentences, 3 * 3'200);
}

TEST_F(BillTest, ASharesRoundingNeverAddsUpToMoreOrLess) {
  // A price of which a second is 1/3 of a micro-unit: 0, 1, 1 for three calls of two seconds.
  prices_.prices[Interface::kFlash] = {.tiers = {{0, 1200}}};
  for (int i = 0; i < 3; ++i) Call(0, Interface::kFlash, std::chrono::seconds(2));
  const Bill bill = MakeTheBill();
  EXPECT_EQ(bill.total, 2);
  // 2/3 is rounded to 1, 4/3 to 1, 6/3 is 2.
  EXPECT_THAT(Shares(bill), ElementsAre(1, 0, 1));
}

TEST_F(BillTest, RandomMonthsAddUpWhateverThePrices) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    calls_.clear();
    for (const Interface interface : {Interface::kFlash, Interface::kRecording}) {
      Price price{.unit = random() % 2 == 0 ? PriceUnit::kHour : PriceUnit::kThousandCalls,
                  .period = random() % 2 == 0 ? BillingPeriod::kDay : BillingPeriod::kMonth,
                  .free_per_month = static_cast<std::int64_t>(random() % 20'000)};
      for (int tier = 0; tier < 4; ++tier) {
        price.tiers.push_back({tier * 3000, static_cast<MicroUnits>(random() % 10'000'000)});
      }
      prices_.prices[interface] = price;
    }
    for (int i = 0; i < 500; ++i) {
      Call(i * 31 / 500, random() % 2 == 0 ? Interface::kFlash : Interface::kRecording,
           std::chrono::seconds(random() % 500), random() % 10 != 0);
    }
    const Bill bill = MakeTheBill();
    MicroUnits sum = 0, lines = 0;
    for (const MicroUnits share : Shares(bill)) {
      EXPECT_GE(share, 0);
      sum += share;
    }
    for (const BillLine& line : bill.lines) lines += line.fee;
    EXPECT_EQ(sum, bill.total) << round;
    EXPECT_EQ(lines, bill.total) << round;
  }
}

TEST_F(BillTest, WhatHasNoPriceIsListedAndCostsNothing) {
  prices_ = *BuiltInPrices("international");
  Call(0, Interface::kFlash, hours(10));
  const Bill bill = MakeTheBill();
  ASSERT_EQ(bill.lines.size(), 1U);
  EXPECT_FALSE(bill.lines[0].priced);
  EXPECT_EQ(bill.lines[0].seconds, 36'000U);
  EXPECT_EQ(bill.total, 0);
  EXPECT_THAT(Shares(bill), ElementsAre(0));
}

TEST_F(BillTest, SaysWhenItIsNotYetAllOrNotAllAnyMore) {
  Call(0, Interface::kOpenAi, hours(1));
  EXPECT_FALSE(MakeTheBill(kOctober.end() - Millis(1)).over);
  EXPECT_TRUE(MakeTheBill(kOctober.end()).over);
  EXPECT_TRUE(MakeTheBill(kOctober.begin() + kUsageLifetime - Millis(1)).complete);
  EXPECT_FALSE(MakeTheBill(kOctober.begin() + kUsageLifetime).complete);
}

TEST_F(BillTest, CallsOfOtherMonthsAreLeftOutAndThoseOfOtherReadingsNoticed) {
  Call(-1, Interface::kOpenAi, hours(1));
  Call(31, Interface::kOpenAi, hours(1));
  EXPECT_THAT(MakeTheBill().lines, IsEmpty());
  calls_.clear();
  Call(0, Interface::kOpenAi, hours(1));
  const Bill bill = MakeTheBill();
  CallShares none(prices_, bill);
  EXPECT_THAT(none.Finish(), HasCode(StatusCode::kUnavailable));
  CallShares twice(prices_, bill);
  EXPECT_THAT(twice.Next(calls_[0]), IsOk());
  EXPECT_THAT(twice.Next(calls_[0]), HasCode(StatusCode::kFailedPrecondition));
  Call(1, Interface::kOpenAi, hours(1));
  EXPECT_THAT(twice.Next(calls_[1]), HasCode(StatusCode::kFailedPrecondition));
}

TEST_F(BillTest, MoreThanCanBeBilledIsAnErrorAndNoWrongNumber) {
  Call(0, Interface::kOpenAi, std::chrono::seconds(kMostVolume));
  UsageSums sums(kChinaOffset);
  sums.Add(calls_[0]);
  EXPECT_THAT(MakeBill(prices_, 7, kOctober, sums, kOctober.end()), IsOk());
  sums.Add(calls_[0]);
  EXPECT_THAT(MakeBill(prices_, 7, kOctober, sums, kOctober.end()),
              HasCode(StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace lethe
