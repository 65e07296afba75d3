// Goal: whoever asks whether the service is ready also sees what is late to be forgotten, and no
// more than that. Method: reports by hand, through the handler.

#include "server/operations.h"

#include <gmock/gmock.h>

#include "tests/support/face_fixture.h"

namespace lethe {
namespace {

class OperationsTest : public FaceFixture {
 protected:
  OperationsTest() {
    AddOperationsRoutes(router_, {.engines = engines_,
                                  .meter = meter_,
                                  .server = [] { return ServerCounts(); },
                                  .retention = [this] { return reports_; },
                                  .ledger = [] { return LedgerFeed::Report(); },
                                  .stopping = stopping_,
                                  .records_silence = [this] { return silence_; },
                                  .files_lost = [this] { return lost_; },
                                  .log_held = [] { return Millis(1'500); }});
  }
  HttpResponse Get(const std::string& path) {
    return Call({.method = "GET", .target = path, .path = path, .peer = "127.0.0.1"});
  }

  std::vector<Sweeper::Report> reports_;
  std::atomic<bool> stopping_ = false;
  Millis silence_{0};
  std::optional<Label> lost_;
};

TEST_F(OperationsTest, ReadyAndLateIsSaidBySide) {
  reports_ = {{.name = "tasks", .error = "/secret/path", .lateness = std::chrono::seconds(599)}};
  EXPECT_EQ(Get("/readyz").body, "ready\n");
  reports_[0].lateness = std::chrono::seconds(600);
  const HttpResponse late = Get("/readyz");
  EXPECT_EQ(late.status, 200);
  EXPECT_EQ(late.body, "ready\nlate: tasks, not swept clean for 600 s\n");
}

TEST_F(OperationsTest, WhatStopsIsNotReady) {
  stopping_ = true;
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(OperationsTest, WhoseRecordsAreSilentIsNotReady) {
  silence_ = Millis(10'000);
  EXPECT_EQ(Get("/readyz").status, 200);
  silence_ = Millis(12'500);
  const HttpResponse response = Get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "records: no answer for 12 s\n");
  EXPECT_THAT(Get("/metrics").body, testing::HasSubstr("lethe_records_silence_seconds 12.5\n"));
}

TEST_F(OperationsTest, WhoseRecordsWereRemovedIsNotReady) {
  EXPECT_THAT(Get("/metrics").body, testing::HasSubstr("\nlethe_files_lost 0\n"));
  lost_ = Label("records");
  const HttpResponse response = Get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "records: removed or replaced\n");
  EXPECT_THAT(Get("/metrics").body, testing::HasSubstr("\nlethe_files_lost 1\n"));
}

TEST_F(OperationsTest, MetricsAreThereBeforeTheFirstCall) {
  const std::string text = Get("/metrics").body;
  EXPECT_THAT(text, testing::HasSubstr("\n# TYPE lethe_call_duration_seconds histogram\n"));
  EXPECT_THAT(text,
              testing::HasSubstr(
                  "\nlethe_call_duration_seconds_bucket{interface=\"flash\",le=\"0.05\"} 0\n"));
  EXPECT_THAT(text,
              testing::HasSubstr(
                  "\nlethe_call_duration_seconds_bucket{interface=\"flash\",le=\"+Inf\"} 0\n"));
  EXPECT_THAT(text, testing::HasSubstr("\nlethe_records_log_held_seconds 1.5\n"));
  EXPECT_THAT(text, testing::HasSubstr("\nlethe_callbacks_total{outcome=\"given_up\"} 0\n"));
}

}  // namespace
}  // namespace lethe
