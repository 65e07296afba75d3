// Goal: an erasure finds what is written, what is about to be written and what is under way, and
// nobody else's; where that cannot be written, nothing is said to be erased. Method: real records,
// a real meter, calls that the test plays.

#include "service/eraser.h"

#include <gmock/gmock.h>

#include "tests/support/flaky_usage.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class EraserTest : public testing::Test {
 protected:
  FinishedCall Call(const std::string& id, const Application& application) {
    return {.app_id = application.id, .call_id = id, .start = kNoon, .end = kNoon};
  }
  Erasure Erase(const ErasureRequest& request) {
    auto erasure = eraser_.Erase(request, ErasureCause::kRequested);
    EXPECT_THAT(erasure.status(), IsOk());
    return *std::move(erasure);
  }

  ManualClock clock_{kNoon};
  TestStore store_{clock_};
  const Application application_ = *store_->applications().Create({.name = "one"});
  const Application other_ = *store_->applications().Create({.name = "two"});
  CallsUnderWay calls_;
  Meter meter_{store_->usage(), {.region = "", .price = nullptr, .log = &store_->operation_log()}};
  Eraser eraser_{{.store = *store_, .calls = &calls_, .meter = &meter_}};
};

TEST_F(EraserTest, ACallThatHasJustEndedIsFound) {
  meter_.Record(Call("call", application_));
  meter_.Record(Call("another", application_));
  EXPECT_EQ(Erase({.call_id = "call"}).operations, 1U);
  EXPECT_THAT(*store_->operation_log().Find("call"), IsEmpty());
  EXPECT_THAT(*store_->operation_log().Find("another"), SizeIs(1));
}

TEST_F(EraserTest, ACallUnderWayIsCancelledAndLeavesNothing) {
  {
    const CancellableCall under_way(calls_, application_, "call");
    const CancellableCall others(calls_, other_, "another");
    EXPECT_EQ(Erase({.within = application_.id, .call_id = "another"}).cancelled, 0U);
    EXPECT_EQ(Erase({.app_id = application_.id}).cancelled, 1U);
    EXPECT_TRUE(under_way.cancelled());
    EXPECT_FALSE(others.cancelled());
    meter_.Record(Call("call", application_), under_way.erased());
    meter_.Record(Call("another", other_), others.erased());
  }
  meter_.Flush();
  EXPECT_THAT(*store_->operation_log().Find("call"), IsEmpty());
  EXPECT_THAT(*store_->operation_log().Find("another"), SizeIs(1));
}

TEST_F(EraserTest, WithATaskGoesWhatWasLoggedForIt) {
  const Task task = *store_->tasks().Create(
      {.app_id = application_.id, .request_id = "its call", .request = "{}"});
  meter_.Record(Call("its call", application_));
  meter_.Record(Call("its call", other_));
  const Erasure erasure = Erase({.within = application_.id, .task = task.id});
  EXPECT_EQ(erasure.results, 1U);
  EXPECT_EQ(erasure.operations, 1U);
  EXPECT_THAT(*store_->operation_log().Find("its call"), SizeIs(1));
}

// What cannot be written down yet would be written after its erasure.
TEST_F(EraserTest, WhileWhatEndedCannotBeWrittenItIsNotErased) {
  FlakyUsage usage(store_->usage());
  Meter meter(usage, {.region = "", .price = nullptr, .log = &store_->operation_log()});
  Eraser eraser({.store = *store_, .calls = &calls_, .meter = &meter});
  const Task task = *store_->tasks().Create(
      {.app_id = application_.id, .request_id = "its call", .request = "{}"});
  usage.unwritten = 1'000'000;
  meter.Record(Call("its call", application_));
  const ErasureRequest request{.task = task.id};
  EXPECT_THAT(eraser.Erase(request, ErasureCause::kRequested).status(),
              HasCode(StatusCode::kUnavailable));
  usage.unwritten = 0;
  for (int i = 0; i < 100 && !meter.Flush(); ++i) {
  }
  EXPECT_EQ(eraser.Erase(request, ErasureCause::kRequested)->operations, 1U);
  EXPECT_THAT(*store_->operation_log().Find("its call"), IsEmpty());
}

TEST_F(EraserTest, OneThingIsAskedFor) {
  for (const ErasureRequest& request :
       {ErasureRequest{}, ErasureRequest{.within = 1}, ErasureRequest{.task = 1, .uin = 2}}) {
    EXPECT_THAT(eraser_.Erase(request, ErasureCause::kRequested).status(),
                HasCode(StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace lethe
