// Goal:   what is over is removed to the last of it, in batches; what fails is told, tried again
// and
//         keeps nobody else from forgetting; a clock that leapt destroys nothing; an hour that is
//         over loses its key.
// Method: forgetters made of counters; a real folder of keys and a clock that is moved by hand.

#include "retention/sweeper.h"

#include <atomic>

#include <gmock/gmock.h>

#include "retention/ended_epochs.h"
#include "seal/keyring.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;

// So many things are over.
struct Heap {
  int left = 0;
  std::vector<int> asked;
  Forgetter Named(const std::string& name) {
    return {name, [this](int limit) -> Result<int> {
              asked.push_back(limit);
              const int removed = std::min(limit, left);
              left -= removed;
              return removed;
            }};
  }
};

Forgetter Broken(const std::string& name) {
  return {name, [](int) -> Result<int> { return Unavailable("the disk is away"); }};
}

TEST(SweeperTest, EverythingIsRemovedInBatches) {
  Heap tasks{.left = 250}, usage{.left = 100};
  Sweeper sweeper({tasks.Named("tasks"), usage.Named("usage")}, {.batch = 100});
  ASSERT_THAT(sweeper.SweepAll(), IsOk());
  EXPECT_EQ(tasks.left, 0);
  EXPECT_THAT(tasks.asked, ElementsAre(100, 100, 100));
  EXPECT_THAT(usage.asked, ElementsAre(100, 100));
  const auto reports = sweeper.reports();
  EXPECT_EQ(reports[0].name, "tasks");
  EXPECT_EQ(reports[0].removed, 250u);
  EXPECT_EQ(reports[1].removed, 100u);
}

TEST(SweeperTest, WhatFailsIsToldAndKeepsNobodyElse) {
  Heap usage{.left = 5};
  Sweeper sweeper({Broken("tasks"), usage.Named("usage")}, {});
  const Status status = sweeper.SweepAll();
  ASSERT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(status.message(), "tasks: the disk is away");
  EXPECT_EQ(usage.left, 0);
  EXPECT_FALSE(sweeper.SweepAll().ok());
  const auto reports = sweeper.reports();
  EXPECT_EQ(reports[0].failures, 2u);
  EXPECT_EQ(reports[0].error, "the disk is away");
  EXPECT_EQ(reports[1].failures, 0u);
  EXPECT_GE(reports[0].lateness, reports[1].lateness);
}

TEST(SweeperTest, StartedItSweepsAgainAndAgainUntilItIsStopped) {
  std::atomic<int> sweeps = 0;
  Sweeper sweeper({{"tasks",
                    [&](int) -> Result<int> {
                      ++sweeps;
                      return 0;
                    }}},
                  {.interval = Millis(1)});
  sweeper.Start();
  while (sweeps < 3) std::this_thread::yield();
  sweeper.Stop();
  const int when_stopped = sweeps;
  std::this_thread::sleep_for(Millis(20));
  EXPECT_EQ(sweeps, when_stopped);
}

TEST(EndedEpochsTest, AnHourThatIsOverLosesItsKey) {
  const TestFolder folder;
  const WallTime start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);
  ManualClock clock(start);
  const auto keyring = *Keyring::Open(folder.path().string(), "eu", clock, true);
  KeyStore& keys = keyring->keys();
  const auto make = [&](DataClass data_class, WallTime when) {
    ASSERT_THAT(keys.EpochKey(EpochOf(data_class, "eu", when), clock.Now()), IsOk());
  };
  make(DataClass::kAudio, start);
  make(DataClass::kAudio, start + std::chrono::hours(1));
  make(DataClass::kResult, start);
  make(DataClass::kOperationLog, start);
  EXPECT_EQ(*DestroyEndedEpochs(keys, start + std::chrono::hours(24) - Millis(1), 10), 0);
  EXPECT_EQ(*DestroyEndedEpochs(keys, start + std::chrono::hours(24), 10), 1);
  EXPECT_EQ(keys.Epochs()->size(), 3u);
  EXPECT_EQ(*DestroyEndedEpochs(keys, start + std::chrono::hours(25) - Millis(1), 10), 0);
  // Of audio the second, and of texts, which go with their tasks, though their class may be held
  // for seven days: as older versions held their keys, too, so there may be a week of them at once.
  EXPECT_EQ(*DestroyEndedEpochs(keys, start + std::chrono::hours(25), 10), 2);
  EXPECT_EQ(*DestroyEndedEpochs(keys, start + std::chrono::days(7) - Millis(1), 10), 0);
  EXPECT_EQ(keys.Epochs()->front().data_class, DataClass::kOperationLog);
  make(DataClass::kOperationLog, start + std::chrono::hours(1));
  EXPECT_EQ(*DestroyEndedEpochs(keys, start + std::chrono::days(8), 1), 1);
  EXPECT_EQ(*DestroyEndedEpochs(keys, start + std::chrono::days(8), 10), 1);
  EXPECT_TRUE(keys.Epochs()->empty());
}

}  // namespace
}  // namespace lethe
