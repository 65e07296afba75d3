#pragma once

// For tests of what happens when things fail: records and objects of which one call, the n-th of
// all, gives no answer. It may have been done nevertheless.

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "store/objects.h"
#include "store/store.h"

namespace lethe {

/// Counts calls and makes one fail. Thread: any
class FaultPlan {
 public:
  enum class Moment { kBefore, kAfter };  // whether the call is done before it gives no answer

  FaultPlan(int call, Moment moment) : call_(call), moment_(moment) {}

  template <class Call>
  std::invoke_result_t<Call&> Run(Call call) {
    const bool fails = ++calls_ == call_;
    if (fails && moment_ == Moment::kBefore) return Unavailable("no answer");
    auto outcome = call();
    if (fails) return Unavailable("no answer, but it was done");
    return outcome;
  }

  /// Whether there were as many calls as it takes.
  bool happened() const { return calls_ >= call_; }

 private:
  const int call_;
  const Moment moment_;
  std::atomic<int> calls_ = 0;
};

class FaultyTasks : public Tasks {
 public:
  FaultyTasks(Tasks& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}

  Result<Task> Create(const NewTask& wanted) override {
    return plan_.Run([&] { return inner_.Create(wanted); });
  }
  Result<Task> Find(AppId app_id, TaskId id) override {
    return plan_.Run([&] { return inner_.Find(app_id, id); });
  }
  Result<std::vector<BegunItem>> Begun(AppId app_id, TaskId id) override {
    return plan_.Run([&] { return inner_.Begun(app_id, id); });
  }
  Result<std::optional<Task>> Claim(const TaskHolder& me,
                                    std::span<const AppId> passed_over) override {
    return plan_.Run([&] { return inner_.Claim(me, passed_over); });
  }
  Result<int> Heartbeat(const TaskHolder& me) override {
    return plan_.Run([&] { return inner_.Heartbeat(me); });
  }
  Status Release(TaskId id, int lease) override {
    return plan_.Run([&] { return inner_.Release(id, lease); });
  }
  Status Finish(TaskId id, int lease, const TaskOutcome& outcome) override {
    return plan_.Run([&] { return inner_.Finish(id, lease, outcome); });
  }
  Result<TaskPage> List(const TaskQuery& query) override {
    return plan_.Run([&] { return inner_.List(query); });
  }
  Result<Task> Cancel(std::optional<AppId> within, TaskId id, const TaskOutcome& outcome) override {
    return plan_.Run([&] { return inner_.Cancel(within, id, outcome); });
  }
  Result<Task> TellAgain(std::optional<AppId> within, TaskId id) override {
    return plan_.Run([&] { return inner_.TellAgain(within, id); });
  }
  Result<int> ResetRunning(std::string_view node, std::span<const TaskId> in_hand) override {
    return plan_.Run([&] { return inner_.ResetRunning(node, in_hand); });
  }
  Result<int> FailLostUploads(std::string_view node, std::string_view message) override {
    return plan_.Run([&] { return inner_.FailLostUploads(node, message); });
  }
  Result<std::vector<Task>> ClaimCallbacks(const TaskHolder& me, int limit,
                                           std::span<const TaskId> in_hand,
                                           std::span<const AppId> passed_over) override {
    return plan_.Run([&] { return inner_.ClaimCallbacks(me, limit, in_hand, passed_over); });
  }
  Status NoteCallback(TaskId id, const CallbackNote& note) override {
    return plan_.Run([&] { return inner_.NoteCallback(id, note); });
  }
  Result<TaskCounts> Count() override {
    return plan_.Run([&] { return inner_.Count(); });
  }
  Status Remove(AppId app_id, TaskId id) override {
    return plan_.Run([&] { return inner_.Remove(app_id, id); });
  }
  Result<std::vector<ErasedTask>> Erase(const TaskSelector& selector, ErasureCause cause,
                                        int limit) override {
    return plan_.Run([&] { return inner_.Erase(selector, cause, limit); });
  }
  Result<std::vector<ObjectOfTask>> ObjectsToRemove(int limit, TaskId after,
                                                    std::optional<AppId> within) override {
    return plan_.Run([&] { return inner_.ObjectsToRemove(limit, after, within); });
  }
  Status ObjectIsGone(TaskId id) override {
    return plan_.Run([&] { return inner_.ObjectIsGone(id); });
  }
  Result<int> RemoveExpired(int limit) override {
    return plan_.Run([&] { return inner_.RemoveExpired(limit); });
  }

