// Goal: usage adds up as the contract bills it, by the cloud's calendar, and is forgotten in time.
// Method: as store_contract_test.cc; calls a millisecond before and after every boundary.

#include "tests/support/store_contract.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using std::chrono::days;
using std::chrono::hours;

constexpr std::chrono::sys_days kToday = std::chrono::floor<days>(kNoon);

class UsageContractTest : public StoreContractTest {
 protected:
  FinishedCall Call(WallTime end, Millis audio, Interface interface = Interface::kSentence) const {
    return {.app_id = 7,
            .interface = interface,
            .call_id = "call",
            .result_code = "0",
            .succeeded = true,
            .start = end - Millis(10),
            .end = end,
            .audio = audio,
            .bytes = 100};
  }
  void Record(const FinishedCall& call) { ASSERT_THAT(usage_.Record({&call, 1}), IsOk()); }
  std::vector<DayUsage> ByDay(std::chrono::sys_days first, std::chrono::sys_days last,
                              std::chrono::minutes offset = hours(8)) {
    return *usage_.ByDay({.app_id = 7, .first = first, .last = last, .utc_offset = offset});
  }

  std::vector<FinishedCall> Read(WallTime begin, WallTime end, UsageMark upto = kAllUsage) {
    std::vector<FinishedCall> calls;
    EXPECT_THAT(usage_.Calls({.app_id = 7, .begin = begin, .end = end, .upto = upto},
                             [&](const FinishedCall& call) {
                               calls.push_back(call);
                               return OkStatus();
                             }),
                IsOk());
    return calls;
  }

  Usage& usage_ = store_->usage();
};

INSTANTIATE_TEST_SUITE_P(Stores, UsageContractTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& about) { return about.param; });

