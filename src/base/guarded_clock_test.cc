// Goal:   time never goes back, whatever is done to the machine's clock, not over a restart either;
//         it does not stand still while the process runs; a leap ahead is believed only when it was
//         not taken back; whoever rested for long knows it at once.
// Method: the machine's clock and the time that really passes are moved by hand.

#include "base/guarded_clock.h"

#include <fstream>
#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
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

  // What happens while no process runs, on a machine that may be restarted.
  void Rest(Millis time) {
    machine_.Advance(time);
    passed_ = seconds(1);
  }
  std::unique_ptr<GuardedClock> SaveAndRest(std::unique_ptr<GuardedClock> clock, Millis time) {
    EXPECT_THAT(clock->Save(), IsOk());
    Rest(time);
    return Open();
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
  EXPECT_EQ(clock->leap(), Millis(0));
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

TEST_F(GuardedClockTest, ALeapOfLessThanAnHourIsBelieved) {
  const auto clock = Open();
  Pass(seconds(10));
  machine_.Advance(minutes(59));
  EXPECT_EQ(clock->Now(), kStart + seconds(10) + minutes(59));
  EXPECT_EQ(clock->leap(), Millis(0));
}

TEST_F(GuardedClockTest, ALeapThatIsTakenBackWasNone) {
  const auto clock = Open();
  Pass(seconds(10));
  machine_.Advance(days(60));
  EXPECT_EQ(clock->Now(), kStart + seconds(10));
  EXPECT_EQ(clock->leap(), Millis(days(60)));
  Pass(minutes(9));
  EXPECT_EQ(clock->Now(), kStart + seconds(10) + minutes(9));
  machine_.Advance(-days(60));
  EXPECT_EQ(clock->leap(), Millis(0));
  // For good: no later moment is that of the doubt's end.
  Pass(hours(1));
  EXPECT_EQ(clock->Now(), kStart + seconds(10) + minutes(9) + hours(1));
  EXPECT_EQ(clock->behind(), Millis(0));
}

TEST_F(GuardedClockTest, ALeapThatStaysIsBelievedAfterTenMinutes) {
  const auto clock = Open();
  machine_.Advance(days(60));
  EXPECT_EQ(clock->Now(), kStart);
  Pass(GuardedClock::kDoubt - Millis(1));
  EXPECT_EQ(clock->Now(), kStart + GuardedClock::kDoubt - Millis(1));
  Pass(Millis(1));
  EXPECT_EQ(clock->Now(), kStart + days(60) + GuardedClock::kDoubt);
  EXPECT_EQ(clock->leap(), Millis(0));
}

TEST_F(GuardedClockTest, AClockThatLeapsAgainHasNotKeptItsWord) {
  const auto clock = Open();
  machine_.Advance(days(60));
  EXPECT_EQ(clock->Now(), kStart);
  Pass(minutes(9));
  machine_.Advance(-days(30));
  EXPECT_EQ(clock->leap(), Millis(days(30)));
  Pass(minutes(9));
  EXPECT_EQ(clock->Now(), kStart + minutes(18));
  Pass(minutes(1));
  EXPECT_EQ(clock->Now(), kStart + days(30) + minutes(19));
}

TEST_F(GuardedClockTest, LeapsBackAndForthGainNoTime) {
  const auto clock = Open();
  for (int i = 1; i <= 6; ++i) {
    machine_.Advance(days(60));
    (void)clock->Now();
    Pass(minutes(5));
    machine_.Advance(-days(61));
    Pass(minutes(5));
    EXPECT_EQ(clock->Now(), kStart + i * minutes(10));
    machine_.Advance(days(1));
  }
}

TEST_F(GuardedClockTest, TheNextProcessKnowsWhatTheLastHasSeen) {
  auto clock = Open();
  Pass(seconds(10));
  clock = SaveAndRest(std::move(clock), -days(30));
  EXPECT_EQ(clock->Now(), kStart + seconds(10));
  Pass(seconds(1));
  EXPECT_EQ(clock->Now(), kStart + seconds(11));
}

TEST_F(GuardedClockTest, WhoRestedForLongKnowsItAtOnce) {
  const auto clock = SaveAndRest(Open(), days(10));
  EXPECT_EQ(clock->Now(), kStart + days(10));
  EXPECT_EQ(clock->leap(), Millis(0));
}

// Begun on a day when the machine's clock was a month ahead.
TEST_F(GuardedClockTest, AClockThatIsAheadRestsNoLongerThanTheMachines) {
  auto clock = SaveAndRest(Open(), days(31));
  clock = SaveAndRest(std::move(clock), -days(31));
  EXPECT_EQ(clock->Now(), kStart + days(31));
  EXPECT_EQ(clock->behind(), Millis(days(31)));
  clock = SaveAndRest(std::move(clock), days(10));
  EXPECT_EQ(clock->Now(), kStart + days(41));
  EXPECT_EQ(clock->behind(), Millis(days(31)));
}

TEST_F(GuardedClockTest, SmallCorrectionsDoNotAddUpOverRestarts) {
  auto clock = Open();
  for (int i = 0; i < 100; ++i) {
    machine_.Advance(-seconds(2));
    clock = SaveAndRest(std::move(clock), seconds(5));
  }
  EXPECT_EQ(clock->behind(), Millis(0));
}

TEST_F(GuardedClockTest, ADoubtOutlivesARestart) {
  auto clock = Open();
  machine_.Advance(days(60));
  clock = SaveAndRest(std::move(clock), minutes(1));
  EXPECT_EQ(clock->Now(), kStart + minutes(1));
  EXPECT_EQ(clock->leap(), Millis(days(60)));
  Pass(GuardedClock::kDoubt);
  EXPECT_EQ(clock->Now(), kStart + days(60) + minutes(1) + GuardedClock::kDoubt);
}

TEST_F(GuardedClockTest, ADoubtThatWasMendedWhileNobodyLookedIsOver) {
  auto clock = Open();
  machine_.Advance(days(60));
  clock = SaveAndRest(std::move(clock), -days(50));
  EXPECT_EQ(clock->Now(), kStart + days(10));
  EXPECT_EQ(clock->leap(), Millis(0));
}

TEST_F(GuardedClockTest, WhatAnOlderVersionSavedIsUnderstood) {
  std::ofstream(path_) << (kStart + days(1)).time_since_epoch().count() << "\n";
  EXPECT_EQ(Open()->Now(), kStart + days(1));
  machine_.Advance(days(2));
  EXPECT_EQ(Open()->Now(), kStart + days(2));
}

TEST_F(GuardedClockTest, AFileThatHoldsNoMomentIsSaid) {
  for (const char* text : {"", "x", "12x", "\n", "-1\n", "1\nx", "1\n2\n3\n",
                           "99999999999999999999", "9223372036854775807"}) {
    std::ofstream(path_) << text;
    EXPECT_THAT(GuardedClock::Open(machine_, path_), HasCode(StatusCode::kDataLoss)) << text;
  }
}

}  // namespace
}  // namespace lethe
