// Goal: what another node or a command erased ends here, leaves no row behind, and reaches nobody
// else. Method: two nodes' worth of parts on the same records; the test plays calls and looks.

#include "service/cancellation_watch.h"

#include <gmock/gmock.h>

#include "service/eraser.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class CancellationWatchTest : public testing::Test {
 protected:
  CancellationWatchTest() { EXPECT_THAT(watch_.Begin(), IsOk()); }

  static FinishedCall Call(const std::string& id, const Application& application) {
    return {.app_id = application.id, .call_id = id, .start = kNoon, .end = kNoon};
  }
  // On the other node, which knows nothing of the calls here.
  void EraseElsewhere(const ErasureRequest& request) {
    ASSERT_THAT(elsewhere_.Erase(request, ErasureCause::kRequested).status(), IsOk());
  }

  ManualClock clock_{kNoon};
  TestStore store_{clock_};
  const Application application_ = *store_->applications().Create({.name = "one"});
  const Application other_ = *store_->applications().Create({.name = "two"});
  CallsUnderWay calls_;
  Meter meter_{store_->usage(), {.region = "", .price = nullptr, .log = &store_->operation_log()}};
  CancellationWatch watch_{{*store_, calls_, meter_, clock_}};
  CallsUnderWay calls_elsewhere_;
  Eraser elsewhere_{{.store = *store_, .calls = &calls_elsewhere_}};
};

TEST_F(CancellationWatchTest, ACallHereEndsWhenItIsErasedElsewhere) {
  const CancellableCall call(calls_, application_, "call");
  const CancellableCall another(calls_, application_, "another");
  EraseElsewhere({.within = other_.id, .call_id = "call"});  // it is none of theirs
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_FALSE(call.cancelled());
  EraseElsewhere({.call_id = "call"});
  EXPECT_FALSE(call.cancelled());
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_TRUE(call.cancelled());
  EXPECT_FALSE(another.cancelled());
}

TEST_F(CancellationWatchTest, ByPersonAccountAndApplication) {
  const CancellableCall ann(calls_, application_, "1", "ann");
  const CancellableCall bob(calls_, application_, "2", "bob");
  const CancellableCall others(calls_, other_, "3", "ann");
  EraseElsewhere({.within = application_.id, .subject = "ann"});
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_TRUE(ann.cancelled());
  EXPECT_FALSE(bob.cancelled());
  EXPECT_FALSE(others.cancelled());
  EraseElsewhere({.uin = application_.uin});
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_TRUE(bob.cancelled());
  EXPECT_FALSE(others.cancelled());
  EraseElsewhere({.app_id = other_.id});
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_TRUE(others.cancelled());
}

TEST_F(CancellationWatchTest, OfACallThatEndsBeforeTheLookNoRowStays) {
  EraseElsewhere({.call_id = "call"});
  meter_.Record(Call("call", application_));
  meter_.Record(Call("another", application_));
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_THAT(*store_->operation_log().Find("call"), IsEmpty());
  EXPECT_THAT(*store_->operation_log().Find("another"), SizeIs(1));
}

TEST_F(CancellationWatchTest, WhatWasAskedBeforeItBeganOrFromHereIsNotDoneAgain) {
  EraseElsewhere({.app_id = application_.id});
  CancellationWatch later({*store_, calls_, meter_, clock_});
  ASSERT_THAT(later.Begin(), IsOk());
  Eraser here({.store = *store_, .calls = &calls_, .watch = &later});
  ASSERT_THAT(here.Erase({.app_id = application_.id}, ErasureCause::kRequested).status(), IsOk());
  const CancellableCall call(calls_, application_, "call");
  EXPECT_THAT(later.Look(), IsOk());
  EXPECT_FALSE(call.cancelled());
  EraseElsewhere({.app_id = application_.id});
  EXPECT_THAT(later.Look(), IsOk());
  EXPECT_TRUE(call.cancelled());
}

TEST_F(CancellationWatchTest, RowsFromBeforeAreLeftToWhoeverAskedAndProvesThem) {
  meter_.Record(Call("call", application_));
  meter_.Flush();
  clock_.Advance(Millis(1));
  const Cancellation wanted{.call_key = store_->cancellations().CallKey("call")};
  ASSERT_THAT(store_->cancellations().Ask(wanted), IsOk());
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_THAT(*store_->operation_log().Find("call"), SizeIs(1));
}

TEST_F(CancellationWatchTest, WithATaskGoesWhatItsNodeWritesOfItAfterwards) {
  const Task task = *store_->tasks().Create(
      {.app_id = application_.id, .request_id = "its call", .request = "{}"});
  EraseElsewhere({.within = application_.id, .task = task.id});
  meter_.Record(Call("its call", application_));
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_THAT(*store_->operation_log().Find("its call"), IsEmpty());
}

TEST_F(CancellationWatchTest, EachIsDoneOnceHoweverManyThereAre) {
  const CancellableCall call(calls_, application_, "call");
  for (int i = 0; i < 250; ++i) EraseElsewhere({.call_id = "nobody's " + std::to_string(i)});
  EraseElsewhere({.call_id = "call"});
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_TRUE(call.cancelled());
  const CancellableCall again(calls_, application_, "call");
  for (int seconds = 0; seconds < 130; seconds += 10) {
    clock_.Advance(std::chrono::seconds(10));
    EXPECT_THAT(watch_.Look(), IsOk());
  }
  EXPECT_FALSE(again.cancelled());
}

TEST_F(CancellationWatchTest, WhoCouldNotLookForTooLongEndsAllItHas) {
  const CancellableCall call(calls_, application_, "call");
  clock_.Advance(kCancellationLifetime - std::chrono::minutes(1) - Millis(1));
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_FALSE(call.cancelled());
  clock_.Advance(kCancellationLifetime - std::chrono::minutes(1));
  EXPECT_THAT(watch_.Look(), IsOk());
  EXPECT_TRUE(call.cancelled());
}

}  // namespace
}  // namespace lethe
