// Goal: what is asked of a task that is there ends truthfully, whatever happens to it meanwhile: it
// is counted once, its recording goes, its caller is told, and nothing is promised that cannot be
// had. Method: as recording_tasks_test.cc.

#include <gmock/gmock.h>

#include "service/internal/recording_task_request.h"
#include "service/internal/task_outcome.h"
#include "store/directory_objects.h"
#include "tests/support/recording_tasks_fixture.h"
#include "tests/support/test_server.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RecordingTaskActionsTest : public RecordingTasksTest {
 protected:
  TaskView See(TaskId id) {
    const auto views = tasks_->List({.task = id});
    EXPECT_THAT(views.status(), IsOk());
    EXPECT_THAT(views->tasks, SizeIs(1));
    return views->tasks.at(0);
  }

  std::vector<std::string> Codes() {
    Counted();
    std::vector<std::string> codes;
    for (const FinishedCall& row : Rows()) codes.push_back(row.result_code);
    return codes;
  }

  // One whose recording, and whose caller, nobody may fetch and tell.
  Task Fetched(const std::string& callback = "") {
    return *records_->tasks().Create(
        {.app_id = application_.id,
         .request_id = "fetched",
         .engine = "16k_en",
         .request = WriteTaskRequest(
             {.engine = "16k_en", .url = "http://127.0.0.1:1/talk.wav?key=secret"}),
         .callback_url = callback});
  }

  std::atomic<bool> is_running_ = false, is_gone_ = false;

  // A task that is transcribed, and whose end the store does not hear of before it is gone.
  TaskId SubmitAndHoldItsEnd(Millis poll) {
    store_.flaky.on_finish = [&](int, TaskId, int, const TaskOutcome&) -> std::optional<Status> {
      is_running_ = true;
      while (!is_gone_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return std::nullopt;
    };
    Start({.node = me_, .num_workers = 1, .poll = poll});
    const TaskId id = Submit();
    while (!is_running_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return id;
  }

  void WaitForCallback(TaskId id) {
    while (See(id).callback->state == CallbackState::kPending) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  // A process of this node, in place of the one before.
  void StartTelling(OutboundClient& outbound) {
    tasks_.reset();
    tasks_.emplace(
        RecordingTasks::Parts{store_, engines_, recognizer_, word_lists_, outbound, meter_, clock_},
        RecordingTaskOptions{.node = me_, .num_workers = 1, .poll = Millis(10)});
  }

  TaskId SubmitWithCallback(AppId application, const std::string& callback) {
    const auto id = tasks_->Submit(
        application, "request", {.engine = "16k_en", .callback_url = callback}, LoudRecording(10));
    EXPECT_THAT(id.status(), IsOk());
    return id.ok() ? *id : 0;
  }
};

TEST_F(RecordingTaskActionsTest, WaitingTaskIsCancelledOnceAndCountedOnce) {
  Start({.node = me_, .num_workers = 0, .max_upload_memory = 3 * LoudRecording(10).size() / 2});
  const TaskId id = Submit();
  EXPECT_TRUE(See(id).can_cancel);
  EXPECT_THAT(tasks_->Cancel(application_.id + 1, id).status(), HasCode(StatusCode::kNotFound));
  for (int i = 0; i < 2; ++i) {
    const auto cancelled = tasks_->Cancel(application_.id, id);
    ASSERT_THAT(cancelled.status(), IsOk());
    EXPECT_EQ(cancelled->state, TaskState::kFailed);
    EXPECT_EQ(cancelled->error_code, "cancelled");
    EXPECT_THAT(cancelled->error, HasSubstr("cancelled on request"));
    EXPECT_FALSE(cancelled->can_cancel);
    EXPECT_FALSE(cancelled->can_try_again);
  }
  // Its upload is in no memory any more.
  const TaskId next = Submit();
  EXPECT_NE(next, 0U);
  const Status again = tasks_->RequestOf(application_.id, id).status();
  EXPECT_THAT(again, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(again.message(), HasSubstr("uploaded"));
  ASSERT_THAT(Codes(), ElementsAre("cancelled"));
  EXPECT_FALSE(Rows().front().server_fault);
}

TEST_F(RecordingTaskActionsTest, TaskThatIsCancelledWhileItRunsHasNoOtherEnd) {
  store_.flaky.on_finish = [&](int calls, TaskId id, int,
                               const TaskOutcome&) -> std::optional<Status> {
    if (calls == 0) {
      EXPECT_THAT(tasks_->Cancel({}, id).status(), IsOk());
    }
    return std::nullopt;
  };
  Start({.node = me_, .num_workers = 1, .poll = Millis(10)});
  const Task task = Fetched();
  WaitForEnd(task.id);
  EXPECT_THAT(Codes(), ElementsAre("cancelled"));
  EXPECT_EQ(See(task.id).error_code, "cancelled");
}

TEST_F(RecordingTaskActionsTest, TaskThatIsCancelledAndErasedWhileItRunsIsCountedOnce) {
  store_.flaky.on_finish = [&](int calls, TaskId id, int,
                               const TaskOutcome&) -> std::optional<Status> {
    if (calls == 0) {
      EXPECT_THAT(tasks_->Cancel({}, id).status(), IsOk());
      tasks_->GiveUp(id);
      EXPECT_THAT(records_->tasks().Remove(application_.id, id), IsOk());
    }
    return std::nullopt;
  };
  Start();
  const TaskId id = Submit();
  while (records_->tasks().Find(application_.id, id).ok()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_THAT(Codes(), ElementsAre("cancelled"));
}

TEST_F(RecordingTaskActionsTest, TaskThatIsErasedWhileItIsBeingCancelledIsCountedOnce) {
  store_.flaky.on_cancel = [&](int calls, TaskId id,
                               const TaskOutcome& outcome) -> std::optional<Status> {
    if (calls > 0) return std::nullopt;
    EXPECT_THAT(records_->tasks().Cancel({}, id, outcome).status(), IsOk());
    // Whoever looks after what others took from us sees it in this state, too.
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    EXPECT_THAT(records_->tasks().Remove(application_.id, id), IsOk());
    // Whoever transcribes it finds it gone, and the one who cancels it does not know yet.
    is_gone_ = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return Unavailable("no answer");
  };
  const TaskId id = SubmitAndHoldItsEnd(Millis(10));
  // That it was cancelled is not known, and it is counted as any that was erased.
  EXPECT_THAT(tasks_->Cancel({}, id).status(), HasCode(StatusCode::kNotFound));
  EXPECT_EQ(Counted(), 1U);
}

TEST_F(RecordingTaskActionsTest, TaskThatAnotherNodeCancelledAndThatIsErasedIsTheirsToCount) {
  store_.flaky.on_cancel = [&](int calls, TaskId id, const TaskOutcome&) -> std::optional<Status> {
    if (calls > 0) return std::nullopt;
    EXPECT_THAT(records_->tasks().Cancel({}, id, CancelledOutcome()).status(), IsOk());
    return std::nullopt;
  };
  // Whoever looks after what others took from us does not come by: that we are refused must do.
  const TaskId id = SubmitAndHoldItsEnd(Millis(60'000));
  const auto cancelled = tasks_->Cancel({}, id);
  ASSERT_THAT(cancelled.status(), IsOk());
  EXPECT_EQ(cancelled->error_code, "cancelled");
  EXPECT_THAT(records_->tasks().Remove(application_.id, id), IsOk());
  is_gone_ = true;
  EXPECT_EQ(Counted(), 0U);
}

TEST_F(RecordingTaskActionsTest, TaskThatWasCancelledWithoutAnAnswerIsCountedOnce) {
  store_.flaky.on_cancel = [&](int calls, TaskId id,
                               const TaskOutcome& outcome) -> std::optional<Status> {
    if (calls > 0) return std::nullopt;
    EXPECT_THAT(records_->tasks().Cancel({}, id, outcome).status(), IsOk());
    return Unavailable("the connection broke during the commit");
  };
  Start({.node = me_, .num_workers = 0, .poll = Millis(10)});
  const TaskId id = Submit();
  const auto cancelled = tasks_->Cancel({}, id);
  ASSERT_THAT(cancelled.status(), IsOk());
  EXPECT_EQ(cancelled->error_code, "cancelled");
  EXPECT_THAT(tasks_->Cancel({}, id).status(), IsOk());
  EXPECT_THAT(Codes(), ElementsAre("cancelled"));
}

TEST_F(RecordingTaskActionsTest, TaskThatSomebodyElseCancelledMeanwhileIsTheirsToCount) {
  store_.flaky.on_cancel = [&](int calls, TaskId id, const TaskOutcome&) -> std::optional<Status> {
    if (calls > 0) return std::nullopt;
    EXPECT_THAT(records_->tasks().Cancel({}, id, CancelledOutcome()).status(), IsOk());
    return Unavailable("no answer");
  };
  Start({.node = me_, .num_workers = 0, .poll = Millis(10)});
  EXPECT_THAT(tasks_->Cancel({}, Submit()).status(), IsOk());
  EXPECT_EQ(Counted(), 0U);
}

TEST_F(RecordingTaskActionsTest, CancelEndsWhenTheStoreDoesNotAnswerForLong) {
  store_.flaky.on_cancel = [](int, TaskId, const TaskOutcome&) -> std::optional<Status> {
    return Unavailable("no answer");
  };
  Start({.node = me_, .num_workers = 0, .poll = Millis(1)});
  const TaskId id = Submit();
  EXPECT_THAT(tasks_->Cancel({}, id).status(), HasCode(StatusCode::kUnavailable));
  EXPECT_TRUE(See(id).can_cancel);
}

TEST_F(RecordingTaskActionsTest, TaskThatEndedIsNotCancelled) {
  Start();
  const TaskId id = Submit();
  WaitForEnd(id);
  const Status late = tasks_->Cancel({}, id).status();
  EXPECT_THAT(late, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(late.message(), HasSubstr("success"));
  EXPECT_THAT(tasks_->RequestOf({}, id).status(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(tasks_->TellAgain({}, id).status(), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(Codes(), ElementsAre("success"));
}

TEST_F(RecordingTaskActionsTest, OutcomeOfATaskThatWasCancelledElsewhereIsRefusedAndNotCounted) {
  store_.flaky.on_finish = [&](int, TaskId id, int, const TaskOutcome&) -> std::optional<Status> {
    EXPECT_THAT(records_->tasks().Cancel({}, id, {.state = TaskState::kFailed}).status(), IsOk());
    return std::nullopt;
  };
  Start();
  EXPECT_EQ(WaitForEnd(Submit()).state, TaskState::kFailed);
  // Whoever cancelled it counts it.
  EXPECT_EQ(Counted(), 0U);
}

TEST_F(RecordingTaskActionsTest, WhatIsCancelledElsewhereStopsHereSoon) {
  // A recording that never comes to its end.
  const TestServer server([](TestConnection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nRIFF");
    connection.WaitUntilTheOtherEndCloses();
  });
  OutboundClient outbound(*AddressRules::Create({.allow = {"127.0.0.1/32"}}));
  tasks_.emplace(
      RecordingTasks::Parts{store_, engines_, recognizer_, word_lists_, outbound, meter_, clock_},
      RecordingTaskOptions{.node = me_, .num_workers = 1, .poll = Millis(10)});
  const auto id = tasks_->Submit(application_.id, "request",
                                 {.engine = "16k_en", .url = server.Url("/endless.wav")}, "");
  ASSERT_THAT(id.status(), IsOk());
  while (server.num_connections() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_THAT(records_->tasks().Cancel({}, *id, {.state = TaskState::kFailed}).status(), IsOk());
  // The only worker has its hands free again.
  EXPECT_EQ(WaitForEnd(Submit()).state, TaskState::kSuccess);
  EXPECT_THAT(Codes(), ElementsAre("success"));
  tasks_.reset();
}

TEST_F(RecordingTaskActionsTest, StoredRecordingOfACancelledTaskIsRemovedAtOnce) {
  const TestFolder folder;
  const auto objects = *OpenDirectoryObjects(folder / "objects");
  Recordings recordings(*objects, records_.keyring().sealer(), clock_);
  tasks_.emplace(RecordingTasks::Parts{store_, engines_, recognizer_, word_lists_, outbound_,
                                       meter_, clock_, &recordings},
                 RecordingTaskOptions{.node = me_, .num_workers = 0});
  const TaskId id = Submit();
  const auto files = [&] {
    int count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "objects")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(files(), 1);
  ASSERT_THAT(tasks_->Cancel({}, id).status(), IsOk());
  EXPECT_EQ(files(), 0);
  EXPECT_TRUE(records_->tasks().ObjectsToRemove(10)->empty());
  // What began is told first.
  ASSERT_THAT(records_->journal().Settle(*records_->journal().Pending(100), 0), IsOk());
  bool is_told = false;
  const std::vector<JournalEntry> entries = *records_->journal().Pending(100);
  for (const JournalEntry& entry : entries) {
    is_told = is_told ||
              (entry.leaf.kind == LeafKind::kErased && entry.leaf.data_class == DataClass::kAudio &&
               entry.leaf.cause == ErasureCause::kTaskEnded);
  }
  EXPECT_TRUE(is_told);
  EXPECT_THAT(tasks_->RequestOf({}, id).status(), HasCode(StatusCode::kFailedPrecondition));
}

TEST_F(RecordingTaskActionsTest, RequestOfAFailedFetchCanBeSubmittedAgain) {
  Start();
  const Task task = Fetched("http://127.0.0.1:1/done");
  EXPECT_THAT(tasks_->RequestOf(application_.id + 1, task.id).status(),
              HasCode(StatusCode::kNotFound));
  WaitForEnd(task.id);
  const TaskView failed = See(task.id);
  EXPECT_TRUE(failed.is_fetched);
  EXPECT_TRUE(failed.can_try_again);
  EXPECT_EQ(failed.error_code, "FailedOperation.ErrorDownFile");
  EXPECT_EQ(failed.error.find("secret"), std::string::npos) << failed.error;
  const auto former = tasks_->RequestOf(application_.id, task.id);
  ASSERT_THAT(former.status(), IsOk());
  EXPECT_EQ(former->app_id, application_.id);
  EXPECT_EQ(former->request.engine, "16k_en");
  EXPECT_EQ(former->request.url, "http://127.0.0.1:1/talk.wav?key=secret");
  EXPECT_EQ(former->request.callback_url, "http://127.0.0.1:1/done");
}

TEST_F(RecordingTaskActionsTest, CallbackShowsItsHostAndWhyItWasInVainAndIsMadeAgain) {
  Start();
  const Task task = Fetched("http://127.0.0.1:1/done?token=secret");
  WaitForEnd(task.id);
  WaitForCallback(task.id);
  TaskView told = See(task.id);
  EXPECT_EQ(told.callback->host, "127.0.0.1");
  EXPECT_EQ(told.callback->state, CallbackState::kGivenUp);
  EXPECT_EQ(told.callback->attempts, 1);  // what the rules refuse is not tried again
  EXPECT_NE(told.callback->outcome, "");
  EXPECT_EQ(told.callback->outcome.find("secret"), std::string::npos) << told.callback->outcome;
  EXPECT_EQ(told.callback->tried, clock_.Now());
  EXPECT_TRUE(told.can_tell_again);
  EXPECT_THAT(tasks_->TellAgain(application_.id + 1, task.id).status(),
              HasCode(StatusCode::kNotFound));
  ASSERT_THAT(tasks_->TellAgain(application_.id, task.id).status(), IsOk());
  WaitForCallback(task.id);
  EXPECT_EQ(See(task.id).callback->attempts, 2);
}

TEST_F(RecordingTaskActionsTest, CallbackInVainIsMadeOnceMoreAtItsTimeByAnotherProcessToo) {
  const TestServer server([&](TestConnection& connection) {
    connection.ReadRequest();
    connection.Answer("500 Oops", "", "");
  });
  OutboundClient outbound(*AddressRules::Create({.allow = {"127.0.0.1/32"}}));
  for (const bool restarted : {false, true}) {
    const int before = server.num_connections();
    StartTelling(outbound);
    const auto id = SubmitWithCallback(application_.id, server.Url("/done"));
    while (See(id).callback->attempts == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const Task vain = *records_->tasks().Find(application_.id, id);
    EXPECT_EQ(vain.callback, CallbackState::kPending);
    EXPECT_EQ(vain.callback_outcome, "receiver answered HTTP 500");
    EXPECT_EQ(vain.callback_next, clock_.Now() + std::chrono::seconds(5));
    if (restarted) StartTelling(outbound);
    clock_.Advance(std::chrono::seconds(5));
    WaitForCallback(id);
    const Task given_up = *records_->tasks().Find(application_.id, id);
    EXPECT_EQ(given_up.callback, CallbackState::kGivenUp);
    EXPECT_EQ(given_up.callback_attempts, 2);
    EXPECT_EQ(given_up.callback_next, std::nullopt);
    EXPECT_EQ(server.num_connections(), before + 2);
  }
  tasks_.reset();
}

TEST_F(RecordingTaskActionsTest, ReceiverThatDoesNotAnswerKeepsNoOtherApplicationWaiting) {
  std::atomic<bool> answers = false;
  const TestServer silent([&](TestConnection& connection) {
    connection.ReadRequest();
    while (!answers) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    connection.Answer("200 OK", "", R"({"code":0})");
  });
  const TestServer good([](TestConnection& connection) {
    connection.ReadRequest();
    connection.Answer("200 OK", "", R"({"code":0})");
  });
  OutboundClient outbound(*AddressRules::Create({.allow = {"127.0.0.1/32"}}));
  StartTelling(outbound);
  const Application other = *records_->applications().Create({.name = "other"});
  std::vector<TaskId> waiting;
  for (int i = 0; i < 12; ++i) {
    waiting.push_back(SubmitWithCallback(application_.id, silent.Url("/done")));
  }
  while (silent.num_connections() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const TaskId told = SubmitWithCallback(other.id, good.Url("/done"));
  while (records_->tasks().Find(other.id, told)->callback != CallbackState::kDelivered) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (const TaskId id : waiting) {
    EXPECT_NE(See(id).callback->state, CallbackState::kDelivered);
    EXPECT_NE(See(id).callback->state, CallbackState::kGivenUp);
  }
  answers = true;
  for (const TaskId id : waiting) {
    while (See(id).callback->state != CallbackState::kDelivered) {
      // Those that a slow machine let run out of time have their pause.
      clock_.Advance(std::chrono::milliseconds(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  tasks_.reset();
}

TEST_F(RecordingTaskActionsTest, AttemptThatTheEndCutShortIsCountedAndMadeByTheNextProcess) {
  // A receiver that answers no request, until somebody lets it.
  std::atomic<bool> answers = false;
  const TestServer server([&](TestConnection& connection) {
    connection.ReadRequest();
    if (answers) {
      connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"code\":0}");
    } else {
      connection.WaitUntilTheOtherEndCloses();
    }
  });
  OutboundClient outbound(*AddressRules::Create({.allow = {"127.0.0.1/32"}}));
  StartTelling(outbound);
  const TaskId id = SubmitWithCallback(application_.id, server.Url("/done"));
  while (server.num_connections() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  tasks_.reset();
  Task task = *records_->tasks().Find(application_.id, id);
  EXPECT_EQ(task.callback, CallbackState::kPending);
  EXPECT_EQ(task.callback_attempts, 1);
  EXPECT_EQ(task.callback_next, std::nullopt);
  answers = true;
  StartTelling(outbound);
  WaitForCallback(id);
  task = *records_->tasks().Find(application_.id, id);
  EXPECT_EQ(task.callback, CallbackState::kDelivered);
  EXPECT_EQ(task.callback_attempts, 2);
  EXPECT_EQ(task.callback_outcome, "");
  tasks_.reset();
}

TEST(TaskOutcomeTest, TextIsCutBetweenCharacters) {
  EXPECT_EQ(CutText("grün", 4), "grü");
  EXPECT_EQ(CutText("grün", 3), "gr");
  EXPECT_EQ(CutText("grün", 5), "grün");
  EXPECT_EQ(CutText("\xf0\x9f\x99\x82", 3), "");
  EXPECT_EQ(CutText("", 0), "");
}

}  // namespace
}  // namespace lethe
