// What is asked of recording tasks that are there: to be seen, to end, to be tried and told again.

#include <algorithm>
#include <utility>

#include "service/internal/recording_task_request.h"
#include "service/internal/task_callbacks.h"
#include "service/internal/task_outcome.h"
#include "service/recording_tasks.h"

namespace lethe {
namespace {

// How often a store that does not answer is asked to cancel a task.
constexpr int kCancelAttempts = 10;

}  // namespace

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
  MutexLock lock(mutex_);
  const auto progress = ProgressOf(task);
  lock.Unlock();
  return ViewOf(task, progress);
}

Result<RecordingTasks::Views> RecordingTasks::List(const TaskQuery& query) {
  ASSIGN_OR_RETURN(const TaskPage page, parts_.store.tasks().List(query));
  std::vector<std::optional<TaskProgress>> progress;
  MutexLock lock(mutex_);
  for (const Task& task : page.tasks) progress.push_back(ProgressOf(task));
  lock.Unlock();
  Views views{.next = page.next};
  for (std::size_t i = 0; i < page.tasks.size(); ++i) {
    views.tasks.push_back(ViewOf(page.tasks[i], progress[i]));
  }
  return views;
}

Result<Task> RecordingTasks::Look(std::optional<AppId> within, TaskId id) {
  ASSIGN_OR_RETURN(TaskPage page,
                   parts_.store.tasks().List({.within = within, .task = id, .limit = 1}));
  if (page.tasks.empty()) return NotFound("there is no such task, or no longer");
  return std::move(page.tasks.front());
}

void RecordingTasks::RemoveRecording(const Task& task) {
  // If this fails, the sweeper does it.
  if (task.recording && parts_.recordings != nullptr &&
      parts_.recordings->Remove(task.recording->name).ok()) {
    (void)parts_.store.tasks().ObjectIsGone(task.id);
  }
}

Result<Task> RecordingTasks::CancelInStore(std::optional<AppId> within, TaskId id,
                                           bool* unanswered) {
  const TaskOutcome outcome = CancelledOutcome();
  for (int attempt = 1;; ++attempt) {
    Result<Task> task = parts_.store.tasks().Cancel(within, id, outcome);
    if (attempt > 1 && task.status().code() == StatusCode::kFailedPrecondition) {
      // By what was not answered, or by somebody else?
      Result<Task> now = Look(within, id);
      if (!now.ok() || now->result == outcome.result) task = std::move(now);
    }
    if (task.status().code() != StatusCode::kUnavailable) return task;
    *unanswered = true;
    if (attempt == kCancelAttempts) return task;
    const MutexLock lock(mutex_);
    if (AwaitStop(options_.poll)) return task;
  }
}

Result<TaskView> RecordingTasks::Cancel(std::optional<AppId> within, TaskId id) {
  // In hand until its end is recorded: an erasure that comes between finds it.
  const auto run = std::make_shared<RunState>();
  MutexLock lock(mutex_);
  const auto in_hand = in_hand_.emplace(id, InHand{within.value_or(0), std::nullopt, run});
  lock.Unlock();
  bool unanswered = false;
  const Result<Task> task = CancelInStore(within, id, &unanswered);
  const StatusCode code = task.status().code();
  // Asked twice, it was cancelled once.
  std::optional<TaskView> before;
  if (code == StatusCode::kFailedPrecondition) {
    const Result<Task> now = Look(within, id);
    if (now.ok()) before = View(*now);
  }
  // Whoever transcribes it is told whether the cancelling counts it, here or elsewhere.
  const bool was_cancelled = before && before->error_code == "cancelled";
  const bool unseen =
      unanswered && (code == StatusCode::kNotFound || code == StatusCode::kUnavailable);
  lock.Lock();
  const auto [first, end] = in_hand_.equal_range(id);
  for (auto running = first; running != end; ++running) {
    if (within && running->second.app_id != *within) continue;
    RunState& theirs = *running->second.run;
    if (task.ok() || was_cancelled) theirs.is_counted = theirs.stop = true;
    if (unseen) theirs.cancelled_unseen = true;
  }
  if (task.ok()) {
    DropUpload(id);
    lock.Unlock();
    Record(*task, CancelledOutcome(), 0, ErasedFlag(run, &run->erased));
    lock.Lock();
  }
  in_hand_.erase(in_hand);
  lock.Unlock();
  callbacks_->Wake();
  changed_.NotifyAll();
  if (was_cancelled) return *std::move(before);
  if (!task.ok()) return task.status();
  RemoveRecording(*task);
  return View(*task);
}

Result<RecordingTasks::FormerRequest> RecordingTasks::RequestOf(std::optional<AppId> within,
                                                                TaskId id) {
  ASSIGN_OR_RETURN(const Task task, Look(within, id));
  if (task.state != TaskState::kFailed) {
    return FailedPrecondition("only a task that failed can be tried again; this one is: " +
                              std::string(TaskStateName(task.state)));
  }
  ASSIGN_OR_RETURN(RecordingTaskRequest request, ReadTaskRequest(task.request));
  if (request.url.empty()) {
    return FailedPrecondition(
        "its recording was uploaded, and removed when the task ended; send it again");
  }
  request.callback_url = task.callback_url;
  return FormerRequest{task.app_id, task.subject, std::move(request)};
}

Result<TaskView> RecordingTasks::TellAgain(std::optional<AppId> within, TaskId id) {
  ASSIGN_OR_RETURN(const Task task, parts_.store.tasks().TellAgain(within, id));
  callbacks_->Wake();
  return View(task);
}

}  // namespace lethe
