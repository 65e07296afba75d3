// Goal: each definition of availability is the one that sla.h writes down, also exactly at its
// limits. Method: months of few calls, with figures computed by hand beside them.

#include "metering/sla.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace lethe {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

// 30 days: 43,200 minutes, 8,640 intervals.
constexpr BilledMonth kNovember{.month = std::chrono::year(2026) / 11};
enum Outcome { kGood, kServer, kCaller };

class SlaTest : public testing::Test {
 protected:
  void Call(Millis after_begin, Outcome outcome, int times = 1) {
    const FinishedCall call{.app_id = 7,
                            .interface = Interface::kSentence,
                            .succeeded = outcome == kGood,
                            .server_fault = outcome == kServer,
                            .start = kNovember.begin() + after_begin - Millis(100),
                            .end = kNovember.begin() + after_begin};
    for (int i = 0; i < times; ++i) counter_.Add(call);
  }
  SlaReport Report(MicroUnits fee = 0) const {
    return counter_.Finish(kNovember.end(), fee, "CNY");
  }

  SlaCounter counter_ = *SlaCounter::Create(7, kNovember, {});
};

TEST_F(SlaTest, AMonthWithoutCallsIsAvailable) {
  const SlaReport report = Report(100);
  EXPECT_EQ(report.minutes, 43'200);
  EXPECT_EQ(report.intervals, 8640);
  for (const Availability& availability :
       {report.minute_rule, report.five_minutes, report.requests}) {
    EXPECT_EQ(availability.share, kAllOfIt);
    EXPECT_TRUE(availability.met);
    EXPECT_EQ(availability.credit, 0);
  }
}

TEST_F(SlaTest, AMinuteIsUnavailableOnlyWhenEveryCallInItWasAServerFault) {
  Call(minutes(0), kServer, 3);
  Call(minutes(1), kServer);
  Call(minutes(1), kGood);
  Call(minutes(2), kServer);
  Call(minutes(2), kCaller);
  Call(minutes(3), kCaller);
  Call(minutes(5) - Millis(1), kServer);  // the last moment of minute 4
  const SlaReport report = Report();
  EXPECT_EQ(report.unavailable_minutes, 2);
  EXPECT_EQ(report.calls.all(), 9U);
  // 1 - 2 / 43,200 = 0.99995370370...
  EXPECT_EQ(report.minute_rule.share, 999'953'703);
  // One interval, 6 of 9 calls: 1 - 6/9 / 8,640 = 0.99992283950...
  EXPECT_EQ(report.five_minutes.share, 999'922'839);
  EXPECT_EQ(report.troubled_intervals, 1);
  // 1 of 1 + 6, the callers' own two apart: 0.142857...
  EXPECT_EQ(report.requests.share, 142'857'142);
}

TEST_F(SlaTest, FortyThreeMinutesOfThirtyDaysKeepTheTargetAndFortyFourDoNot) {
  for (int i = 0; i < 43; ++i) Call(days(3) + minutes(i), kServer);
  EXPECT_EQ(Report().minute_rule.share, 999'004'629);  // 1 - 43 / 43,200
  EXPECT_TRUE(Report().minute_rule.met);
  EXPECT_EQ(Report(1'000'000).minute_rule.credit, 0);
  Call(days(3) + minutes(43), kServer);
  EXPECT_EQ(Report().minute_rule.share, 998'981'481);  // 1 - 44 / 43,200
  EXPECT_FALSE(Report().minute_rule.met);
  EXPECT_EQ(Report(1'000'000).minute_rule.credit, 100'000);
}

TEST_F(SlaTest, CreditsBeginBelowTheirLimitsAndNotAtThem) {
  // 432 minutes are 1 %, 2,160 are 5 %.
  for (int i = 0; i < 432; ++i) Call(minutes(i), kServer);
  EXPECT_EQ(Report().minute_rule.share, 990'000'000);
  EXPECT_EQ(Report().minute_rule.percent, 10);
  Call(minutes(432), kServer);
  EXPECT_EQ(Report().minute_rule.percent, 20);
  for (int i = 433; i < 2160; ++i) Call(minutes(i), kServer);
  EXPECT_EQ(Report().minute_rule.share, 950'000'000);
  EXPECT_EQ(Report().minute_rule.percent, 20);
  Call(minutes(2160), kServer);
  EXPECT_EQ(Report().minute_rule.percent, 50);
  // Half of an odd fee, a half upwards; and of one whose product has more than 64 bits.
  EXPECT_EQ(Report(3).minute_rule.credit, 2);
  EXPECT_EQ(Report(8'000'000'000'000'000'001).minute_rule.credit, 4'000'000'000'000'000'001);
}

TEST_F(SlaTest, TheMeanOfIntervalsIsExactAtTheTarget) {
  // 8,640 / 1000 = 8.64 intervals of faults are 0.1 %: seven whole ones, three thirds, and 16
  // of 25.
  for (int i = 0; i < 7; ++i) Call(hours(i), kServer, 10);
  for (int i = 7; i < 10; ++i) {
    Call(hours(i), kServer, 1);
    Call(hours(i), kGood, 2);
  }
  Call(hours(10), kServer, 16);
  Call(hours(10), kGood, 9);
  EXPECT_EQ(Report().five_minutes.share, 999'000'000);
  EXPECT_TRUE(Report().five_minutes.met);
  EXPECT_EQ(Report().troubled_intervals, 11);
  // The least that can be added to it: a fault among a million calls.
  Call(hours(11), kServer);
  Call(hours(11), kGood, 999'999);
  EXPECT_EQ(Report().five_minutes.share, 998'999'999);
  EXPECT_FALSE(Report().five_minutes.met);
}

TEST_F(SlaTest, IntervalsBeginAtMidnightOfTheMonthsCalendar) {
  Call(minutes(5) - Millis(1), kServer);
  Call(minutes(5), kGood);
  EXPECT_EQ(Report().five_minutes.share, 999'884'259);  // 1 - 1 / 8,640: not one of two
}

TEST_F(SlaTest, CallsOfOtherMonthsAreLeftOut) {
  Call(Millis(-1), kServer);
  Call(days(30), kServer);
  EXPECT_EQ(Report().calls.all(), 0U);
  Call(Millis(0), kServer);
  Call(days(30) - Millis(1), kServer);
  EXPECT_EQ(Report().calls.server_faults, 2U);
}

TEST_F(SlaTest, ExcludedRangesCountForNothing) {
  const WallTime begin = kNovember.begin() + hours(1);
  counter_ = *SlaCounter::Create(7, kNovember, {.excluded = {{begin, begin + hours(1)}}});
  Call(hours(1) - Millis(1), kServer);
  Call(hours(1), kServer, 5);
  Call(hours(2) - Millis(1), kGood);
  Call(hours(2), kServer);
  const SlaReport report = Report();
  EXPECT_EQ(report.excluded_calls, 6U);
  EXPECT_EQ(report.calls.all(), 2U);
  EXPECT_EQ(report.unavailable_minutes, 2);
  EXPECT_EQ(report.minutes, 43'200);
  EXPECT_THAT(SlaCounter::Create(7, kNovember, {.excluded = {{begin, begin - Millis(1)}}}),
              HasCode(StatusCode::kInvalidArgument));
  SlaOptions many;
  many.excluded.resize(kMostExclusions + 1);
  EXPECT_THAT(SlaCounter::Create(7, kNovember, many), HasCode(StatusCode::kInvalidArgument));
}

TEST_F(SlaTest, TimesAreNearestRanksOfCallsThatSucceeded) {
  const LatencyObjectives objectives{.p95 = Millis(95), .p99 = Millis(98)};
  counter_ = *SlaCounter::Create(7, kNovember, {.objectives = objectives});
  // 1 to 100 ms beyond 10 s of audio.
  for (int i = 100; i >= 1; --i) {
    counter_.Add({.app_id = 7,
                  .interface = Interface::kFlash,
                  .succeeded = true,
                  .start = kNovember.begin(),
                  .end = kNovember.begin() + Millis(10'000 + i),
                  .audio = Millis(10'000)});
  }
  Call(hours(1), kServer);
  const SlaReport report = Report();
  ASSERT_EQ(report.interfaces.size(), 2U);
  EXPECT_EQ(report.interfaces[0].interface, Interface::kSentence);
  EXPECT_FALSE(report.interfaces[0].time);
  EXPECT_FALSE(report.interfaces[0].objectives_met);
  const InterfaceLevel& flash = report.interfaces[1];
  EXPECT_EQ(flash.time->p50, Millis(10'050));
  EXPECT_EQ(flash.beyond->p50, Millis(50));
  EXPECT_EQ(flash.beyond->p95, Millis(95));
  EXPECT_EQ(flash.beyond->p99, Millis(99));
  EXPECT_EQ(flash.objectives_met, false);  // 99 > 98
}

TEST_F(SlaTest, LongTimesAreWholeSecondsUpwardsAndSixHoursTheMost) {
  const auto only = [&](Millis time) {
    counter_ = *SlaCounter::Create(7, kNovember, {});
    counter_.Add({.succeeded = true,
                  .start = kNovember.begin() + days(1) - time,
                  .end = kNovember.begin() + days(1)});
    return Report().interfaces.front().time->p99;
  };
  EXPECT_EQ(only(Millis(60'000)), Millis(60'000));
  EXPECT_EQ(only(Millis(60'001)), Millis(61'000));
  EXPECT_EQ(only(Millis(61'000)), Millis(61'000));
  EXPECT_EQ(only(hours(6)), hours(6));
  EXPECT_EQ(only(hours(20)), hours(6));
  EXPECT_EQ(only(Millis(-5)), Millis(0));  // a clock that was set back
}

TEST_F(SlaTest, AMonthSaysWhetherItIsOverAndStillWhole) {
  const auto at = [&](WallTime now) { return counter_.Finish(now, 0, ""); };
  EXPECT_FALSE(at(kNovember.end() - Millis(1)).over);
  EXPECT_TRUE(at(kNovember.end()).over);
  EXPECT_TRUE(at(kNovember.begin() + kUsageLifetime - Millis(1)).complete);
  EXPECT_FALSE(at(kNovember.begin() + kUsageLifetime).complete);
}

TEST_F(SlaTest, ErasureLatenessIsToldAsItWasGiven) {
  EXPECT_FALSE(Report().erasure_lateness);
  counter_ = *SlaCounter::Create(
      7, kNovember, {.erasure_lateness = Millis(101), .erasure_objective = Millis(100)});
  EXPECT_EQ(Report().erasure_lateness, Millis(101));
  EXPECT_EQ(Report().erasure_met, false);
}

TEST(ShowPercentTest, ShowsAllSevenDigits) {
  EXPECT_EQ(ShowPercent(kAllOfIt), "100.0000000 %");
  EXPECT_EQ(ShowPercent(998'999'999), "99.8999999 %");
  EXPECT_EQ(ShowPercent(3), "0.0000003 %");
}

}  // namespace
}  // namespace lethe
