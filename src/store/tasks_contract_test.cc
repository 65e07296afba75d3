// Goal: every store keeps what store/tasks.h promises: one worker for a task, one outcome, one
// owner, and nothing found after its time. Method: as store_contract_test.cc; threads claim at
// once.

#include <atomic>
#include <set>
#include <thread>

#include "base/mutex.h"
#include "tests/support/task_contract.h"

namespace lethe {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Stores, TaskContractTest, testing::ValuesIn(StoreKinds()),
                         [](const auto& about) { return about.param; });

TEST_P(TaskContractTest, NewTaskWaitsAndOnlyItsOwnerFindsIt) {
  const Task made = Create(mine_, "http://example.com/done", true);
  EXPECT_EQ(made.state, TaskState::kWaiting);
  EXPECT_EQ(made.uin, mine_.uin);
  EXPECT_EQ(made.engine, "16k_en");
  EXPECT_EQ(made.callback, CallbackState::kNone);
  EXPECT_EQ(made.created, kNoon);
  EXPECT_EQ(made.expires, kNoon + std::chrono::hours(24));
  EXPECT_TRUE(made.holds_upload);
  EXPECT_EQ(made.holder, "here");
  EXPECT_EQ(made.held_until, kNoon + me_.lease);
  EXPECT_EQ(*tasks_.Find(mine_.id, made.id), made);
  EXPECT_THAT(tasks_.Find(other_.id, made.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.Find(mine_.id, made.id + 1), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.Create({.app_id = 1}), HasCode(StatusCode::kNotFound));
}

TEST_P(TaskContractTest, IdsDifferAndSurviveJavaScript) {
  std::set<TaskId> ids;
  for (int i = 0; i < 200; ++i) ids.insert(Create(mine_).id);
  EXPECT_THAT(ids, SizeIs(200));
  EXPECT_GE(*ids.begin(), 1U);
  EXPECT_LT(*ids.rbegin(), TaskId{1} << 48);
  // Not counted up: 200 random numbers lie far apart.
  EXPECT_GT(*ids.rbegin() - *ids.begin(), TaskId{1} << 40);
}

TEST_P(TaskContractTest, TheOldestIsClaimedFirstAndOnce) {
  EXPECT_EQ(*tasks_.Claim(me_), std::nullopt);
  const Task first = Create(mine_), second = Create(other_), third = Create(mine_);
  clock_.Advance(Millis(5));
  const Task claimed = Claim();
  EXPECT_EQ(claimed.id, first.id);
  EXPECT_EQ(claimed.state, TaskState::kRunning);
  EXPECT_EQ(claimed.started, kNoon + Millis(5));
  EXPECT_EQ(claimed.lease, 1);
  EXPECT_EQ(claimed.holder, "here");
  EXPECT_EQ(claimed.held_until, kNoon + Millis(5) + me_.lease);
  EXPECT_EQ(*tasks_.Find(mine_.id, first.id), claimed);
  EXPECT_EQ(*tasks_.Count(), (TaskCounts{.waiting = 2, .running = 1}));
  EXPECT_EQ(Claim().id, second.id);
  EXPECT_EQ(Claim().id, third.id);
  EXPECT_EQ(*tasks_.Claim(me_), std::nullopt);
}

TEST_P(TaskContractTest, ApplicationsAtTheirLimitArePassedOver) {
  const Task first = Create(mine_), second = Create(other_);
  const AppId passed[] = {mine_.id, 7};
  EXPECT_EQ((*tasks_.Claim(me_, passed))->id, second.id);
  EXPECT_EQ(*tasks_.Claim(me_, passed), std::nullopt);
  EXPECT_EQ(Claim().id, first.id);
}

TEST_P(TaskContractTest, OutcomeIsWrittenOnce) {
  const Task task = Create(mine_);
  const TaskOutcome good{.result = "{\"Text\": \"hello\"}", .audio = Millis(2380)};
  EXPECT_THAT(tasks_.Finish(task.id, 0, good), HasCode(StatusCode::kFailedPrecondition));
  const Task claimed = Claim();
  clock_.Advance(Millis(9));
  EXPECT_THAT(tasks_.Finish(task.id, 2, good), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_.Finish(task.id, claimed.lease, {.state = TaskState::kRunning}),
              HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(tasks_.Finish(task.id, claimed.lease, good), IsOk());
  EXPECT_THAT(tasks_.Finish(task.id, claimed.lease, {.state = TaskState::kFailed, .error = "no"}),
              HasCode(StatusCode::kFailedPrecondition));
  const Task done = *tasks_.Find(mine_.id, task.id);
  EXPECT_EQ(done.state, TaskState::kSuccess);
  EXPECT_EQ(done.result, good.result);
  EXPECT_EQ(done.audio, good.audio);
  EXPECT_EQ(done.error, "");
  EXPECT_EQ(done.finished, kNoon + Millis(9));
  EXPECT_EQ(done.callback, CallbackState::kNone);
  EXPECT_EQ(done.holder, "");
  EXPECT_THAT(tasks_.Finish(task.id + 1, 1, good), HasCode(StatusCode::kNotFound));
}

TEST_P(TaskContractTest, TaskThatWasPutBackIsOnlyFinishedByItsNextWorker) {
  const Task task = Create(mine_), later = Create(mine_);
  const int old_lease = Claim().lease;
  EXPECT_THAT(tasks_.Release(task.id, old_lease + 1), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_.Release(task.id, old_lease), IsOk());
  EXPECT_THAT(tasks_.Release(task.id, old_lease), HasCode(StatusCode::kFailedPrecondition));
  const Task waiting = *tasks_.Find(mine_.id, task.id);
  EXPECT_EQ(waiting.state, TaskState::kWaiting);
  EXPECT_EQ(waiting.started, std::nullopt);
  const Task again = Claim();
  EXPECT_EQ(again.id, task.id);
  EXPECT_NE(again.lease, old_lease);
  EXPECT_THAT(tasks_.Finish(task.id, old_lease, {}), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_.Finish(task.id, again.lease, {.state = TaskState::kFailed, .error = "no"}),
              IsOk());
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->error, "no");
  EXPECT_EQ(Claim().id, later.id);
}

TEST_P(TaskContractTest, AfterARestartRunningTasksWaitAndLostUploadsFail) {
  const Task by_url = Create(mine_), upload = Create(mine_, "http://example.com", true);
  const Task waiting_upload = Create(other_, "", true), done = Create(mine_, "", true);
  EXPECT_EQ(Claim().id, by_url.id);
  EXPECT_EQ(Claim().id, upload.id);
  const AppId pass[] = {other_.id};
  const Task claimed = **tasks_.Claim(me_, pass);
  EXPECT_EQ(claimed.id, done.id);
  ASSERT_THAT(tasks_.Finish(done.id, claimed.lease, {}), IsOk());

  EXPECT_EQ(*tasks_.FailLostUploads("here", "the service was restarted"), 2);
  EXPECT_EQ(*tasks_.ResetRunning("here"), 1);
  const Task failed = *tasks_.Find(mine_.id, upload.id);
  EXPECT_EQ(failed.state, TaskState::kFailed);
  EXPECT_EQ(failed.error, "the service was restarted");
  EXPECT_EQ(failed.finished, kNoon);
  EXPECT_EQ(failed.callback, CallbackState::kPending);
  EXPECT_EQ(tasks_.Find(other_.id, waiting_upload.id)->state, TaskState::kFailed);
  EXPECT_EQ(tasks_.Find(mine_.id, done.id)->state, TaskState::kSuccess);
  const Task again = Claim();
  EXPECT_EQ(again.id, by_url.id);
  EXPECT_EQ(again.lease, 2);
  EXPECT_EQ(*tasks_.Claim(me_), std::nullopt);
}

TEST_P(TaskContractTest, TaskOfADeadNodeIsClaimedAgainWhenItsLeaseRanOut) {
  const Task task = Create(mine_), later = Create(mine_);
  EXPECT_EQ((*tasks_.Claim(elsewhere_))->id, task.id);
  clock_.Advance(elsewhere_.lease - Millis(1));
  EXPECT_EQ(Claim().id, later.id);
  EXPECT_EQ(*tasks_.Claim(me_), std::nullopt);
  clock_.Advance(Millis(1));
  const Task again = Claim();
  EXPECT_EQ(again.id, task.id);
  EXPECT_EQ(again.lease, 2);
  EXPECT_EQ(again.holder, "here");
  EXPECT_EQ(again.started, clock_.Now());
  // The node that was taken for dead comes back with its outcome.
  EXPECT_THAT(tasks_.Finish(task.id, 1, {.result = "theirs"}),
              HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_.Release(task.id, 1), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_.Finish(task.id, 2, {.result = "ours"}), IsOk());
  EXPECT_THAT(tasks_.Finish(task.id, 1, {.result = "theirs"}),
              HasCode(StatusCode::kFailedPrecondition));
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->result, "ours");
}

