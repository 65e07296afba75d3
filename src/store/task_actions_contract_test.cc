// Goal: every store lists tasks, cancels them and has their callers told as store/tasks.h promises.
// Method: as store_contract_test.cc.

#include "tests/support/task_contract.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(TaskContractTest, CallbacksArePendingUntilDeliveredOrGivenUp) {
  const Task one = Create(mine_, "http://one.example"), two = Create(mine_, "http://two.example");
  Create(mine_);
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), IsEmpty());
  EXPECT_THAT(tasks_.NoteCallback(one.id, {}), HasCode(StatusCode::kFailedPrecondition));
  for (int i = 0; i < 3; ++i) {
    const Task task = Claim();
    ASSERT_THAT(tasks_.Finish(task.id, task.lease, {.result = "r"}), IsOk());
  }
  const std::vector<Task> pending = *tasks_.ClaimCallbacks(me_, 10);
  ASSERT_THAT(pending, SizeIs(2));
  EXPECT_EQ(pending[0].id, one.id);
  EXPECT_EQ(pending[0].result, "r");
  EXPECT_EQ(pending[1].id, two.id);
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 1), SizeIs(1));
  EXPECT_THAT(tasks_.ClaimCallbacks(me_, 0), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(tasks_.NoteCallback(one.id, {.next = CallbackState::kNone}),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(tasks_.NoteCallback(one.id, {.outcome = std::string(kMaxCallbackOutcome + 1, 'x')}),
              HasCode(StatusCode::kInvalidArgument));
  const CallbackNote again{.next = CallbackState::kPending,
                           .outcome = std::string(kMaxCallbackOutcome, 'x'),
                           .next_attempt = kNoon + Millis(5'000)};
  EXPECT_THAT(tasks_.NoteCallback(one.id, again), IsOk());
  Task noted = *tasks_.Find(mine_.id, one.id);
  EXPECT_EQ(noted.callback, CallbackState::kPending);
  EXPECT_EQ(noted.callback_attempts, 1);
  EXPECT_EQ(noted.callback_outcome, again.outcome);
  EXPECT_EQ(noted.callback_tried, kNoon);
  EXPECT_EQ(noted.callback_next, again.next_attempt);
  EXPECT_EQ(noted.holder, "here");
  // Said twice, as of what was not answered, it is no other attempt.
  EXPECT_THAT(tasks_.NoteCallback(one.id, again), IsOk());
  EXPECT_EQ(tasks_.Find(mine_.id, one.id)->callback_attempts, 1);
  clock_.Advance(Millis(4'999));
  EXPECT_EQ(tasks_.ClaimCallbacks(me_, 1)->at(0).id, two.id);
  clock_.Advance(Millis(1));
  // Whoever takes it up makes it now.
  const std::vector<Task> due = *tasks_.ClaimCallbacks(me_, 10);
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[1].id, one.id);
  EXPECT_EQ(due[1].callback_next, again.next_attempt);
  EXPECT_EQ(tasks_.Find(mine_.id, one.id)->callback_next, std::nullopt);
  EXPECT_THAT(tasks_.NoteCallback(
                  one.id, {.next = CallbackState::kGivenUp, .attempts = 3, .outcome = "HTTP 500"}),
              IsOk());
  EXPECT_THAT(tasks_.NoteCallback(two.id, {}), IsOk());
  EXPECT_THAT(tasks_.NoteCallback(two.id, again), HasCode(StatusCode::kFailedPrecondition));
  noted = *tasks_.Find(mine_.id, one.id);
  EXPECT_EQ(noted.callback, CallbackState::kGivenUp);
  EXPECT_EQ(noted.callback_attempts, 3);
  EXPECT_EQ(noted.callback_outcome, "HTTP 500");
  EXPECT_EQ(noted.callback_tried, kNoon + Millis(5'000));
  EXPECT_EQ(noted.callback_next, std::nullopt);
  EXPECT_EQ(noted.holder, "");
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), IsEmpty());
}

TEST_P(TaskContractTest, PagesListTheNewestFirstAndOnlyWhatIsAskedFor) {
  std::vector<TaskId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(Create(mine_).id);
  const Task theirs = Create(other_, "http://example.com/done");
  const Task running = Claim();
  const auto list = [&](const TaskQuery& query) {
    const auto page = tasks_.List(query);
    EXPECT_THAT(page.status(), IsOk());
    std::vector<TaskId> found;
    for (const Task& task : page->tasks) found.push_back(task.id);
    return std::pair(found, page->next);
  };
  EXPECT_THAT(list({}).first, ElementsAre(theirs.id, ids[4], ids[3], ids[2], ids[1], ids[0]));
  EXPECT_EQ(list({}).second, std::nullopt);
  const auto [first, next] = list({.within = mine_.id, .limit = 3});
  EXPECT_THAT(first, ElementsAre(ids[4], ids[3], ids[2]));
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(list({.within = mine_.id, .before = *next}).first, ElementsAre(ids[1], ids[0]));
  const TaskQuery waiting{.within = mine_.id, .state = TaskState::kWaiting, .limit = 2};
  const auto [newest, behind] = list(waiting);
  EXPECT_THAT(newest, ElementsAre(ids[4], ids[3]));
  ASSERT_TRUE(behind.has_value());
  TaskQuery rest = waiting;
  rest.before = *behind;
  // The oldest is not in that state any more.
  EXPECT_EQ(list(rest), std::pair(std::vector{ids[2], ids[1]}, list(rest).second));
  rest.before = list(rest).second.value();
  EXPECT_EQ(list(rest), std::pair(std::vector<TaskId>(), std::optional<std::int64_t>()));
  rest.within.reset();
  rest.before = *behind;
  EXPECT_THAT(list(rest).first, ElementsAre(ids[2], ids[1]));
  EXPECT_THAT(list({.state = TaskState::kRunning}).first, ElementsAre(running.id));
  EXPECT_THAT(list({.within = other_.id, .state = TaskState::kRunning}).first, IsEmpty());
  EXPECT_EQ(list({.task = theirs.id, .limit = 1}),
            std::pair(std::vector{theirs.id}, std::optional<std::int64_t>()));
  EXPECT_THAT(list({.within = mine_.id, .task = theirs.id}).first, IsEmpty());
  EXPECT_EQ(tasks_.List({.task = theirs.id})->tasks[0].callback_url, "http://example.com/done");
  EXPECT_THAT(tasks_.List({.limit = 0}), HasCode(StatusCode::kInvalidArgument));
}

TEST_P(TaskContractTest, ListsHaveNoResultsAndNothingThatIsOver) {
  const Task good = Create(mine_), bad = Create(mine_), gone = Create(mine_);
  ASSERT_THAT(tasks_.Finish(good.id, Claim().lease, {.result = "what was said"}), IsOk());
  ASSERT_THAT(tasks_.Finish(bad.id, Claim().lease,
                            {.state = TaskState::kFailed, .result = "why", .error = "no"}),
              IsOk());
  ASSERT_THAT(tasks_.Remove(mine_.id, gone.id), IsOk());
  const TaskPage page = *tasks_.List({});
  ASSERT_THAT(page.tasks, SizeIs(2));
  EXPECT_EQ(page.tasks[0].result, "why");
  EXPECT_EQ(page.tasks[0].error, "no");
  EXPECT_EQ(page.tasks[1].result, "");
  EXPECT_EQ(page.tasks[1].state, TaskState::kSuccess);
  clock_.Advance(kTaskLifetime);
  EXPECT_THAT(tasks_.List({})->tasks, IsEmpty());
}

const TaskOutcome kCancelled{.state = TaskState::kFailed, .result = "c", .error = "cancelled"};

TEST_P(TaskContractTest, CancelledTaskHasFailedWhoeverWorksOnIt) {
  const Task waiting = Create(mine_), running = Create(mine_, "http://example.com");
  const AppId nobody[] = {0};
  ASSERT_EQ((*tasks_.Claim(elsewhere_, nobody))->id, waiting.id);
  ASSERT_THAT(tasks_.Release(waiting.id, 1), IsOk());
  const Task upload = Create(other_, "", true);
  EXPECT_THAT(tasks_.Cancel(other_.id, waiting.id, kCancelled), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.Cancel({}, waiting.id, {}), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(tasks_.Cancel(mine_.id, waiting.id, kCancelled), IsOk());
  EXPECT_EQ((*tasks_.Claim(elsewhere_))->id, running.id);
  clock_.Advance(Millis(3));
  const Task failed = *tasks_.Cancel({}, running.id, kCancelled);
  EXPECT_EQ(failed.state, TaskState::kFailed);
  EXPECT_EQ(failed.error, "cancelled");
  EXPECT_EQ(failed.result, "c");
  EXPECT_EQ(failed.finished, kNoon + Millis(3));
  EXPECT_THAT(tasks_.Finish(running.id, 1, {.result = "late"}),
              HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_.Release(running.id, 1), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_.Cancel({}, running.id, kCancelled), HasCode(StatusCode::kFailedPrecondition));
  // Any node tells its caller.
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), SizeIs(1));
  EXPECT_THAT(tasks_.Cancel({}, upload.id, kCancelled), IsOk());
  EXPECT_EQ(*tasks_.FailLostUploads("here", "lost"), 0);
  EXPECT_EQ(*tasks_.Claim(me_), std::nullopt);
  EXPECT_EQ(*tasks_.Count(), TaskCounts{});
}

TEST_P(TaskContractTest, CallbackIsMadeAgainWhenItIsAskedFor) {
  const Task task = Create(mine_, "http://example.com"), silent = Create(mine_);
  EXPECT_THAT(tasks_.TellAgain({}, task.id), HasCode(StatusCode::kFailedPrecondition));
  for (int i = 0; i < 2; ++i) {
    const Task claimed = Claim();
    ASSERT_THAT(tasks_.Finish(claimed.id, claimed.lease, {.result = "r"}), IsOk());
  }
  EXPECT_THAT(tasks_.TellAgain({}, silent.id), HasCode(StatusCode::kFailedPrecondition));
  // What is being made goes on.
  EXPECT_THAT(tasks_.TellAgain({}, task.id), IsOk());
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->holder, "here");
  ASSERT_THAT(tasks_.NoteCallback(task.id, {.next = CallbackState::kGivenUp, .attempts = 2}),
              IsOk());
  EXPECT_THAT(tasks_.TellAgain(other_.id, task.id), HasCode(StatusCode::kNotFound));
  EXPECT_EQ(tasks_.TellAgain(mine_.id, task.id)->callback, CallbackState::kPending);
  EXPECT_THAT(*tasks_.ClaimCallbacks(elsewhere_, 10), SizeIs(1));
  ASSERT_THAT(tasks_.NoteCallback(task.id, {.attempts = 3}), IsOk());
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->callback_attempts, 3);
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->callback, CallbackState::kDelivered);
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->callback_outcome, "");
}