 private:
  Tasks& inner_;
  FaultPlan& plan_;
};

class FaultyJournal : public Journal {
 public:
  FaultyJournal(Journal& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}

  Result<std::string> Origin() override {
    return plan_.Run([&] { return inner_.Origin(); });
  }
  Status SetOrigin(const std::string& origin) override {
    return plan_.Run([&] { return inner_.SetOrigin(origin); });
  }
  Result<std::vector<JournalEntry>> Pending(int limit) override {
    return plan_.Run([&] { return inner_.Pending(limit); });
  }
  Result<std::vector<JournalEntry>> PendingOf(std::span<const ErasedItem> items) override {
    return plan_.Run([&] { return inner_.PendingOf(items); });
  }
  Status Settle(std::span<const JournalEntry> entries, std::uint64_t first) override {
    return plan_.Run([&] { return inner_.Settle(entries, first); });
  }
  Result<std::uint64_t> SettledLeaves() override {
    return plan_.Run([&] { return inner_.SettledLeaves(); });
  }
  Result<Recovery> Recover(std::span<const Leaf> leaves) override {
    return plan_.Run([&] { return inner_.Recover(leaves); });
  }
  Status Note(const Leaf& leaf) override {
    return plan_.Run([&] { return inner_.Note(leaf); });
  }
  Result<Comparisons> FindComparisons() override {
    return plan_.Run([&] { return inner_.FindComparisons(); });
  }
  Result<std::int64_t> AskForComparison() override {
    return plan_.Run([&] { return inner_.AskForComparison(); });
  }
  Status AnswerComparisons(std::int64_t number) override {
    return plan_.Run([&] { return inner_.AnswerComparisons(number); });
  }

 private:
  Journal& inner_;
  FaultPlan& plan_;
};

class FaultyObjects : public ObjectStore {
 public:
  FaultyObjects(ObjectStore& inner, FaultPlan& plan) : inner_(inner), plan_(plan) {}

  Status Put(const std::string& name, std::uint64_t size, const ObjectSource& source) override {
    return plan_.Run([&] { return inner_.Put(name, size, source); });
  }
  Status Get(const std::string& name, const ObjectSink& sink) override {
    return plan_.Run([&] { return inner_.Get(name, sink); });
  }
  Status Remove(const std::string& name) override {
    return plan_.Run([&] { return inner_.Remove(name); });
  }
  Result<std::vector<std::string>> List(const std::string& folder, int limit) override {
    return plan_.Run([&] { return inner_.List(folder, limit); });
  }

 private:
  ObjectStore& inner_;
  FaultPlan& plan_;
};

/// Records whose tasks and journal fail by plan.
class FaultyStore : public Store {
 public:
  FaultyStore(Store& inner, FaultPlan& plan)
      : inner_(inner), tasks_(inner.tasks(), plan), journal_(inner.journal(), plan) {}

  Applications& applications() override { return inner_.applications(); }
  Keys& keys() override { return inner_.keys(); }
  Vocabularies& vocabularies() override { return inner_.vocabularies(); }
  KeywordLibraries& keyword_libraries() override { return inner_.keyword_libraries(); }
  Tasks& tasks() override { return tasks_; }
  Usage& usage() override { return inner_.usage(); }
  Journal& journal() override { return journal_; }
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

 private:
  Store& inner_;
  FaultyTasks tasks_;
  FaultyJournal journal_;
};

}  // namespace lethe
