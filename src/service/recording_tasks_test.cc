// Goal: an outcome is written once and counted once, whatever the records do meanwhile: not answer,
// take what they do not confirm, give the task to another node, or refuse the result. Method:
// recordings whose words are their loudness (tests/support/fake_models.h), and records
// that fail where a test wants it.

#include "service/recording_tasks.h"

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

#include "base/json.h"
#include "service/internal/recording_task_request.h"
#include "store/directory_objects.h"
#include "tests/support/recording_tasks_fixture.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;

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

// Objects of another store, whose first readings are not what they should be.
class MoodyObjects : public ObjectStore {
 public:
  explicit MoodyObjects(ObjectStore& inner) : inner_(inner) {}

  std::function<Status(int calls)> on_get;  // not ok: in place of the object
  std::atomic<int> gets = 0, damaged = 0;   // how many readings yet come damaged

  Status Put(const std::string& name, std::uint64_t size, const ObjectSource& source) override {
    return inner_.Put(name, size, source);
  }
  Status Get(const std::string& name, const ObjectSink& sink) override {
    if (on_get) RETURN_IF_ERROR(on_get(gets++));
    const bool damages = damaged > 0;
    if (damages) --damaged;
    return inner_.Get(name, [&](std::string_view bytes) {
      std::string piece(bytes);
      if (damages) piece.back() = static_cast<char>(piece.back() ^ 1);
      return sink(piece);
    });
  }
  Status Remove(const std::string& name) override { return inner_.Remove(name); }
  Result<std::vector<std::string>> List(const std::string& folder, int limit) override {
    return inner_.List(folder, limit);
  }

 private:
  ObjectStore& inner_;
};

class StoredUploadTest : public RecordingTasksTest {
 protected:
  void TearDown() override { tasks_.reset(); }

  void StartStoring() {
    tasks_.emplace(RecordingTasks::Parts{store_, engines_, recognizer_, word_lists_, outbound_,
                                         meter_, clock_, &recordings_},
                   RecordingTaskOptions{.node = me_, .num_workers = 1, .poll = Millis(5)});
  }

  const TestFolder folder_;
  const std::unique_ptr<ObjectStore> directory_ = *OpenDirectoryObjects(folder_ / "objects");
  MoodyObjects objects_{*directory_};
  Recordings recordings_{objects_, records_.keyring().sealer(), clock_};
};

TEST_F(StoredUploadTest, AnUploadThatCannotBeReadJustNowWaits) {
  objects_.on_get = [](int calls) {
    constexpr StatusCode kReasons[] = {StatusCode::kUnavailable, StatusCode::kPermissionDenied,
                                       StatusCode::kResourceExhausted,
                                       StatusCode::kFailedPrecondition};
    return calls < 4 ? Status(kReasons[calls], "not just now") : OkStatus();
  };
  StartStoring();
  EXPECT_EQ(WaitForEnd(Submit()).state, TaskState::kSuccess);
  EXPECT_EQ(objects_.gets, 5);
  EXPECT_EQ(Counted(), 1U);
}

TEST_F(StoredUploadTest, AnUploadThatComesDamagedIsReadAgainAndFailsIfItStaysSo) {
  objects_.damaged = 2;
  StartStoring();
  EXPECT_EQ(WaitForEnd(Submit()).state, TaskState::kSuccess);
  objects_.damaged = 1'000;
  EXPECT_EQ(WaitForEnd(Submit()).state, TaskState::kFailed);
}

TEST_F(StoredUploadTest, AnUploadThatCannotBeReadIsNotInTheWayOfOthers) {
  objects_.on_get = [](int) { return PermissionDenied("never"); };
  StartStoring();
  const TaskId stuck = Submit();
  while (objects_.gets < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const Application other = *records_->applications().Create({.name = "other"});
  // Which fails, having been worked on, for nobody may fetch from there.
  const Task task = *records_->tasks().Create(
      {.app_id = other.id,
       .request = WriteTaskRequest({.engine = "16k_en", .url = "http://127.0.0.1:1/"})});
  while (!records_->tasks().Find(other.id, task.id)->finished) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(records_->tasks().Find(application_.id, stuck)->finished);
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

TEST_F(RecordingTasksTest, AFailureHasTheContractsCodeForItsCallback) {
  Start();
  const auto code_of = [this](const std::string& audio) {
    const auto id = tasks_->Submit(application_.id, "request", {.engine = "16k_en"}, audio);
    return ParseJson<nlohmann::json>(WaitForEnd(*id).result).value("code", -1);
  };
  EXPECT_EQ(code_of(LoudRecording(10)), 0);
  EXPECT_EQ(code_of("no audio at all"), 10004);
  constexpr std::size_t kTenMilliseconds = 44 + 320;
  EXPECT_EQ(code_of(LoudRecording(10).substr(0, kTenMilliseconds)), 10002);
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

TEST_F(RecordingTasksTest, ARowIsDatedByTheCalendarWhateverElseCounts) {
  const ManualClock calendar(clock_.Now() - std::chrono::minutes(50));
  const Task waiting =
      *records_->tasks().Create({.app_id = application_.id, .request = "a former process's"});
  clock_.Advance(std::chrono::minutes(3));
  Start({.node = me_, .num_workers = 1, .calendar = &calendar});
  WaitForEnd(waiting.id);
  tasks_->Stop();
  meter_.Flush();
  ASSERT_EQ(Rows().size(), 1U);
  EXPECT_EQ(Rows().front().start, calendar.Now() - std::chrono::minutes(3));
  EXPECT_EQ(Rows().front().end, calendar.Now());
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