TEST_P(TaskContractTest, CallbacksInHandAndThoseOfApplicationsPassedOverAreLeft) {
  const Task one = Create(mine_, "http://one.example"), two = Create(mine_, "http://two.example");
  const Task theirs = Create(other_, "http://three.example");
  for (int i = 0; i < 3; ++i) {
    const Task task = Claim();
    ASSERT_THAT(tasks_.Finish(task.id, task.lease, {.result = "r"}), IsOk());
  }
  const auto claim = [&](std::vector<TaskId> in_hand, std::vector<AppId> passed_over) {
    std::vector<TaskId> ids;
    const std::vector<Task> claimed = *tasks_.ClaimCallbacks(me_, 10, in_hand, passed_over);
    for (const Task& task : claimed) ids.push_back(task.id);
    return ids;
  };
  EXPECT_THAT(claim({one.id, theirs.id}, {}), ElementsAre(two.id));
  EXPECT_THAT(claim({}, {mine_.id}), ElementsAre(theirs.id));
  EXPECT_THAT(claim({one.id}, {other_.id}), ElementsAre(two.id));
  EXPECT_THAT(claim({}, {mine_.id, other_.id}), IsEmpty());
}

TEST_P(TaskContractTest, NobodyWaitsForOneWhoIsToldAgain) {
  const Task again = Create(mine_, "http://one.example");
  const auto finish = [&](const Task& task) {
    ASSERT_THAT(tasks_.Finish(task.id, task.lease, {.result = "r"}), IsOk());
  };
  finish(Claim());
  ASSERT_THAT(tasks_.NoteCallback(again.id, {}), IsOk());
  ASSERT_THAT(tasks_.TellAgain({}, again.id), IsOk());
  const Task first = Create(other_, "http://two.example");
  finish(Claim());
  const auto claim = [&](int limit) {
    std::vector<TaskId> ids;
    const std::vector<Task> claimed = *tasks_.ClaimCallbacks(me_, limit);
    for (const Task& task : claimed) ids.push_back(task.id);
    return ids;
  };
  EXPECT_THAT(claim(1), ElementsAre(first.id));
  EXPECT_THAT(claim(2), ElementsAre(first.id, again.id));
}

}  // namespace
}  // namespace lethe
