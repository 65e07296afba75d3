#pragma once

// The steps of a task from one state to the next, within a transaction.

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "store/sql/internal/connection.h"
#include "store/sql/internal/task_sealer.h"
#include "store/tasks.h"

namespace lethe {

/// Thread: any. Lifetime: what it is given outlives it
/// Errors: soci::soci_error; kNotFound for a task that is not there or is over
class TaskSteps {
 public:
  TaskSteps(const Clock& clock, const TaskSealer& sealer) : clock_(clock), sealer_(sealer) {}

  Result<Task> ReadLive(Connection& sql, TaskId id) const;
  /// Also of a task that is over.
  static Result<TaskIdentity> IdentityOf(Connection& sql, TaskId id);

  /// Errors: kFailedPrecondition when it does not run under that lease
  Status CheckLease(Connection& sql, TaskId id, int lease) const;

  /// Whoever finished a task tells its caller, so a task with a callback stays in hand.
  Status End(Connection& sql, const TaskIdentity& task, TaskState state,
             std::string_view error) const;

  /// A task that cannot be read any more, its key destroyed or the row damaged, is in nobody's way.
  /// Where the keys are only out of reach, it waits, and that error is returned.
  static Status GiveUp(Connection& sql, TaskId id, const Status& why);

  /// Nobody has it in hand from now on.
  static void LetGo(Connection& sql, TaskId id);

  /// It waits again, but for an upload where it is.
  static void PutBack(Connection& sql, TaskId id);

  /// As Tasks.
  Result<Task> Cancel(Connection& sql, std::optional<AppId> within, TaskId id,
                      const TaskOutcome& outcome) const;
  Result<Task> TellAgain(Connection& sql, std::optional<AppId> within, TaskId id) const;
  Status NoteCallback(Connection& sql, TaskId id, const CallbackNote& note) const;

 private:
  struct Standing {
    TaskState state = TaskState::kWaiting;
    CallbackState callback = CallbackState::kNone;
    bool has_callback = false;  // somebody asked for one
  };
  // How it stands, and stays until the commit.
  Result<Standing> Look(Connection& sql, std::optional<AppId> within, TaskId id) const;

  const Clock& clock_;
  const TaskSealer& sealer_;
};

}  // namespace lethe
