// What is asked of recording tasks that are there: to be seen, to end, to be tried and told again.

#include <algorithm>
#include <utility>

#include "service/consent_gate.h"
#include "service/internal/task_callbacks.h"
#include "service/internal/task_outcome.h"
#include "service/recording_tasks.h"

namespace lethe {

std::optional<TaskProgress> RecordingTasks::ProgressOf(const Task& task) const {
  const auto [first, end] = in_hand_.equal_range(task.id);
  const auto is_it = [&](const auto& entry) { return entry.second.lease == task.lease; };
  const auto found = std::find_if(first, end, is_it);
  if (task.state != TaskState::kRunning || found == end) return std::nullopt;
  const RunState& run = *found->second.run;
  if (run.done_ms < 0) return std::nullopt;
  TaskProgress progress{.done = Millis(run.done_ms)};
  if (run.total_ms >= 0) progress.total = Millis(run.total_ms);
  return progress;
}

TaskView RecordingTasks::View(const Task& task) {
  std::unique_lock lock(mutex_);
  const auto progress = ProgressOf(task);
  lock.unlock();
  return ViewOf(task, progress);
}

Result<RecordingTasks::Views> RecordingTasks::List(const TaskQuery& query) {
  ASSIGN_OR_RETURN(const TaskPage page, parts_.store.tasks().List(query));
  Views views{.next = page.next};
  for (const Task& task : page.tasks) views.tasks.push_back(View(task));
  return views;
}

void RecordingTasks::RemoveRecording(const Task& task) {
  // If this fails, the sweeper does it.
  if (task.recording && parts_.recordings != nullptr &&
      parts_.recordings->Remove(task.recording->name).ok()) {
    (void)parts_.store.tasks().ObjectIsGone(task.id);
  }
}

Result<TaskView> RecordingTasks::Cancel(std::optional<AppId> within, TaskId id) {
  // In hand until its end is recorded: an erasure that comes between finds it.
  const auto run = std::make_shared<RunState>();
  std::unique_lock lock(mutex_);
  const auto in_hand = in_hand_.emplace(id, InHand{within.value_or(0), std::nullopt, run});
  lock.unlock();
  const TaskOutcome outcome = CancelledOutcome();
  const Result<Task> task = parts_.store.tasks().Cancel(within, id, outcome);
  if (task.ok()) {
    lock.lock();
    DropUpload(id);
    StopRunning(id, task->lease);
    lock.unlock();
    RemoveRecording(*task);
    Record(*task, outcome, 0, ErasedFlag(run, &run->erased));
  }
  lock.lock();
  in_hand_.erase(in_hand);
  lock.unlock();
  callbacks_->Wake();
  changed_.notify_all();
  if (task.ok()) return View(*task);
  if (task.status().code() != StatusCode::kFailedPrecondition) return task.status();
  // Asked twice, it was cancelled once.
  ASSIGN_OR_RETURN(const TaskPage page,
                   parts_.store.tasks().List({.within = within, .task = id, .limit = 1}));
  if (page.tasks.empty()) return task.status();
  TaskView view = View(page.tasks.front());
  if (view.error_code != "cancelled") return task.status();
  // Perhaps whoever did it was not answered.
  RemoveRecording(page.tasks.front());
  return view;
}

Result<TaskView> RecordingTasks::TryAgain(std::optional<AppId> within, TaskId id) {
  ASSIGN_OR_RETURN(const TaskPage page,
                   parts_.store.tasks().List({.within = within, .task = id, .limit = 1}));
  if (!page.tasks.empty()) {
    const Task& task = page.tasks.front();
    if (task.state == TaskState::kFailed && !ViewOf(task).is_fetched) {
      return FailedPrecondition(
          "its recording was uploaded, and removed when the task ended; send it again");
    }
    ASSIGN_OR_RETURN(const bool withdrawn,
                     HasWithdrawn(parts_.store.consents(), task.app_id, task.subject));
    if (withdrawn) {
      return FailedPrecondition("the person this task is about has withdrawn their consent");
    }
  }
  ASSIGN_OR_RETURN(const Task task, parts_.store.tasks().TryAgain(within, id));
  {
    const std::lock_guard lock(mutex_);
    ++news_;
  }
  changed_.notify_all();
  return View(task);
}

Result<TaskView> RecordingTasks::TellAgain(std::optional<AppId> within, TaskId id) {
  ASSIGN_OR_RETURN(const Task task, parts_.store.tasks().TellAgain(within, id));
  callbacks_->Wake();
  return View(task);
}

}  // namespace lethe
