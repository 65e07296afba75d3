// Goal: an outcome is written once and counted once, whatever the records do meanwhile: not answer,
// take what they do not confirm, give the task to another node, or refuse the result. Method:
// recordings whose words are their loudness (tests/support/fake_models.h), and records
// that fail where a test wants it.

#include "service/recording_tasks.h"

#include <atomic>
#include <functional>
#include <thread>

#include <gmock/gmock.h>

#include "audio/media_decoder.h"
#include "engine/hot_words.h"
#include "service/internal/recording_task_request.h"
#include "tests/support/fake_models.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;

// Tasks of another store, some of whose calls do what the test says.
class FlakyTasks : public Tasks {
 public:
  explicit FlakyTasks(Tasks& inner) : inner_(inner) {}

  /// In place of Finish(), called with how often it was called before; nothing: the real one.
  std::function<std::optional<Status>(int calls, TaskId, int lease, const TaskOutcome&)> on_finish;
  std::atomic<bool> dead = false;  // whether the start is answered

  Result<Task> Create(const NewTask& wanted) override { return inner_.Create(wanted); }
  Result<Task> Find(AppId app_id, TaskId id) override { return inner_.Find(app_id, id); }
  Result<std::vector<BegunItem>> Begun(AppId app_id, TaskId id) override {
    return inner_.Begun(app_id, id);
  }
  Result<std::optional<Task>> Claim(const TaskHolder& me,
                                    std::span<const AppId> passed_over) override {
    return inner_.Claim(me, passed_over);
  }
  Result<int> Heartbeat(const TaskHolder& me) override {
    ++heartbeats;
    return inner_.Heartbeat(me);
  }
  Status Release(TaskId id, int lease) override { return inner_.Release(id, lease); }
  Status Finish(TaskId id, int lease, const TaskOutcome& outcome) override {
    if (on_finish) {
      if (auto status = on_finish(finishes++, id, lease, outcome)) return *status;
    }
    return inner_.Finish(id, lease, outcome);
  }
  Result<int> ResetRunning(std::string_view node, std::span<const TaskId> in_hand) override {
    if (dead) return Unavailable("no answer");
    return inner_.ResetRunning(node, in_hand);
  }
  Result<int> FailLostUploads(std::string_view node, std::string_view message) override {
    return inner_.FailLostUploads(node, message);
  }
  Result<std::vector<Task>> ClaimCallbacks(const TaskHolder& me, int limit) override {
    return inner_.ClaimCallbacks(me, limit);
  }
  Status NoteCallback(TaskId id, CallbackState next) override {
    return inner_.NoteCallback(id, next);
  }
  Result<TaskCounts> Count() override { return inner_.Count(); }
  Status Remove(AppId app_id, TaskId id) override { return inner_.Remove(app_id, id); }
  Result<std::vector<ErasedTask>> Erase(const TaskSelector& selector, ErasureCause cause,
                                        int limit) override {
    return inner_.Erase(selector, cause, limit);
  }
  Result<std::vector<ObjectOfTask>> ObjectsToRemove(int limit, TaskId after,
                                                    std::optional<AppId> within) override {
    return inner_.ObjectsToRemove(limit, after, within);
  }
  Status ObjectIsGone(TaskId id) override { return inner_.ObjectIsGone(id); }
  Result<int> RemoveExpired(int limit) override { return inner_.RemoveExpired(limit); }

  std::atomic<int> finishes = 0;
  std::atomic<int> heartbeats = 0;

 private:
  Tasks& inner_;
};

class FlakyStore : public Store {
 public:
  explicit FlakyStore(Store& inner) : flaky(inner.tasks()), inner_(inner) {}
  Applications& applications() override { return inner_.applications(); }
  Keys& keys() override { return inner_.keys(); }
  Vocabularies& vocabularies() override { return inner_.vocabularies(); }
  Journal& journal() override { return inner_.journal(); }
  OperationLog& operation_log() override { return inner_.operation_log(); }
  RetentionPeriods& retention_periods() override { return inner_.retention_periods(); }
  Consents& consents() override { return inner_.consents(); }
  Cancellations& cancellations() override { return inner_.cancellations(); }
  Holdings& holdings() override { return inner_.holdings(); }
  Result<std::string> RecordingsPlace() override { return inner_.RecordingsPlace(); }
  Status UseRecordingsPlace(const std::string& mark) override {
    return inner_.UseRecordingsPlace(mark);
  }
  KeywordLibraries& keyword_libraries() override { return inner_.keyword_libraries(); }
  Tasks& tasks() override { return flaky; }
  Usage& usage() override { return inner_.usage(); }

  FlakyTasks flaky;

 private:
  Store& inner_;
};

