#pragma once

// For tests of recording tasks: a node that works on recordings whose words are their loudness
// (tests/support/fake_models.h), and records that fail where a test wants it.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "audio/media_decoder.h"
#include "engine/hot_words.h"
#include "service/recording_tasks.h"
#include "tests/support/fake_models.h"
#include "tests/support/test_store.h"

namespace lethe {

// Tasks of another store, some of whose calls do what the test says.
class FlakyTasks : public Tasks {
 public:
  explicit FlakyTasks(Tasks& inner) : inner_(inner) {}

  /// In place of Finish(), called with how often it was called before; nothing: the real one.
  std::function<std::optional<Status>(int calls, TaskId, int lease, const TaskOutcome&)> on_finish;
  /// The same of Cancel().
  std::function<std::optional<Status>(int calls, TaskId, const TaskOutcome&)> on_cancel;
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
  Result<TaskPage> List(const TaskQuery& query) override { return inner_.List(query); }
  Result<Task> Cancel(std::optional<AppId> within, TaskId id, const TaskOutcome& outcome) override {
    if (on_cancel) {
      if (auto status = on_cancel(cancels++, id, outcome)) return *status;
    }
    return inner_.Cancel(within, id, outcome);
  }
  Result<Task> TellAgain(std::optional<AppId> within, TaskId id) override {
    return inner_.TellAgain(within, id);
  }
  Result<int> ResetRunning(std::string_view node, std::span<const TaskId> in_hand) override {
    if (dead) return Unavailable("no answer");
    return inner_.ResetRunning(node, in_hand);
  }
  Result<int> FailLostUploads(std::string_view node, std::string_view message) override {
    return inner_.FailLostUploads(node, message);
  }
  Result<std::vector<Task>> ClaimCallbacks(const TaskHolder& me, int limit,
                                           std::span<const TaskId> in_hand,
                                           std::span<const AppId> passed_over) override {
    return inner_.ClaimCallbacks(me, limit, in_hand, passed_over);
  }
  Status NoteCallback(TaskId id, const CallbackNote& note) override {
    return inner_.NoteCallback(id, note);
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

  std::atomic<int> finishes = 0, cancels = 0;
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
  Decisions& decisions() override { return inner_.decisions(); }
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
  TestStore records_{clock_};
  const Application application_ = *records_->applications().Create({.name = "test"});
  FlakyStore store_{*records_};
  EngineCatalog engines_;
  Recognizer recognizer_{InProcessMediaDecoder()};
  WordLists word_lists_{records_->vocabularies()};
  OutboundClient outbound_{*AddressRules::Create({})};
  Meter meter_{records_->usage()};
  std::optional<RecordingTasks> tasks_;
};

}  // namespace lethe
