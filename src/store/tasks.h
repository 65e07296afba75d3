#pragma once

// Tasks: recordings that are transcribed while nobody waits (CreateRecTask), from asked for to
// forgotten.
//
//     Create            Claim                Finish
//   --------> waiting --------> running ---------------> success or failed ----> expired: not found
//                ^                 |
//                +-----------------+  Release, ResetRunning
//
// A task can be asked about for kTaskLifetime after it was created; then it is not found, swept or
// not. The audio of an upload is not in here.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/applications.h"

namespace lethe {

/// Random, so that it cannot be guessed; in [1, 2^48), so that it survives JavaScript.
using TaskId = std::uint64_t;

inline constexpr Millis kTaskLifetime = std::chrono::hours(24);
inline constexpr std::size_t kMaxUnfinishedTasks = 10'000;            // per application
inline constexpr std::size_t kMaxTaskRequest = std::size_t{1} << 20;  // bytes
inline constexpr std::size_t kMaxTaskResult = std::size_t{64} << 20;  // bytes
inline constexpr std::size_t kMaxTaskText = 4096;  // bytes of each other text: URL, error, ...

enum class TaskState { kWaiting = 0, kRunning = 1, kSuccess = 2, kFailed = 3 };  // the contract's

/// What became of telling the caller.
enum class CallbackState {
  kNone = 0,       // nobody asked for it, or the task is not finished
  kPending = 1,    // to be made, or made again
  kDelivered = 2,  // and answered as it should be
  kGivenUp = 3,
};

struct NewTask {
  AppId app_id = 0;
  std::string request_id;  // of the call that created it
  std::string engine;
  std::string request;        // the service's own, usually JSON
  std::string callback_url;   // empty: none
  bool holds_upload = false;  // its audio is in this process's memory only
};

struct Task {
  TaskId id = 0;
  AppId app_id = 0;
  Uin uin = 0;
  std::string request_id, engine, request;
  bool holds_upload = false;
  std::string callback_url;
  CallbackState callback = CallbackState::kNone;
  int callback_attempts = 0;
  TaskState state = TaskState::kWaiting;
  int lease = 0;  // how often it was claimed; names the claim that may finish it
  WallTime created, expires;
  std::optional<WallTime> started, finished;
  std::string error;   // of a failed one
  std::string result;  // of a success; the service's own, usually JSON
  Millis audio{0};

  bool operator==(const Task&) const = default;
};

struct TaskOutcome {
  TaskState state = TaskState::kSuccess;  // or kFailed
  std::string result, error;
  Millis audio{0};
};

struct TaskCounts {
  std::size_t waiting = 0, running = 0;

  bool operator==(const TaskCounts&) const = default;
};

/// Thread: any; calls may wait for the disk
/// Errors: kNotFound for a task that is unknown, expired or, where one is named, of another
/// application; besides them, as said and as Store
class Tasks {
 public:
  virtual ~Tasks() = default;

  /// Errors: kNotFound for an unknown application; kInvalidArgument for text over the limits above;
  /// kResourceExhausted when the application has kMaxUnfinishedTasks waiting or running
  virtual Result<Task> Create(const NewTask& wanted) = 0;

  virtual Result<Task> Find(AppId app_id, TaskId id) = 0;

  /// The oldest waiting task, now running, if one waits; those of the applications in
  /// `passed_over`, who have as much running as they may, are left waiting.
  virtual Result<std::optional<Task>> Claim(std::span<const AppId> passed_over = {}) = 0;

  /// Puts a claimed task back, as the oldest it was.
  /// Errors: kFailedPrecondition when it does not run under that lease
  virtual Status Release(TaskId id, int lease) = 0;

  /// Writes the outcome, once.
  /// Errors: kFailedPrecondition when the task does not run under that lease: it is finished, was
  /// put back, or somebody else has claimed it; kResourceExhausted for a result over kMaxTaskResult
  virtual Status Finish(TaskId id, int lease, const TaskOutcome& outcome) = 0;

  /// At start: tasks that ran when the process ended wait again. Returns how many.
  virtual Result<int> ResetRunning() = 0;

  /// At start, first: unfinished tasks that hold an upload have lost it with the process and are
  /// failed with this message. Returns how many.
  virtual Result<int> FailLostUploads(std::string_view message) = 0;

  /// Finished tasks whose callers have to be told, oldest first.
  virtual Result<std::vector<Task>> PendingCallbacks(int limit) = 0;

  /// Counts one attempt, and says what is next: kPending to try again, kDelivered or kGivenUp.
  /// Errors: kFailedPrecondition when no callback is pending
  virtual Status NoteCallback(TaskId id, CallbackState next) = 0;

  virtual Result<TaskCounts> Count() = 0;

  /// Forgets a task, whatever its state.
  virtual Status Remove(AppId app_id, TaskId id) = 0;

  /// Removes at most `limit` of what is expired, and no trace of it stays in the files. Returns how
  /// many.
  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