class RecordingTasksTest : public ::testing::Test {
 protected:
  RecordingTasksTest() {
    auto speech = std::make_shared<SpeechEngine>();
    auto model = std::make_shared<FakeModel>();
    speech->engine = std::make_shared<Engine>(model, std::make_shared<LoudnessActivity>(),
                                              EngineOptions{.num_threads = 1});
    speech->label = {.name = "loudness", .language = "en"};
    speech->codec = MakeTokenCodec(model->tokenizer());
    engines_.Add("16k_en", 16'000, speech);
  }

  void Start(const RecordingTaskOptions& options) {
    tasks_.emplace(RecordingTasks::Parts{store_, engines_, recognizer_, word_lists_, outbound_,
                                         meter_, clock_},
                   options);
  }
  void Start() { Start({.node = me_, .num_workers = 1}); }

  TaskId Submit() {
    const auto id =
        tasks_->Submit(application_.id, "request", {.engine = "16k_en"}, LoudRecording(10));
    EXPECT_TRUE(id.ok()) << id.status().message();
    return id.ok() ? *id : 0;
  }

  /// The task once it is finished and its worker has done with it.
  Task WaitForEnd(TaskId id) {
    for (;;) {
      const auto task = records_->tasks().Find(application_.id, id);
      if (task.ok() && task->finished) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return *records_->tasks().Find(application_.id, id);
  }

  /// How many tasks were counted as used, once all has ended.
  std::uint64_t Counted() {
    tasks_->Stop();
    meter_.Flush();
    const auto today = std::chrono::floor<std::chrono::days>(clock_.Now() + std::chrono::hours(8));
    std::uint64_t calls = 0;
    const std::vector<DayUsage> days =
        *records_->usage().ByDay({.app_id = application_.id, .first = today, .last = today});
    for (const DayUsage& day : days) {
      calls += day.calls + day.failed;
    }
    return calls;
  }

  std::vector<FinishedCall> Rows() {
    std::vector<FinishedCall> rows;
    const WallTime now = clock_.Now();
    const CallQuery query{.app_id = application_.id,
                          .begin = now - std::chrono::hours(1),
                          .end = now + std::chrono::hours(1)};
    EXPECT_TRUE(records_->usage()
                    .Calls(query,
                           [&](const FinishedCall& call) {
                             rows.push_back(call);
                             return OkStatus();
                           })
                    .ok());
    return rows;
  }

  const TaskHolder me_{.node = "here", .lease = std::chrono::seconds(30)};
  ManualClock clock_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24))};
  const TestStore records_{clock_};
  const Application application_ = *records_->applications().Create({.name = "test"});
  FlakyStore store_{*records_};
  EngineCatalog engines_;
  Recognizer recognizer_{InProcessMediaDecoder()};
  WordLists word_lists_{records_->vocabularies()};
  OutboundClient outbound_{*AddressRules::Create({})};
  Meter meter_{records_->usage()};
  std::optional<RecordingTasks> tasks_;
};

TEST_F(RecordingTasksTest, WhatWasAcceptedOfAPersonWhoWithdrawsIsNeitherHeardNorTold) {
  Consents& consents = records_->consents();
  const std::string subject = *consents.Pseudonym(application_.id, "ann");
  Start({.node = me_, .num_workers = 0});
  const auto id = tasks_->Submit(application_.id, "request",
                                 {.engine = "16k_en",
                                  .url = "http://recordings.example/1.wav",
                                  .callback_url = "http://callbacks.example/"},
                                 "", subject);
  ASSERT_TRUE(id.ok()) << id.status().message();
  // The erasure that belongs to it did not come through.
  ASSERT_TRUE(consents.Withdraw(application_.id, "ann", ConsentPurpose::kTranscription).ok());
  tasks_.reset();
  Start();
  const Task task = WaitForEnd(*id);
  EXPECT_EQ(task.state, TaskState::kFailed);
  EXPECT_NE(task.error.find("withdrawn"), std::string::npos) << task.error;
  while (records_->tasks().Find(application_.id, *id)->callback == CallbackState::kPending) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(records_->tasks().Find(application_.id, *id)->callback, CallbackState::kGivenUp);
}

TEST_F(RecordingTasksTest, OutcomeWaitsForRecordsThatDoNotAnswer) {
  store_.flaky.on_finish = [](int calls, auto&&...) -> std::optional<Status> {
    if (calls < 2) return Unavailable("no answer");
    return std::nullopt;
  };
  Start();
  EXPECT_EQ(WaitForEnd(Submit()).state, TaskState::kSuccess);
  EXPECT_EQ(Counted(), 1U);
  EXPECT_EQ(store_.flaky.finishes, 3);
}

