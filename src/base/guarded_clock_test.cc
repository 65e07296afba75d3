// Goal:   time never goes back, whatever is done to the machine's clock, not over a restart either;
//         it does not stand still while the process runs; a leap ahead is told.
// Method: the machine's clock and the time that really passes are moved by hand.

#include "base/guarded_clock.h"

#include <fstream>
#include <memory>

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

constexpr WallTime kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);

class GuardedClockTest : public testing::Test {
 protected:
  std::unique_ptr<GuardedClock> Open() {
    auto clock = GuardedClock::Open(machine_, path_, [this] { return passed_; });
    EXPECT_THAT(clock, IsOk());
    return *std::move(clock);
  }
  // What happens when nobody touches the clock.
  void Pass(Millis time) {
    machine_.Advance(time);
    passed_ += time;
  }

  const TestFolder folder_;
  const std::string path_ = folder_ / "clock";
  ManualClock machine_{kStart};
  GuardedClock::Elapsed passed_ = hours(5);
};

TEST_F(GuardedClockTest, ItIsTheMachinesClockWhileNobodyTouchesIt) {
  const auto clock = Open();
  EXPECT_EQ(clock->Now(), kStart);
  Pass(seconds(90));
  EXPECT_EQ(clock->Now(), kStart + seconds(90));
  EXPECT_EQ(clock->leapt().by, Millis(0));
  EXPECT_EQ(clock->behind(), Millis(0));
}

TEST_F(GuardedClockTest, SetBackItGoesOnAsTimePasses) {
  const auto clock = Open();
  Pass(seconds(10));
  machine_.Advance(-days(2));
  EXPECT_EQ(clock->Now(), kStart + seconds(10));
  Pass(seconds(5));
  EXPECT_EQ(clock->Now(), kStart + seconds(15));
  Pass(seconds(5));
  EXPECT_EQ(clock->Now(), kStart + seconds(20));
  EXPECT_EQ(clock->behind(), Millis(days(2)));
  // Set right again, it is the machine's clock again.
  machine_.Advance(days(2));
  EXPECT_EQ(clock->Now(), kStart + seconds(20));
  Pass(hours(1));
  EXPECT_EQ(clock->Now(), kStart + seconds(20) + hours(1));
  EXPECT_EQ(clock->behind(), Millis(0));
}

TEST_F(GuardedClockTest, TheNextProcessKnowsWhatTheLastHasSeen) {
  {
    const auto clock = Open();
    Pass(seconds(10));
    ASSERT_THAT(clock->Save(), IsOk());
  }
  machine_.Advance(-days(30));
  passed_ = seconds(0);  // the machine was restarted
  const auto clock = Open();
  EXPECT_EQ(clock->Now(), kStart + seconds(10));
  Pass(seconds(1));
  EXPECT_EQ(clock->Now(), kStart + seconds(11));
}

TEST_F(GuardedClockTest, ALeapAheadIsTold) {
  const auto clock = Open();
  Pass(seconds(10));
  machine_.Advance(days(60));
  EXPECT_EQ(clock->Now(), kStart + seconds(10) + days(60));
  Pass(seconds(30));
  EXPECT_EQ(clock->leapt().by, Millis(days(60)));
  EXPECT_EQ(clock->leapt().ago, Millis(seconds(30)));
}

TEST_F(GuardedClockTest, AFileThatHoldsNoMomentIsSaid) {
  for (const char* text : {"", "x", "12x", "\n", "99999999999999999999"}) {
    std::ofstream(path_) << text;
    EXPECT_THAT(GuardedClock::Open(machine_, path_), HasCode(StatusCode::kDataLoss)) << text;
  }
}

}  // namespace
}  // namespace lethe