TEST_P(TaskContractTest, LateOutcomeCountsWhileNobodyElseClaimedTheTask) {
  const Task task = Create(mine_);
  const Task claimed = Claim();
  clock_.Advance(2 * me_.lease);
  EXPECT_THAT(tasks_.Finish(task.id, claimed.lease, {.result = "late"}), IsOk());
  EXPECT_EQ(*tasks_.Claim(elsewhere_), std::nullopt);
}

TEST_P(TaskContractTest, HeartbeatHoldsWhatTheNodeHasInHandAndNothingElse) {
  const Task task = Create(mine_), upload = Create(mine_, "", true), theirs = Create(other_);
  const AppId pass[] = {mine_.id};
  EXPECT_EQ((*tasks_.Claim(elsewhere_, pass))->id, theirs.id);
  EXPECT_EQ(Claim().id, task.id);
  EXPECT_EQ(*tasks_.Heartbeat({.node = "nobody"}), 0);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(me_.lease - Millis(1));
    EXPECT_EQ(*tasks_.Heartbeat(me_), 2);
  }
  EXPECT_EQ(tasks_.Find(mine_.id, upload.id)->held_until, clock_.Now() + me_.lease);
  const Task left = **tasks_.Claim(me_);
  EXPECT_EQ(left.id, theirs.id);  // nobody held it
  EXPECT_EQ(*tasks_.FailLostUploads("", "lost"), 0);
  EXPECT_THAT(tasks_.Finish(task.id, 1, {}), IsOk());
  EXPECT_THAT(tasks_.Finish(theirs.id, left.lease, {}), IsOk());
  EXPECT_EQ(*tasks_.Heartbeat(me_), 1);
}