TEST_F(RecordingTasksTest, OutcomeThatWasWrittenWithoutAnAnswerIsCountedOnce) {
  store_.flaky.on_finish = [&](int calls, TaskId id, int lease,
                               const TaskOutcome& outcome) -> std::optional<Status> {
    if (calls > 0) return std::nullopt;
    EXPECT_TRUE(records_->tasks().Finish(id, lease, outcome).ok());
    return Unavailable("the connection broke during the commit");
  };
  Start();
  WaitForEnd(Submit());
  while (store_.flaky.finishes < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(Counted(), 1U);
}

TEST_F(RecordingTasksTest, OutcomeOfATaskThatSomebodyElseClaimedIsDroppedAndNotCounted) {
  for (const bool answered : {true, false}) {
    store_.flaky.finishes = 0;
    store_.flaky.on_finish = [&](int calls, TaskId id, int lease,
                                 const TaskOutcome&) -> std::optional<Status> {
      if (calls > 0) return std::nullopt;
      // The node slept, its upload was given up, and that was told.
      EXPECT_TRUE(records_->tasks().Release(id, lease).ok());
      EXPECT_EQ((*records_->tasks().Claim(me_))->lease, lease + 1);
      EXPECT_TRUE(records_->tasks().Finish(id, lease + 1, {.result = "theirs"}).ok());
      if (answered) return std::nullopt;
      return Unavailable("no answer");
    };
    Start();
    EXPECT_EQ(WaitForEnd(Submit()).result, "theirs");
    while (store_.flaky.finishes < (answered ? 1 : 2)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(Counted(), 0U);
  }
}

TEST_F(RecordingTasksTest, ResultThatTheRecordsDoNotTakeIsAFailureThatSaysSo) {
  store_.flaky.on_finish = [](int, TaskId, int,
                              const TaskOutcome& outcome) -> std::optional<Status> {
    if (outcome.state == TaskState::kFailed) return std::nullopt;
    return ResourceExhausted("larger than the database takes");
  };
  Start();
  const Task task = WaitForEnd(Submit());
  EXPECT_EQ(task.state, TaskState::kFailed);
  EXPECT_THAT(task.error, HasSubstr("larger than the database takes"));
  EXPECT_EQ(Counted(), 1U);
}

TEST_F(RecordingTasksTest, RowsSayWhoseFaultAFailureWas) {
  Start();
  WaitForEnd(Submit());
  WaitForEnd(*tasks_->Submit(application_.id, "broken", {.engine = "16k_en"}, "no audio at all"));
  // Whose upload is in no memory.
  const Task lost = *records_->tasks().Create(
      {.app_id = application_.id, .request = WriteTaskRequest({.engine = "16k_en"})});
  WaitForEnd(lost.id);
  EXPECT_EQ(Counted(), 3U);
  std::vector<std::pair<std::string, bool>> ends;
  for (const FinishedCall& row : Rows()) ends.emplace_back(row.result_code, row.server_fault);
  EXPECT_THAT(ends, testing::ElementsAre(std::pair("success", false),
                                         std::pair("FailedOperation.ErrorRecognize", false),
                                         std::pair("InternalError.ErrorRecognize", true)));
}

TEST_F(RecordingTasksTest, ARowBeginsWhenTheTaskWasAskedFor) {
  const Task waiting =
      *records_->tasks().Create({.app_id = application_.id, .request = "a former process's"});
  clock_.Advance(std::chrono::minutes(3));
  Start();
  WaitForEnd(waiting.id);
  EXPECT_EQ(Counted(), 1U);
  EXPECT_EQ(Rows().front().start, waiting.created);
  EXPECT_EQ(Rows().front().end, waiting.created + std::chrono::minutes(3));
}

TEST_F(RecordingTasksTest, NothingIsAcceptedBeforeWhatAFormerProcessLeftIsTakenUp) {
  const Task left =
      *records_->tasks().Create({.app_id = application_.id, .engine = "16k_en", .request = "{}"});
  ASSERT_TRUE((*records_->tasks().Claim(me_)).has_value());
  store_.flaky.dead = true;
  Start();
  EXPECT_EQ(tasks_->Submit(application_.id, "request", {.engine = "16k_en"}, LoudRecording(10))
                .status()
                .code(),
            StatusCode::kUnavailable);
  EXPECT_EQ(store_.flaky.heartbeats, 0);
  store_.flaky.dead = false;
  EXPECT_EQ(WaitForEnd(left.id).lease, 2);
  EXPECT_EQ(WaitForEnd(Submit()).state, TaskState::kSuccess);
}

TEST_F(RecordingTasksTest, UploadThatWasGivenUpGivesItsMemoryBack) {
  Start({.node = me_, .num_workers = 0, .max_upload_memory = 3 * LoudRecording(10).size() / 2});
  const TaskId first = Submit();
  const auto submit = [&] {
    return tasks_->Submit(application_.id, "request", {.engine = "16k_en"}, LoudRecording(10))
        .status();
  };
  EXPECT_EQ(submit().code(), StatusCode::kResourceExhausted);
  // Another node took this one for dead.
  EXPECT_EQ(*records_->tasks().FailLostUploads("here", "gone"), 1);
  while (submit().code() == StatusCode::kResourceExhausted) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(records_->tasks().Find(application_.id, first)->error, "gone");
}

}  // namespace
}  // namespace lethe
