// Goal: a call's row has the fee of the tier that is reached with it, whatever was used before this
// process began. Method: real records, a clock that stands.

#include "metering/fee_estimator.h"

#include <gmock/gmock.h>

#include "tests/support/test_store.h"

namespace lethe {
namespace {

using std::chrono::days;
using std::chrono::hours;

class FeeEstimatorTest : public testing::Test {
 protected:
  FinishedCall Call(WallTime end, std::chrono::seconds audio,
                    Interface interface = Interface::kRealtime) {
    return {.app_id = 7,
            .interface = interface,
            .succeeded = true,
            .start = end,
            .end = end,
            .audio = audio};
  }
  void Record(const FinishedCall& call) { ASSERT_THAT(store_->usage().Record({&call, 1}), IsOk()); }
  // The fee of a call, which is recorded then, as the meter does it.
  MicroUnits Fee(FinishedCall call) {
    estimator_.Price({&call, 1});
    Record(call);
    return call.fee;
  }

  ManualClock clock_{kNoon};  // 24 November, 20:00 in China
  TestStore store_{clock_};
  FeeEstimator estimator_{*BuiltInPrices("mainland"), store_->usage(), clock_};
};

TEST_F(FeeEstimatorTest, FreeVolumeThenTierByTier) {
  EXPECT_EQ(Fee(Call(kNoon, hours(4))), 0);
  EXPECT_EQ(Fee(Call(kNoon, hours(2))), 3'200'000);  // one hour was free
  EXPECT_EQ(Fee(Call(kNoon, hours(298))), 298 * 3'200'000LL);
  EXPECT_EQ(Fee(Call(kNoon, hours(1))), 2'800'000);  // the 300th hour of the day
  FinishedCall failed = Call(kNoon, hours(1));
  failed.succeeded = false;
  EXPECT_EQ(Fee(failed), 0);
  EXPECT_EQ(Fee(Call(kNoon, hours(1), Interface::kManagement)), 0);
}

TEST_F(FeeEstimatorTest, KnowsWhatTheRecordsHaveOfTheMonth) {
  Record(Call(kNoon - days(20), hours(5)));    // the free hours
  Record(Call(kNoon - days(30), hours(100)));  // of October
  Record(Call(kNoon - hours(1), hours(299)));  // of today
  FinishedCall others = Call(kNoon, hours(1000));
  others.app_id = 8;
  Record(others);
  Record(Call(kNoon, hours(1000), Interface::kFlash));
  EXPECT_EQ(Fee(Call(kNoon, hours(1))), 2'800'000);
}

TEST_F(FeeEstimatorTest, DaysAndMonthsBeginAnewByTheCalendar) {
  EXPECT_EQ(Fee(Call(kNoon, hours(305))), 300 * 2'800'000LL);
  const WallTime tomorrow = kNoon + hours(4);  // midnight in China
  clock_.Set(tomorrow);
  EXPECT_EQ(Fee(Call(tomorrow - Millis(1), hours(1))), 2'800'000);  // late, of the day before
  EXPECT_EQ(Fee(Call(tomorrow, hours(1))), 3'200'000);
  const WallTime december = tomorrow + days(6);
  clock_.Set(december);
  EXPECT_EQ(Fee(Call(december, hours(5))), 0);
  EXPECT_EQ(Fee(Call(december, hours(1))), 3'200'000);
}

TEST_F(FeeEstimatorTest, RecordingsReachTheirTiersByTheMonth) {
  Record(Call(kNoon - days(10), hours(120'009), Interface::kRecording));
  EXPECT_EQ(Fee(Call(kNoon, hours(1), Interface::kRecording)), 1'750'000);  // the 120,000th
  EXPECT_EQ(Fee(Call(kNoon, hours(1), Interface::kRecording)), 1'400'000);
}

TEST_F(FeeEstimatorTest, SeesWhatOtherNodesWroteWithinTheHour) {
  EXPECT_EQ(Fee(Call(kNoon, hours(6))), 3'200'000);
  Record(Call(kNoon, hours(299)));  // by another node
  EXPECT_EQ(Fee(Call(kNoon, hours(1))), 3'200'000);
  clock_.Advance(hours(1));
  EXPECT_EQ(Fee(Call(clock_.Now(), hours(1))), 2'800'000);
}

TEST_F(FeeEstimatorTest, CallsOfOneBatchFollowEachOther) {
  std::vector<FinishedCall> calls = {Call(kNoon, hours(5)), Call(kNoon, hours(299)),
                                     Call(kNoon, hours(1))};
  estimator_.Price(calls);
  EXPECT_EQ(calls[0].fee, 0);
  EXPECT_EQ(calls[1].fee, 299 * 3'200'000LL);
  EXPECT_EQ(calls[2].fee, 2'800'000);
}

}  // namespace
}  // namespace lethe