TEST_P(TaskContractTest, UploadIsForTheNodeThatHoldsItAndLostWithIt) {
  const Task upload = Create(mine_, "http://example.com", true);
  EXPECT_EQ(*tasks_.Claim(elsewhere_), std::nullopt);
  EXPECT_EQ(Claim().id, upload.id);
  EXPECT_THAT(tasks_.Release(upload.id, 1), IsOk());
  EXPECT_EQ(*tasks_.Claim(elsewhere_), std::nullopt);
  EXPECT_EQ(*tasks_.FailLostUploads("elsewhere", "lost"), 0);
  clock_.Advance(me_.lease);
  EXPECT_EQ(*tasks_.Claim(elsewhere_), std::nullopt);  // waiting
  EXPECT_EQ(Claim().id, upload.id);
  clock_.Advance(me_.lease);
  EXPECT_EQ(*tasks_.Claim(elsewhere_), std::nullopt);  // or running
  EXPECT_EQ(*tasks_.ResetRunning("elsewhere"), 0);
  EXPECT_EQ(*tasks_.FailLostUploads("", "lost"), 1);
  EXPECT_EQ(tasks_.Find(mine_.id, upload.id)->error, "lost");
  EXPECT_THAT(tasks_.Finish(upload.id, 2, {}), HasCode(StatusCode::kFailedPrecondition));
  // Whoever is first tells the caller.
  EXPECT_THAT(*tasks_.ClaimCallbacks(elsewhere_, 10), SizeIs(1));
}

