// Goal: every row says whose fault it was, where it was taken and what it costs so far, and none is
// lost or written twice while the records do not answer. Method: real records, some of whose calls
// fail; codes of every interface, a price that can be told from others.

#include "service/meter.h"

#include <future>
#include <span>
#include <utility>

#include <gmock/gmock.h>

#include "tests/support/flaky_usage.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class MeterTest : public testing::Test {
 protected:
  static FinishedCall Call(std::string code, bool succeeded = false) {
    return {.app_id = 7,
            .result_code = std::move(code),
            .succeeded = succeeded,
            .start = kNoon,
            .end = kNoon};
  }
  std::vector<FinishedCall> Rows() {
    std::vector<FinishedCall> rows;
    EXPECT_THAT(
        store_->usage().Calls({.app_id = 7, .begin = kNoon, .end = kNoon + std::chrono::hours(1)},
                              [&](const FinishedCall& call) {
                                rows.push_back(call);
                                return OkStatus();
                              }),
        IsOk());
    return rows;
  }

  ManualClock clock_{kNoon};
  TestStore store_{clock_};
};

TEST(IsServerFaultTest, OursAreInternalErrorsOverloadAndWhatIsNegative) {
  for (const char* code : {"InternalError", "InternalError.ErrorRecognize", "ServiceUnavailable",
                           "ResourceInsufficient", "500", "503", "599", "5000", "5001", "5002",
                           "5003", "-1", "-2001"}) {
    EXPECT_TRUE(IsServerFault(code)) << code;
  }
}

TEST(IsServerFaultTest, TheirsAreMistakesLimitsAndLeaving) {
  for (const char* code : {"",
                           "0",
                           "success",
                           "cancelled",
                           "200",
                           "400",
                           "401",
                           "429",
                           "499",
                           "4000",
                           "4001",
                           "4002",
                           "4006",
                           "4008",
                           "4009",
                           "4012",
                           "6001",
                           "50",
                           "50000",
                           "InvalidParameter",
                           "InvalidParameterValue.ErrorInvalidUrl",
                           "RequestLimitExceeded",
                           "LimitExceeded",
                           "FailedOperation.ErrorDownFile",
                           "FailedOperation.ErrorRecognize",
                           "InternalErrors",
                           "5xx",
                           "AuthFailure.SignatureExpire",
                           "500 ",
                           "99999999999999999999"}) {
    EXPECT_FALSE(IsServerFault(code)) << code;
  }
}

TEST_F(MeterTest, RowsHaveRegionAndFaultWhateverTheFaceSaid) {
  Meter meter(store_->usage(), {.region = "north", .price = nullptr});
  FinishedCall odd = Call("5000", true);
  odd.server_fault = true;
  odd.region = "south";
  meter.Record(odd);
  meter.Record(Call("5000"));
  meter.Record(Call("4001"));
  meter.Flush();
  const std::vector<FinishedCall> rows = Rows();
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_THAT((std::vector<bool>{rows[0].server_fault, rows[1].server_fault, rows[2].server_fault}),
              ElementsAre(false, true, false));
  for (const FinishedCall& row : rows) {
    EXPECT_EQ(row.region, "north");
    EXPECT_EQ(row.fee, 0);
  }
}