TEST(CountedSecondsTest, AtLeastOneAndPartsCountAsWholeAndFailuresAsNothing) {
  for (const auto& [millis, seconds] :
       {std::pair{0, 1U}, {1, 1U}, {999, 1U}, {1000, 1U}, {1001, 2U}, {60'000, 60U}}) {
    FinishedCall call{.succeeded = true, .audio = Millis(millis)};
    EXPECT_EQ(CountedSeconds(call), seconds) << millis;
    call.succeeded = false;
    EXPECT_EQ(CountedSeconds(call), 0U) << millis;
  }
}

TEST_P(UsageContractTest, FeesAddUpFromTheBeginAndBeforeTheEnd) {
  EXPECT_EQ(*usage_.Fees(7, kNoon, kNoon + days(1)), 0);
  clock_.Advance(hours(1));
  for (const auto& [end, fee] : {std::pair{kNoon - Millis(1), 1},
                                 {kNoon, 10},
                                 {kNoon + hours(1) - Millis(1), 100},
                                 {kNoon + hours(1), 1000}}) {
    FinishedCall call = Call(end, Millis(1000));
    call.fee = fee;
    Record(call);
  }
  FinishedCall others = Call(kNoon, Millis(1000));
  others.app_id = 8;
  others.fee = 10'000;
  Record(others);
  EXPECT_EQ(*usage_.Fees(7, kNoon, kNoon + hours(1)), 110);
  clock_.Set(kNoon + kUsageLifetime);
  EXPECT_EQ(*usage_.Fees(7, kNoon, kNoon + hours(1)), 100);
}

TEST_P(UsageContractTest, CallsAddUpByDayAndInterface) {
  std::vector<FinishedCall> calls = {Call(kNoon, Millis(1200)), Call(kNoon, Millis(0)),
                                     Call(kNoon, Millis(61'000), Interface::kFlash),
                                     Call(kNoon - days(1), Millis(5000))};
  FinishedCall failed = Call(kNoon, Millis(5000));
  failed.succeeded = false;
  failed.result_code = "FailedOperation.ErrorRecognize";
  calls.push_back(failed);
  FinishedCall others = Call(kNoon, Millis(9000));
  others.app_id = 8;
  calls.push_back(others);
  ASSERT_THAT(usage_.Record(calls), IsOk());
  EXPECT_THAT(ByDay(kToday - days(30), kToday + days(1)),
              ElementsAre(DayUsage{kToday - days(1), Interface::kSentence, 1, 0, 5},
                          DayUsage{kToday, Interface::kSentence, 2, 1, 3},
                          DayUsage{kToday, Interface::kFlash, 1, 0, 61}));
  EXPECT_THAT(ByDay(kToday + days(1), kToday + days(1)), IsEmpty());
}

TEST_P(UsageContractTest, DaysBeginAtMidnightOfTheOffset) {
  // Midnight of the 25th in China is 16:00 of the 24th, UTC.
  const WallTime midnight = kToday + hours(16);
  clock_.Set(midnight + hours(1));
  Record(Call(midnight - Millis(1), Millis(1000)));
  Record(Call(midnight, Millis(2000)));
  EXPECT_THAT(ByDay(kToday, kToday + days(1)),
              ElementsAre(DayUsage{kToday, Interface::kSentence, 1, 0, 1},
                          DayUsage{kToday + days(1), Interface::kSentence, 1, 0, 2}));
  EXPECT_THAT(ByDay(kToday, kToday + days(1), hours(0)),
              ElementsAre(DayUsage{kToday, Interface::kSentence, 2, 0, 3}));
  EXPECT_THAT(ByDay(kToday, kToday + days(1), hours(-5)),
              ElementsAre(DayUsage{kToday, Interface::kSentence, 2, 0, 3}));
}

TEST_P(UsageContractTest, ExpiredRowsDoNotCountWhetherOrNotTheyWereSwept) {
  for (int i = 0; i < 3; ++i) Record(Call(kNoon, Millis(1000)));
  clock_.Advance(hours(1));
  Record(Call(clock_.Now(), Millis(1000)));
  clock_.Set(kNoon + kUsageLifetime - Millis(1));
  EXPECT_EQ(*usage_.RemoveExpired(10), 0);
  EXPECT_EQ(ByDay(kToday, kToday).front().calls, 4U);
  clock_.Advance(Millis(1));
  EXPECT_EQ(ByDay(kToday, kToday).front().calls, 1U);
  EXPECT_EQ(*usage_.RemoveExpired(2), 2);
  EXPECT_EQ(*usage_.RemoveExpired(2), 1);
  EXPECT_EQ(*usage_.RemoveExpired(2), 0);
  EXPECT_EQ(ByDay(kToday, kToday).front().calls, 1U);
}

// Calls are dated by the machine's clock, which may have leapt ahead of the store's.
TEST_P(UsageContractTest, ACallDatedAheadIsHeldNoLongerThanOneOfNow) {
  const std::vector calls = {Call(kNoon - hours(1), Millis(1000)),
                             Call(kNoon + days(31), Millis(1000))};
  ASSERT_THAT(usage_.Record(calls), IsOk());
  const std::vector<JournalEntry> told = *store_->journal().Pending(10);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told.front().leaf.due,
            std::chrono::floor<std::chrono::seconds>(kNoon + kUsageLifetime));
  EXPECT_THAT(Read(kNoon + days(31), kNoon + days(32)), SizeIs(1));
  clock_.Set(kNoon + kUsageLifetime);
  EXPECT_EQ(*usage_.RemoveExpired(10), 2);
}

TEST_P(UsageContractTest, CallsAreReadInTheOrderOfTheirEndsAndAsTheyWereWritten) {
  FinishedCall call = Call(kNoon, Millis(1234), Interface::kFlash);
  call.call_id = "voice, \"one\"";
  call.result_code = "5000";
  call.succeeded = false;
  call.server_fault = true;
  call.region = "default";
  call.fee = 9'000'000'000'001;
  Record(call);
  const FinishedCall earlier = Call(kNoon - Millis(1), Millis(0));
  Record(earlier);
  FinishedCall same_moment = Call(kNoon, Millis(5), Interface::kOpenAi);
  Record(same_moment);
  FinishedCall others = Call(kNoon, Millis(1));
  others.app_id = 8;
  Record(others);
  EXPECT_THAT(Read(kNoon - hours(1), kNoon + hours(1)), ElementsAre(earlier, call, same_moment));
  EXPECT_THAT(Read(kNoon, kNoon + Millis(1)), ElementsAre(call, same_moment));
  EXPECT_THAT(Read(kNoon - Millis(1), kNoon), ElementsAre(earlier));
  EXPECT_THAT(*usage_.Applications(), ElementsAre(AppId{7}, AppId{8}));
}

TEST_P(UsageContractTest, OfTheIdThatAClientMadeOnlyAKeyedHashIsKept) {
  FinishedCall call = Call(kNoon, Millis(1), Interface::kRealtime);
  call.call_id = "anna karenina";
  Record(call);
  Record(call);
  const auto read = Read(kNoon, kNoon + Millis(1));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].call_id, read[1].call_id);
  EXPECT_EQ(read[0].call_id.size(), 64U);
  EXPECT_THAT(read[0].call_id, Not(HasSubstr("anna")));
}

TEST_P(UsageContractTest, ARowThatWasWrittenIsFoundByItsCallAndNoOtherIs) {
  for (const Interface interface : {Interface::kRealtime, Interface::kFlash}) {
    FinishedCall call = Call(kNoon, Millis(1500), interface);
    EXPECT_FALSE(*usage_.Has(call));
    Record(call);
    EXPECT_TRUE(*usage_.Has(call));
    FinishedCall other = call;
    other.call_id = "another";
    EXPECT_FALSE(*usage_.Has(other));
    other = call;
    other.end += Millis(1);
    EXPECT_FALSE(*usage_.Has(other));
  }
}

TEST_P(UsageContractTest, NoCallIsLostOrReadTwiceWhereAPageEnds) {
  // Ends are shared by 700 calls each, so that pages of any size end within one.
  std::vector<FinishedCall> calls;
  for (int i = 0; i < 2500; ++i) {
    calls.push_back(Call(kNoon + Millis(i / 700), Millis(1)));
    calls.back().bytes = static_cast<std::uint64_t>(i);
  }
  ASSERT_THAT(usage_.Record(calls), IsOk());
  EXPECT_EQ(Read(kNoon, kNoon + hours(1)), calls);
}

TEST_P(UsageContractTest, WhatIsWrittenAfterTheMarkIsNotReadUpToIt) {
  Record(Call(kNoon, Millis(1)));
  const UsageMark mark = *usage_.Mark();
  Record(Call(kNoon, Millis(2)));
  EXPECT_THAT(Read(kNoon, kNoon + hours(1), mark), SizeIs(1));
  EXPECT_THAT(Read(kNoon, kNoon + hours(1)), SizeIs(2));
}

TEST_P(UsageContractTest, ExpiredCallsAreNotReadWhetherOrNotTheyWereSwept) {
  clock_.Advance(Millis(1));
  Record(Call(kNoon, Millis(1)));
  Record(Call(kNoon + Millis(1), Millis(1)));
  clock_.Set(kNoon + kUsageLifetime);
  EXPECT_THAT(Read(kNoon, kNoon + hours(1)), SizeIs(1));
  clock_.Advance(Millis(1));
  EXPECT_THAT(Read(kNoon, kNoon + hours(1)), IsEmpty());
  EXPECT_THAT(*usage_.Applications(), IsEmpty());
}

TEST_P(UsageContractTest, ASinkThatHasEnoughEndsTheReading) {
  for (int i = 0; i < 3; ++i) Record(Call(kNoon, Millis(1)));
  int taken = 0;
  const Status status = usage_.Calls(
      {.app_id = 7, .begin = kNoon, .end = kNoon + hours(1)},
      [&](const auto&) { return ++taken == 2 ? ResourceExhausted("full") : OkStatus(); });
  EXPECT_THAT(status, HasCode(StatusCode::kResourceExhausted));
  EXPECT_EQ(taken, 2);
  EXPECT_THAT(usage_.Calls({.app_id = 7, .begin = kNoon, .end = kNoon - Millis(1)},
                           [](const auto&) { return OkStatus(); }),
              HasCode(StatusCode::kInvalidArgument));
}

TEST_P(UsageContractTest, BadQueriesAndRowsAreRefusedWhole) {
  EXPECT_THAT(usage_.ByDay({.app_id = 7, .first = kToday, .last = kToday - days(1)}),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(usage_.ByDay({.app_id = 7, .first = kToday, .last = kToday + days(kMaxUsageDays)}),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(ByDay(kToday, kToday + days(kMaxUsageDays - 1)), IsEmpty());
  std::vector<FinishedCall> calls = {Call(kNoon, Millis(1)), Call(kNoon, Millis(1))};
  calls[1].call_id.assign(1025, 'x');
  EXPECT_THAT(usage_.Record(calls), HasCode(StatusCode::kInvalidArgument));
  calls[1].call_id = "call";
  calls[1].region.assign(65, 'x');
  EXPECT_THAT(usage_.Record(calls), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(ByDay(kToday, kToday), IsEmpty());
  EXPECT_THAT(usage_.Record({}), IsOk());
}

}  // namespace
}  // namespace lethe
