// Goal: what a service says can be read by people and by machines, and each change of its health is
// said once. Method: events and reports by hand.

#include "app/log.h"

#include <string>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <gmock/gmock.h>

#include "app/health_log.h"

namespace lethe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) +
                    std::chrono::milliseconds(3'723'007)};

LogEvent Event() {
  return {.level = "warning",
          .event = "sweep_failed",
          .sentence = "it failed",
          .facts = {{"count", 3}, {"held", true}, {"of", Label("tasks")}, {"late_ms", Millis(90)}},
          .error = {StatusCode::kUnavailable, "a \"disk\"\nis full"}};
}

TEST(LogTest, PeopleReadASentenceALine) {
  EXPECT_EQ(LogLine(Event(), LogFormat::kText, kNow),
            "lethe: it failed (count 3, held yes, of tasks, late_ms 90 ms): a \"disk\"?is full\n");
}

TEST(LogTest, MachinesReadAnObjectALineWithTypes) {
  const std::string line = LogLine(Event(), LogFormat::kJson, kNow);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(line), nlohmann::json({{"time", "2026-11-24T01:02:03.007Z"},
                                                         {"level", "warning"},
                                                         {"event", "sweep_failed"},
                                                         {"message", "it failed"},
                                                         {"count", 3},
                                                         {"held", true},
                                                         {"of", "tasks"},
                                                         {"late_ms", 90},
                                                         {"error", "a \"disk\"?is full"}}));
}

TEST(LogTest, WhateverBytesAMessageHasItIsOneObject) {
  const std::string line = LogLine("\xff\xfe \"{\x1b[2J", LogFormat::kJson, kNow);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(nlohmann::json::parse(line)["event"], "message");
}

TEST(LogTest, OtherFormatsAreRefused) {
  EXPECT_TRUE(ParseLogFormat("json").ok());
  EXPECT_FALSE(ParseLogFormat("JSON").ok());
  EXPECT_FALSE(ParseLogFormat("").ok());
}

// Standard error as a pipe that is full.
class FullPipe {
 public:
  FullPipe() {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    EXPECT_EQ(fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends_[1], "x", 1) == 1) {
    }
    EXPECT_EQ(fcntl(ends_[1], F_SETFL, 0), 0);
    EXPECT_GE(dup2(ends_[1], STDERR_FILENO), 0);
  }
  ~FullPipe() {
    dup2(before_, STDERR_FILENO);
    for (const int fd : {ends_[0], ends_[1], before_}) close(fd);
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;

  // What is in it, but for what filled it.
  std::string Read() const {
    EXPECT_EQ(fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
    std::string text;
    for (char c = 0; read(ends_[0], &c, 1) == 1;) {
      if (c != 'x') text += c;
    }
    return text;
  }

 private:
  const int before_ = dup(STDERR_FILENO);
  int ends_[2] = {-1, -1};
};

TEST(LogTest, LinesThatNobodyReadsAreDroppedAndCountedAndNobodyWaits) {
  const FullPipe pipe;
  for (int i = 0; i < 3; ++i) Log({.level = "info", .event = "one", .sentence = "lost"});
  EXPECT_EQ(pipe.Read(), "");
  for (int i = 0; i < 2; ++i) Log({.level = "info", .event = "one", .sentence = "kept"});
  EXPECT_EQ(pipe.Read(),
            "lethe: lines were not written, because nobody read them (lines 3)\n"
            "lethe: kept\nlethe: kept\n");
}

class HealthLogTest : public testing::Test {
 protected:
  std::vector<std::string> Look() {
    said_.clear();
    log_.Look(health_);
    return said_;
  }

  std::vector<std::string> said_;
  HealthLog log_{[this](const LogEvent& event) { said_.emplace_back(event.event.text()); }};
  Health health_{.retention = {{.name = "tasks"}, {.name = "clock"}}};
};

TEST_F(HealthLogTest, WhatIsWellIsNoNews) { EXPECT_THAT(Look(), IsEmpty()); }

TEST_F(HealthLogTest, AFailingSweepIsSaidOnceAndItsEndToo) {
  health_.retention[0].error = "the disk is full";
  EXPECT_THAT(Look(), ElementsAre("sweep_failed"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.retention[0].lateness = std::chrono::minutes(10);
  EXPECT_THAT(Look(), ElementsAre("erasure_late"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.retention[0] = {.name = "tasks"};
  EXPECT_THAT(Look(), ElementsAre("sweep_recovered"));
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(HealthLogTest, ALedgerThatStumblesIsNoNewsUntilItIsBehind) {
  health_.ledger.error = "locked";
  health_.ledger.lateness = std::chrono::seconds(4);
  EXPECT_THAT(Look(), IsEmpty());
  health_.ledger.lateness = std::chrono::seconds(5);
  EXPECT_THAT(Look(), ElementsAre("ledger_not_told"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.ledger = {};
  EXPECT_THAT(Look(), ElementsAre("ledger_told"));
}

TEST_F(HealthLogTest, AClockThatIsNotWrittenDownIsNoErasureThatIsLate) {
  health_.retention[1].error = "the disk is full";
  health_.retention[1].lateness = std::chrono::minutes(11);
  EXPECT_THAT(Look(), ElementsAre("clock_not_saved"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.retention[1] = {.name = "clock"};
  EXPECT_THAT(Look(), ElementsAre("clock_saved"));
}

TEST_F(HealthLogTest, AClockThatIsBehindIsSaidFromAMinuteOn) {
  health_.clock_behind = Millis(59'999);
  EXPECT_THAT(Look(), IsEmpty());
  health_.clock_behind = std::chrono::days(31);
  EXPECT_THAT(Look(), ElementsAre("clock_behind"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.clock_behind = Millis(0);
  EXPECT_THAT(Look(), ElementsAre("clock_not_behind"));
}

TEST_F(HealthLogTest, FilesThatAreGoneAndBackAreSaidOnce) {
  health_.files_lost = Label("records");
  EXPECT_THAT(Look(), ElementsAre("files_lost"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.files_lost = std::nullopt;
  EXPECT_THAT(Look(), ElementsAre("files_back"));
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(HealthLogTest, ALogThatSomebodyHoldsIsSaidUntilItIsEmptied) {
  health_.log_held = std::chrono::seconds(9);
  EXPECT_THAT(Look(), IsEmpty());
  health_.log_held = std::chrono::seconds(10);
  EXPECT_THAT(Look(), ElementsAre("records_log_held"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.log_held = Millis(0);
  EXPECT_THAT(Look(), ElementsAre("records_log_emptied"));
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(HealthLogTest, LostRowsAndLeapsOfTheClockAreSaid) {
  health_.rows_lost = 2;
  health_.held = true;
  EXPECT_THAT(Look(), ElementsAre("usage_rows_lost", "clock_leapt"));
  EXPECT_THAT(Look(), IsEmpty());
  health_.held = false;
  EXPECT_THAT(Look(), ElementsAre("clock_believed"));
}

}  // namespace
}  // namespace lethe