TEST_P(TaskContractTest, StartOfANodeLeavesTheTasksOfOthersAlone) {
  const Task left = Create(mine_), theirs = Create(mine_), own = Create(mine_);
  Create(mine_, "", true);
  EXPECT_EQ((*tasks_.Claim({.node = "dead", .lease = Millis(1)}))->id, left.id);
  EXPECT_EQ((*tasks_.Claim(elsewhere_))->id, theirs.id);
  EXPECT_EQ(Claim().id, own.id);
  clock_.Advance(Millis(1));
  EXPECT_EQ(*tasks_.FailLostUploads("elsewhere", "lost"), 0);
  EXPECT_EQ(*tasks_.ResetRunning("here"), 2);
  EXPECT_EQ(tasks_.Find(mine_.id, theirs.id)->state, TaskState::kRunning);
  EXPECT_EQ(tasks_.Find(mine_.id, left.id)->state, TaskState::kWaiting);
  EXPECT_EQ(tasks_.Find(mine_.id, own.id)->holder, "");
  EXPECT_THAT(tasks_.Finish(theirs.id, 1, {}), IsOk());
}

TEST_P(TaskContractTest, CallbackIsMadeByOneNodeAndByAnotherWhenThatOneIsGone) {
  const Task task = Create(mine_, "http://one.example");
  const Task claimed = Claim();
  ASSERT_THAT(tasks_.Finish(task.id, claimed.lease, {.result = "r"}), IsOk());
  EXPECT_THAT(*tasks_.ClaimCallbacks(elsewhere_, 10), IsEmpty());
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), SizeIs(1));
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), SizeIs(1));  // until it is noted
  clock_.Advance(me_.lease);
  const std::vector<Task> taken = *tasks_.ClaimCallbacks(elsewhere_, 10);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].holder, "elsewhere");
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), IsEmpty());
  EXPECT_THAT(tasks_.NoteCallback(task.id, {}), IsOk());
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->holder, "");
}

TEST_P(TaskContractTest, NodesHaveNamesAndLeasesSomeTime) {
  for (const TaskHolder& wrong :
       {TaskHolder{}, TaskHolder{.node = std::string(kMaxNodeName + 1, 'x')},
        TaskHolder{.node = "x", .lease = Millis(0)}}) {
    EXPECT_THAT(tasks_.Claim(wrong), HasCode(StatusCode::kInvalidArgument));
    EXPECT_THAT(tasks_.Heartbeat(wrong), HasCode(StatusCode::kInvalidArgument));
    EXPECT_THAT(tasks_.ClaimCallbacks(wrong, 1), HasCode(StatusCode::kInvalidArgument));
    EXPECT_THAT(tasks_.Create({.app_id = mine_.id, .upload_holder = wrong}),
                HasCode(StatusCode::kInvalidArgument));
  }
}

