// Goal: a sample says what happened since the one before, also when a counter begins anew;
// quantiles are those of the buckets; and an hour is all that is kept, whatever happens. Method:
// counts and times by hand.

#include "server/watch_history.h"

#include <algorithm>
#include <array>
#include <vector>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Buckets = std::array<std::uint64_t, CallFigures::kBounds.size() + 1>;

constexpr WallTime kStart{std::chrono::sys_days(std::chrono::year(2026) / 11 / 26)};

std::size_t IndexOf(Interface interface) {
  return static_cast<std::size_t>(std::find(kInterfaces.begin(), kInterfaces.end(), interface) -
                                  kInterfaces.begin());
}

class WatchHistoryTest : public testing::Test {
 protected:
  CallFigures& Of(Interface interface) { return counts_.calls[IndexOf(interface)]; }
  // Looks, ten seconds later.
  void Look() {
    now_ += kWatchInterval;
    time_ += kWatchInterval;
    history_.Add(counts_, time_, now_);
  }
  WatchSample Newest() { return history_.After(0).back(); }

  WatchCounts counts_;
  WatchHistory history_{5};
  WatchHistory::Steady::time_point now_{};
  WallTime time_ = kStart;
};

TEST_F(WatchHistoryTest, TheFirstLookIsNoSampleAndTheSecondSaysWhatCameBetween) {
  Of(Interface::kFlash).lasted[3] = 7;
  counts_.refused = 100;
  Look();
  EXPECT_THAT(history_.After(0), IsEmpty());
  Of(Interface::kFlash).lasted[3] = 9;
  Of(Interface::kRealtime).lasted[11] = 4;
  Of(Interface::kRealtime).faults = 1;
  counts_.refused = 103;
  counts_.rows_lost = 2;
  counts_.calls_waiting = 6;
  counts_.engine = {
      .live_streams = 5, .recordings = 1, .waiting = 3, .heard = seconds(40), .busy = seconds(4)};
  counts_.erasure_late = milliseconds(4'200);
  counts_.resident_bytes = 1 << 20;
  Look();
  const WatchSample sample = Newest();
  EXPECT_EQ(sample.number, 1);
  EXPECT_EQ(sample.time, kStart + 2 * kWatchInterval);
  EXPECT_EQ(sample.lasted, kWatchInterval);
  EXPECT_EQ(sample.calls[IndexOf(Interface::kFlash)].ended, 2);
  EXPECT_EQ(sample.calls[IndexOf(Interface::kFlash)].faults, 0);
  EXPECT_EQ(sample.calls[IndexOf(Interface::kRealtime)].ended, 4);
  EXPECT_EQ(sample.calls[IndexOf(Interface::kRealtime)].faults, 1);
  EXPECT_EQ(sample.refused, 3);
  EXPECT_EQ(sample.rows_lost, 2);
  EXPECT_EQ(sample.rtf, 0.1);
  EXPECT_EQ(sample.live_streams, 5);
  EXPECT_EQ(sample.recordings, 1);
  EXPECT_EQ(sample.calls_waiting, 6);
  EXPECT_EQ(sample.stretches_waiting, 3);
  EXPECT_EQ(sample.erasure_late, milliseconds(4'200));
  EXPECT_EQ(sample.resident_bytes, 1 << 20);
  // Nothing more happened: gauges stay, what counts is zero, and there is nothing to say of times.
  Look();
  EXPECT_EQ(Newest().number, 2);
  EXPECT_EQ(Newest().calls[IndexOf(Interface::kFlash)].ended, 0);
  EXPECT_EQ(Newest().refused, 0);
  EXPECT_EQ(Newest().live_streams, 5);
  EXPECT_EQ(Newest().latency, std::nullopt);
  EXPECT_EQ(Newest().rtf, std::nullopt);
}

TEST_F(WatchHistoryTest, ACounterThatBeginsAnewCountsFromZero) {
  Of(Interface::kSentence).lasted = {50, 50};
  Of(Interface::kSentence).faults = 20;
  counts_.refused = 10;
  counts_.engine = {.heard = seconds(1000), .busy = seconds(100)};
  Look();
  // Fewer of the first bucket than there were; of the second more.
  Of(Interface::kSentence).lasted = {2, 60};
  Of(Interface::kSentence).faults = 3;
  counts_.refused = 4;
  counts_.engine = {.heard = seconds(10), .busy = seconds(5)};
  Look();
  EXPECT_EQ(Newest().calls[IndexOf(Interface::kSentence)].ended, 62);
  EXPECT_EQ(Newest().calls[IndexOf(Interface::kSentence)].faults, 3);
  EXPECT_EQ(Newest().refused, 4);
  EXPECT_EQ(Newest().rtf, 0.5);
}

TEST_F(WatchHistoryTest, LatencyIsOfCallsThatSomebodyWaitsFor) {
  Look();
  Of(Interface::kRealtime).lasted[11] = 1000;
  Of(Interface::kRecording).lasted[11] = 1000;
  Of(Interface::kRecordingStatus).lasted[0] = 1000;
  Look();
  EXPECT_EQ(Newest().latency, std::nullopt);
  Of(Interface::kSentence).lasted[4] += 1;
  Of(Interface::kFlash).lasted[4] += 1;
  Of(Interface::kOpenAi).lasted[4] += 2;
  Look();
  EXPECT_EQ(Newest().latency->p50, milliseconds(750));
}

// Of 100 calls, 10 took up to 50 ms, 20 up to 100, 40 up to 250, 20 up to 500, 8 up to 1 s and 2 up
// to 2.5 s. The 50th is the 20th of the 40 between 100 and 250 ms: 100 + 150 * 20/40. The 95th is
// the 5th of 8: 500 + 500 * 5/8. The 99th is the first of 2: 1000 + 1500 / 2.
TEST(QuantilesTest, AreInterpolatedInTheirBuckets) {
  const auto found = QuantilesOf(Buckets{10, 20, 40, 20, 8, 2});
  EXPECT_DOUBLE_EQ(found->p50.count(), 0.175);
  EXPECT_DOUBLE_EQ(found->p95.count(), 0.8125);
  EXPECT_DOUBLE_EQ(found->p99.count(), 1.75);
  // One call, somewhere in the first bucket.
  EXPECT_DOUBLE_EQ(QuantilesOf(Buckets{1})->p50.count(), 0.025);
}

TEST(QuantilesTest, WhatIsLongerThanAllBoundsIsTheLastBound) {
  Buckets lasted{};
  lasted.back() = 3;
  EXPECT_EQ(QuantilesOf(lasted)->p50, seconds(300));
  EXPECT_EQ(QuantilesOf(Buckets{}), std::nullopt);
}

TEST_F(WatchHistoryTest, OnlyTheLastSamplesAreKeptAndOneAsksForWhatIsNew) {
  const auto numbers = [this](std::uint64_t after) {
    std::vector<std::uint64_t> found;
    for (const WatchSample& sample : history_.After(after)) found.push_back(sample.number);
    return found;
  };
  for (int i = 0; i <= 3; ++i) Look();
  EXPECT_THAT(numbers(0), ElementsAre(1, 2, 3));
  EXPECT_THAT(numbers(2), ElementsAre(3));
  for (int i = 0; i < 1000; ++i) Look();
  EXPECT_THAT(numbers(0), ElementsAre(999, 1000, 1001, 1002, 1003));
  EXPECT_THAT(numbers(1), ElementsAre(999, 1000, 1001, 1002, 1003));
  EXPECT_THAT(numbers(1001), ElementsAre(1002, 1003));
  EXPECT_THAT(numbers(1003), IsEmpty());
  // Somebody who has seen more saw another process.
  EXPECT_THAT(numbers(1004), SizeIs(5));
  EXPECT_THAT(numbers(~std::uint64_t{0}), SizeIs(5));
}

TEST_F(WatchHistoryTest, ASampleIsDueEveryTenSeconds) {
  const auto begin = WatchHistory::Steady::time_point{} + std::chrono::hours(1);
  EXPECT_TRUE(history_.IsDue(begin));
  history_.Add(counts_, kStart, begin);
  EXPECT_FALSE(history_.IsDue(begin + milliseconds(9'999)));
  EXPECT_TRUE(history_.IsDue(begin + seconds(10)));
}

}  // namespace
}  // namespace lethe
