#include "store/sql/internal/task_steps.h"

#include <string>
#include <tuple>
#include <utility>

#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"
#include "store/sql/internal/task_row.h"

namespace lethe {

Result<Task> TaskSteps::ReadLive(Connection& sql, TaskId id) const {
  auto found = ReadTask(sql, id, clock_.Now());
  if (!found) return NoSuchTask();
  Task task = *std::move(found);
  RETURN_IF_ERROR(sealer_.Open(&task));
  return task;
}

Result<TaskIdentity> TaskSteps::IdentityOf(Connection& sql, TaskId id) {
  const auto rows = sql.Rows<std::tuple<Int, Int>>(
      "SELECT app_id, created_ms FROM tasks WHERE task_id = :id", id);
  if (rows.empty()) return NoSuchTask();
  const auto [app_id, created] = rows.front();
  return TaskIdentity{id, static_cast<AppId>(app_id), FromMillis(created)};
}

Status TaskSteps::CheckLease(Connection& sql, TaskId id, int lease) const {
  const auto rows = sql.Rows<std::tuple<Int, Int>>(
      "SELECT state, lease FROM tasks WHERE task_id = :id AND expires_ms > :now {lock}", id,
      ToMillis(clock_.Now()));
  if (rows.empty()) return NoSuchTask();
  const auto [state, current] = rows.front();
  const bool running = state == static_cast<Int>(TaskState::kRunning);
  return running && current == lease ? OkStatus() : NotRunningUnderLease();
}

Status TaskSteps::End(Connection& sql, const TaskIdentity& task, TaskState state,
                      std::string_view error) const {
  ASSIGN_OR_RETURN(const std::string sealed, sealer_.Seal(task, "error", error));
  sql.Run(
      "UPDATE tasks SET state = :state, error = :error, finished_ms = :now, "
      "callback = CASE WHEN callback_url = '' THEN 0 ELSE 1 END WHERE task_id = :id",
      state, sealed, ToMillis(clock_.Now()), task.id);
  sql.Run("UPDATE tasks SET holder = '', held_until_ms = 0 WHERE task_id = :id AND callback = 0",
          task.id);
  return OkStatus();
}

Status TaskSteps::GiveUp(Connection& sql, TaskId id, const Status& why) {
  const bool lost = why.code() == StatusCode::kNotFound || why.code() == StatusCode::kDataLoss;
  if (!lost) return why;
  sql.Run(
      "UPDATE tasks SET state = 3, callback = 0, holder = '', held_until_ms = 0 "
      "WHERE task_id = :id",
      id);
  return OkStatus();
}

void TaskSteps::LetGo(Connection& sql, TaskId id) {
  sql.Run("UPDATE tasks SET holder = '', held_until_ms = 0 WHERE task_id = :id", id);
}

void TaskSteps::PutBack(Connection& sql, TaskId id) {
  sql.Run("UPDATE tasks SET state = 0, started_ms = 0 WHERE task_id = :id", id);
  // An upload stays where it is.
  sql.Run(
      "UPDATE tasks SET holder = '', held_until_ms = 0 WHERE task_id = :id AND holds_upload = 0",
      id);
}

Result<TaskSteps::Standing> TaskSteps::Look(Connection& sql, std::optional<AppId> within,
                                            TaskId id) const {
  const auto rows = sql.Rows<std::tuple<Int, Int, Int, Int>>(
      "SELECT app_id, state, callback, CASE WHEN callback_url = '' THEN 0 ELSE 1 END "
      "FROM tasks WHERE task_id = :id AND expires_ms > :now {lock}",
      id, ToMillis(clock_.Now()));
  if (rows.empty()) return NoSuchTask();
  const auto& [app_id, state, callback, has_callback] = rows.front();
  if (within && static_cast<AppId>(app_id) != *within) return NoSuchTask();
  return Standing{static_cast<TaskState>(state), static_cast<CallbackState>(callback),
                  has_callback != 0};
}

Result<Task> TaskSteps::Cancel(Connection& sql, std::optional<AppId> within, TaskId id,
                               const TaskOutcome& outcome) const {
  ASSIGN_OR_RETURN(const Standing now, Look(sql, within, id));
  if (now.state != TaskState::kWaiting && now.state != TaskState::kRunning) {
    return FailedPrecondition("the task has ended already; it is: " +
                              std::string(TaskStateName(now.state)));
  }
  ASSIGN_OR_RETURN(const TaskIdentity task, IdentityOf(sql, id));
  ASSIGN_OR_RETURN(const std::string result, sealer_.Seal(task, "result", outcome.result));
  sql.Run("UPDATE tasks SET lease = lease + 1, result = :result WHERE task_id = :id", result, id);
  RETURN_IF_ERROR(End(sql, task, outcome.state, outcome.error));
  LetGo(sql, id);
  return ReadLive(sql, id);
}

Result<Task> TaskSteps::TellAgain(Connection& sql, std::optional<AppId> within, TaskId id) const {
  ASSIGN_OR_RETURN(const Standing now, Look(sql, within, id));
  if (!now.has_callback) return FailedPrecondition("nobody asked for a callback of this task");
  if (now.state != TaskState::kSuccess && now.state != TaskState::kFailed) {
    return FailedPrecondition("the callback is made when the task ends; now it is: " +
                              std::string(TaskStateName(now.state)));
  }
  if (now.callback != CallbackState::kPending) {
    sql.Run("UPDATE tasks SET callback = 1, callback_next_ms = 0 WHERE task_id = :id", id);
    LetGo(sql, id);
  }
  return ReadLive(sql, id);
}

Status TaskSteps::NoteCallback(Connection& sql, TaskId id, const CallbackNote& note) const {
  const Int now = ToMillis(clock_.Now());
  const auto rows = sql.Rows<std::tuple<Int, Int>>(
      "SELECT callback, callback_attempts FROM tasks WHERE task_id = :id AND expires_ms > :now "
      "{lock}",
      id, now);
  if (rows.empty()) return NoSuchTask();
  const auto& [callback, attempts] = rows.front();
  if (callback != static_cast<Int>(CallbackState::kPending)) return NoCallbackPending();
  ASSIGN_OR_RETURN(const TaskIdentity task, IdentityOf(sql, id));
  ASSIGN_OR_RETURN(const std::string outcome, sealer_.Seal(task, "callback_outcome", note.outcome));
  sql.Run(
      "UPDATE tasks SET callback = :next, callback_attempts = :attempts, "
      "callback_outcome = :outcome, callback_next_ms = :at WHERE task_id = :id",
      note.next, note.attempts, outcome, note.next_attempt ? ToMillis(*note.next_attempt) : 0, id);
  if (note.attempts > attempts) {
    sql.Run("UPDATE tasks SET callback_tried_ms = :now WHERE task_id = :id", now, id);
  }
  if (note.next != CallbackState::kPending) LetGo(sql, id);
  return OkStatus();
}

}  // namespace lethe