TEST_P(TaskContractTest, ExpiredTaskIsNotFoundWhetherOrNotItWasSwept) {
  const Task waiting = Create(mine_, "http://example.com");
  const Task running = Create(mine_, "http://example.com");
  const Task done = Create(mine_, "http://example.com");
  const AppId nobody[] = {0};
  ASSERT_EQ((*tasks_.Claim(me_, nobody))->id, waiting.id);
  const Task claimed = Claim();
  const Task finishing = Claim();
  ASSERT_EQ(finishing.id, done.id);
  ASSERT_THAT(tasks_.Finish(done.id, finishing.lease, {.result = "r"}), IsOk());
  ASSERT_THAT(tasks_.Release(waiting.id, 1), IsOk());

  clock_.Advance(kTaskLifetime - Millis(1));
  EXPECT_THAT(tasks_.Find(mine_.id, done.id), IsOk());
  EXPECT_EQ(*tasks_.RemoveExpired(100), 0);
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), SizeIs(1));
  const Task young = Create(mine_);
  clock_.Advance(Millis(1));
  for (const TaskId id : {waiting.id, running.id, done.id}) {
    EXPECT_THAT(tasks_.Find(mine_.id, id), HasCode(StatusCode::kNotFound));
    EXPECT_THAT(tasks_.Remove(mine_.id, id), HasCode(StatusCode::kNotFound));
  }
  EXPECT_THAT(tasks_.Finish(running.id, claimed.lease, {}), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.Release(running.id, claimed.lease), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.NoteCallback(done.id, {}), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.Cancel({}, running.id, {.state = TaskState::kFailed}),
              HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.TellAgain({}, done.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(*tasks_.ClaimCallbacks(me_, 10), IsEmpty());
  EXPECT_EQ(*tasks_.Count(), (TaskCounts{.waiting = 1}));
  EXPECT_EQ(Claim().id, young.id);
  EXPECT_EQ(*tasks_.Claim(me_), std::nullopt);

  EXPECT_EQ(*tasks_.RemoveExpired(2), 2);
  EXPECT_EQ(*tasks_.RemoveExpired(2), 1);
  EXPECT_EQ(*tasks_.RemoveExpired(2), 0);
  EXPECT_THAT(tasks_.RemoveExpired(0), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(tasks_.Find(mine_.id, young.id), IsOk());
}

TEST_P(TaskContractTest, RemovedTaskIsGoneForItsOwnerOnly) {
  const Task task = Create(mine_);
  EXPECT_THAT(tasks_.Remove(other_.id, task.id), HasCode(StatusCode::kNotFound));
  EXPECT_THAT(tasks_.Find(mine_.id, task.id), IsOk());
  EXPECT_THAT(tasks_.Remove(mine_.id, task.id), IsOk());
  EXPECT_THAT(tasks_.Find(mine_.id, task.id), HasCode(StatusCode::kNotFound));
  EXPECT_EQ(*tasks_.Claim(me_), std::nullopt);
}

TEST_P(TaskContractTest, SizesAreBounded) {
  NewTask wanted{.app_id = mine_.id, .request = std::string(kMaxTaskRequest, 'x')};
  EXPECT_THAT(tasks_.Create(wanted), IsOk());
  wanted.request += 'x';
  EXPECT_THAT(tasks_.Create(wanted), HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(
      tasks_.Create({.app_id = mine_.id, .callback_url = std::string(kMaxTaskText + 1, 'x')}),
      HasCode(StatusCode::kInvalidArgument));
  const Task task = Claim();
  TaskOutcome outcome{.result = std::string(kMaxTaskResult + 1, 'x')};
  EXPECT_THAT(tasks_.Finish(task.id, task.lease, outcome), HasCode(StatusCode::kResourceExhausted));
  outcome.result.resize(1 << 22);
  EXPECT_THAT(tasks_.Finish(task.id, task.lease, outcome), IsOk());
  EXPECT_EQ(tasks_.Find(mine_.id, task.id)->result.size(), outcome.result.size());
}

TEST_P(TaskContractTest, WorkersAtOnceNeverGetTheSameTask) {
  constexpr int kTasks = 60;
  for (int i = 0; i < kTasks; ++i) Create(mine_);
  Mutex mutex;
  std::multiset<TaskId> claimed;
  std::atomic<int> finished = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&, i] {
      for (;;) {
        const auto task = tasks_.Claim({.node = "node " + std::to_string(i)});
        ASSERT_THAT(task, IsOk());
        if (!*task) return;
        if (tasks_.Finish((*task)->id, (*task)->lease, {}).ok()) ++finished;
        const MutexLock lock(mutex);
        claimed.insert((*task)->id);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(claimed.size(), static_cast<std::size_t>(kTasks));
  EXPECT_EQ(std::set<TaskId>(claimed.begin(), claimed.end()).size(), claimed.size());
  EXPECT_EQ(finished, kTasks);
}

}  // namespace
}  // namespace lethe