TEST_F(MeterTest, CallsAreToldApartByHowLongTheyLastedAndWhoseFaultTheyWere) {
  Meter meter(store_->usage());
  for (const int took : {0, 50, 51, 300'000, 300'001}) {
    FinishedCall call = Call(took == 51 ? "5000" : "0", took != 51);
    call.interface = Interface::kFlash;
    call.end = kNoon + Millis(took);
    call.audio = Millis(1'500);
    meter.Record(std::move(call));
  }
  const auto figures = meter.figures();
  ASSERT_THAT(figures, SizeIs(1));
  const CallFigures& flash = figures.at(Interface::kFlash);
  EXPECT_THAT(flash.lasted, ElementsAre(2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1));
  EXPECT_EQ(flash.duration, Millis(600'102));
  EXPECT_EQ(flash.audio, Millis(7'500));
  EXPECT_EQ(flash.faults, 1U);
}

TEST_F(MeterTest, RowsArePricedInTheOrderInWhichTheyAreWritten) {
  std::int64_t next = 0;
  Meter meter(store_->usage(), {.region = "", .price = [&](std::span<FinishedCall> calls) {
                                  for (FinishedCall& call : calls) call.fee = ++next;
                                }});
  for (int i = 0; i < 100; ++i) meter.Record(Call("0", true));
  meter.Flush();
  const std::vector<FinishedCall> rows = Rows();
  ASSERT_THAT(rows, SizeIs(100));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].fee, static_cast<std::int64_t>(i) + 1);
  }
}

TEST_F(MeterTest, OfErasedCallsTheOperationLogGetsNothing) {
  Meter meter(store_->usage(), {.region = "", .price = nullptr, .log = &store_->operation_log()});
  const auto erased = std::make_shared<std::atomic<bool>>(false);
  const Application application = *store_->applications().Create({.name = "one"});
  FinishedCall one = Call("0", true), two = one;
  one.app_id = two.app_id = application.id;
  one.call_id = "erased";
  two.call_id = "not erased";
  meter.Record(one, erased);
  // Also when it is erased after its end was recorded, as long as it is not written.
  *erased = true;
  meter.Record(two, std::make_shared<std::atomic<bool>>(false));
  meter.Flush();
  EXPECT_EQ(store_->usage().Applications()->size(), 1U);
  EXPECT_THAT(*store_->operation_log().Find("erased"), SizeIs(0));
  EXPECT_THAT(*store_->operation_log().Find("not erased"), SizeIs(1));
}

TEST_F(MeterTest, RecordsThatDoNotAnswerAreAskedAgainAndNothingIsLostOrWrittenTwice) {
  FlakyUsage usage(store_->usage());
  int priced = 0;
  Meter meter(usage, {.region = "",
                      .price =
                          [&](std::span<FinishedCall> calls) {
                            for (FinishedCall& call : calls) call.fee = ++priced;
                          },
                      .log = &store_->operation_log()});
  const Application application = *store_->applications().Create({.name = "one"});
  const auto record = [&](const std::string& id) {
    FinishedCall call = Call("0", true);
    call.app_id = application.id;
    call.call_id = id;
    meter.Record(call);
  };
  const auto flush = [&] {
    for (int i = 0; i < 100 && !meter.Flush(); ++i) {
    }
  };
  usage.unwritten = 3;
  record("one");
  flush();
  usage.unanswered = 1;
  record("two");
  flush();
  EXPECT_EQ(meter.lost(), 0U);
  std::vector<std::pair<std::string, std::int64_t>> rows;
  const CallQuery query{
      .app_id = application.id, .begin = kNoon, .end = kNoon + std::chrono::hours(1)};
  EXPECT_THAT(store_->usage().Calls(query,
                                    [&](const FinishedCall& call) {
                                      rows.emplace_back(call.call_id, call.fee);
                                      return OkStatus();
                                    }),
              IsOk());
  EXPECT_THAT(rows, ElementsAre(std::pair("one", 1), std::pair("two", 2)));
  for (const char* id : {"one", "two"}) {
    EXPECT_THAT(*store_->operation_log().Find(id), SizeIs(1)) << id;
  }
}

TEST_F(MeterTest, FlushSaysWhetherRowsAreWrittenAndTheEndGivesThemUp) {
  constexpr int kMany = 1'000'000, kFlushes = 5;
  FlakyUsage usage(store_->usage());
  usage.unwritten = kMany;
  {
    Meter meter(usage);
    meter.Record(Call("0", true));
    for (int i = 0; i < kFlushes; ++i) EXPECT_FALSE(meter.Flush());
    EXPECT_EQ(meter.lost(), 0U);
    // Not again and again while whoever flushes wakes; once a second besides.
    EXPECT_LT(kMany - usage.unwritten, 4 * kFlushes);
  }
  usage.unwritten = 0;
  EXPECT_THAT(Rows(), SizeIs(0));
}

TEST_F(MeterTest, RowsThatTheRecordsRefuseAreLostAtOnce) {
  Meter meter(store_->usage());
  meter.Record(Call(std::string(5'000, 'x')));
  EXPECT_TRUE(meter.Flush());
  EXPECT_EQ(meter.lost(), 1U);
}

TEST_F(MeterTest, NobodyWaitsForAStoreThatHangsAndWhatHasNoRoomIsLost) {
  constexpr std::size_t kRoom = 100'000;
  std::promise<void> begun, answer;
  Meter meter(store_->usage(),
              {.region = "", .price = [&, hung = false](std::span<FinishedCall>) mutable {
                 if (std::exchange(hung, true)) return;
                 begun.set_value();
                 answer.get_future().wait();
               }});
  meter.Record(Call("0", true));
  begun.get_future().wait();
  for (std::size_t i = 0; i < kRoom + 3; ++i) meter.Record(Call("0", true));
  EXPECT_EQ(meter.lost(), 3U);
  EXPECT_EQ(meter.counts().begin()->second, kRoom + 4);
  answer.set_value();
  EXPECT_TRUE(meter.Flush());
  EXPECT_THAT(Rows(), SizeIs(kRoom + 1));
}

TEST_F(MeterTest, WhatIsLeftIsWrittenAtTheEnd) {
  {
    Meter meter(store_->usage());
    for (int i = 0; i < 10; ++i) meter.Record(Call("0", true));
  }
  EXPECT_THAT(Rows(), SizeIs(10));
}

}  // namespace
}  // namespace lethe
