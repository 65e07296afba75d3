// Goal: an application is refused only by a rule that was made for it, and then at the figure that
// the rule names. Method: rows of usage written by hand around month and limit, a clock that is
// moved; what other nodes write is written behind the gate's back.

#include "metering/credit_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::Eq;
using ::testing::Optional;

using std::chrono::hours;
using std::chrono::minutes;
using namespace std::chrono_literals;

// 2026-11-24, 12:00 UTC; in China the month began on 31 October at 16:00 UTC.
constexpr WallTime kNow = std::chrono::sys_days(2026y / 11 / 24) + hours(12);

class CreditGateTest : public testing::Test {
 protected:
  FinishedCall Call(WallTime end, MicroUnits fee, AppId app_id = 7) const {
    return {.app_id = app_id,
            .interface = Interface::kSentence,
            .call_id = "call",
            .result_code = "0",
            .succeeded = true,
            .start = end,
            .end = end,
            .audio = Millis(1000),
            .fee = fee};
  }
  void Write(const FinishedCall& call) { ASSERT_THAT(store_->usage().Record({&call, 1}), IsOk()); }
  static Application WithLimit(MicroUnits limit) { return {.id = 7, .monthly_limit = limit}; }

  ManualClock clock_{kNow};
  TestStore store_{clock_};
  CreditGate gate_{store_->usage(), clock_};
};

TEST_F(CreditGateTest, NobodyIsRefusedUnlessARuleWasMade) {
  Write(Call(kNow, 1'000'000'000));
  EXPECT_THAT(gate_.Check({.id = 7}), Eq(std::nullopt));
}

TEST_F(CreditGateTest, TheLimitIsMetExactly) {
  Write(Call(kNow - 1h, 4'999'999));
  EXPECT_THAT(gate_.Check(WithLimit(5'000'000)), Eq(std::nullopt));
  const FinishedCall last = Call(kNow, 1);
  gate_.Add({&last, 1});
  EXPECT_THAT(gate_.Check(WithLimit(5'000'000)), Optional(CreditRefusal::kSpent));
  EXPECT_THAT(gate_.Check(WithLimit(5'000'001)), Eq(std::nullopt));
}

TEST_F(CreditGateTest, WithoutAnythingToSpendWhatIsFreeCanBeUsed) {
  Write(Call(kNow - 1h, 0));
  EXPECT_THAT(gate_.Check(WithLimit(0)), Eq(std::nullopt));
  const FinishedCall first = Call(kNow, 1);
  gate_.Add({&first, 1});
  EXPECT_THAT(gate_.Check(WithLimit(0)), Optional(CreditRefusal::kSpent));
}

TEST_F(CreditGateTest, EachMonthBeginsAnewWhereTheOperatorsCalendarSays) {
  const WallTime begin = std::chrono::sys_days(2026y / 10 / 31) + hours(16);
  Write(Call(begin - 1ms, 900));
  EXPECT_THAT(gate_.Check(WithLimit(100)), Eq(std::nullopt));
  Write(Call(begin, 100));
  clock_.Set(kNow + minutes(1));
  EXPECT_THAT(gate_.Check(WithLimit(100)), Optional(CreditRefusal::kSpent));
  const WallTime next = std::chrono::sys_days(2026y / 11 / 30) + hours(16);
  clock_.Set(next - 1ms);
  EXPECT_THAT(gate_.Check(WithLimit(100)), Optional(CreditRefusal::kSpent));
  clock_.Set(next);
  EXPECT_THAT(gate_.Check(WithLimit(100)), Eq(std::nullopt));
  const FinishedCall late = Call(next - 1ms, 500);  // of the month before, recorded only now
  gate_.Add({&late, 1});
  EXPECT_THAT(gate_.Check(WithLimit(100)), Eq(std::nullopt));
}

TEST_F(CreditGateTest, WhatOtherNodesWriteIsSeenAMinuteLater) {
  EXPECT_THAT(gate_.Check(WithLimit(100)), Eq(std::nullopt));
  Write(Call(kNow, 100));
  EXPECT_THAT(gate_.Check(WithLimit(100)), Eq(std::nullopt));
  clock_.Set(kNow + minutes(1));
  EXPECT_THAT(gate_.Check(WithLimit(100)), Optional(CreditRefusal::kSpent));
}

TEST_F(CreditGateTest, WhatOthersSpendIsNotCounted) {
  Write(Call(kNow, 1000, 8));
  EXPECT_THAT(gate_.Check(WithLimit(100)), Eq(std::nullopt));
  const FinishedCall other = Call(kNow, 1000, 8);
  gate_.Add({&other, 1});
  EXPECT_THAT(gate_.Check(WithLimit(100)), Eq(std::nullopt));
}

TEST_F(CreditGateTest, AnAccountThatOwesIsServedForADayMore) {
  EXPECT_THAT(gate_.Check({.id = 7, .overdue_since = kNow - 24h + 1ms}), Eq(std::nullopt));
  EXPECT_THAT(gate_.Check({.id = 7, .overdue_since = kNow - 24h}),
              Optional(CreditRefusal::kOverdue));
  CreditGate strict(store_->usage(), clock_, {.grace = Millis(0)});
  EXPECT_THAT(strict.Check({.id = 7, .overdue_since = kNow}), Optional(CreditRefusal::kOverdue));
}

}  // namespace
}  // namespace lethe
