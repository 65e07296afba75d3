#pragma once

// Tasks: recordings that are transcribed while nobody waits (CreateRecTask), from asked for to
// forgotten.
//
//     Create            Claim                Finish
//   --------> waiting --------> running ---------------> success or failed ----> expired: not found
//                ^                 |
//                +-----------------+  Release, ResetRunning; Claim, when the lease ran out
//
// Cancel ends one that waits or runs as failed. It counts as a claim does, so nobody who worked on
// the task takes that end for their own.
//
// A task can be asked about for kTaskLifetime after it was created; then it is not found, swept or
// not. The audio of an upload is not in here.
//
// Several nodes may work on the same tasks. What a node has in hand it holds for the time of its
// lease, and longer by Heartbeat(): a task it claimed, a task whose upload is in its memory, a
// callback it is making. When the lease ran out, the node is taken for dead, and others may have
// what they can work on. Should it live after all, its outcome is refused as soon as somebody else
// has claimed the task: `lease` counts the claims, and only the last one may finish. So a task may
// be transcribed twice and a callback made twice, but an outcome is written once. Nodes compare
// leases with their own clocks, which have to agree to some seconds.

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
#include "seal/data_class.h"
#include "store/applications.h"
#include "store/journal.h"
#include "store/recordings.h"

namespace lethe {

/// Random, so that it cannot be guessed; in [1, 2^48), so that it survives JavaScript.
using TaskId = std::uint64_t;

inline constexpr Millis kTaskLifetime = SealedLifetime(DataClass::kResult);
inline constexpr std::size_t kMaxUnfinishedTasks = 10'000;            // per application
inline constexpr std::size_t kMaxTaskRequest = std::size_t{1} << 20;  // bytes
inline constexpr std::size_t kMaxTaskResult = std::size_t{64} << 20;  // bytes
inline constexpr std::size_t kMaxTaskText = 4096;  // bytes of each other text: URL, error, ...
inline constexpr std::size_t kMaxCallbackOutcome = 512;  // bytes
inline constexpr std::size_t kMaxNodeName = 64;          // bytes
inline constexpr std::size_t kMaxCallId = 64;            // bytes by which a call can be found

enum class TaskState { kWaiting = 0, kRunning = 1, kSuccess = 2, kFailed = 3 };  // the contract's

/// "waiting", "running", "success", "failed".
std::string_view TaskStateName(TaskState state);

/// What became of telling the caller.
enum class CallbackState {
  kNone = 0,       // nobody asked for it, or the task is not finished
  kPending = 1,    // to be made, or made again
  kDelivered = 2,  // and answered as it should be
  kGivenUp = 3,
};

/// A node, and for how long it holds what it takes.
struct TaskHolder {
  std::string node;  // its name, which no other node has
  Millis lease = std::chrono::minutes(1);
};

struct NewTask {
  AppId app_id = 0;
  std::string request_id;  // of the call that created it
  std::string subject;     // whom it is about: a pseudonym (store/consents.h)
  std::string engine;
  std::string request;                       // the service's own, usually JSON
  std::string callback_url;                  // empty: none
  std::optional<StoredRecording> recording;  // its audio, if it is an upload that is stored
  std::optional<TaskHolder> upload_holder;   // in whose memory it is, if it may not be stored
  bool audio_refused = false;  // it is not stored because nobody may hold it: the ledger is told
};

struct Task {
  TaskId id = 0;
  AppId app_id = 0;
  Uin uin = 0;
  std::string request_id, engine, request;
  std::string subject;
  bool holds_upload = false;
  std::optional<StoredRecording> recording;  // none when its time is over
  std::string holder;                        // the node that has it in hand; empty: none
  WallTime held_until;
  std::string callback_url;
  CallbackState callback = CallbackState::kNone;
  int callback_attempts = 0;
  std::string callback_outcome;  // why the last attempt was in vain; empty: it was not
  std::optional<WallTime> callback_tried, callback_next;  // the last attempt, and the next one
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

/// What became of telling a caller.
struct CallbackNote {
  CallbackState next = CallbackState::kDelivered;  // kPending: it is tried again
  int attempts = 1;                                // made so far, since the task ended
  std::string outcome;  // why the last one was in vain, without content; empty: it was not
  std::optional<WallTime> next_attempt;  // of one that is tried again; none: as soon as may be
};

/// Which tasks are listed: those that everything that is set fits.
struct TaskQuery {
  std::optional<AppId> within;  // of an application only
  std::optional<TaskState> state;
  std::optional<TaskId> task;
  std::int64_t before = 0;  // what `next` of the page before says; 0: from the newest on
  int limit = 100;
};

/// Tasks without their results, but for what a failed one has in place of it.
struct TaskPage {
  std::vector<Task> tasks;
  std::optional<std::int64_t> next;  // there may be more, behind this
};

/// Which tasks; the first of the fields that is set counts, and `within` besides.
struct TaskSelector {
  std::optional<TaskId> task;
  std::string request_id;  // of the call that created it
  std::optional<AppId> app_id;
  std::optional<Uin> uin;
  std::string subject;          // a pseudonym
  std::optional<AppId> within;  // those of an application only
};

struct ErasedTask {
  TaskId id = 0;
  std::string call_id;            // of the call that created it
  std::string object;             // of its recording, which has to be removed now; empty: none
  std::vector<ErasedItem> items;  // for receipts: its texts, its audio
};

/// An object in the object store that nobody may read any more.
struct ObjectOfTask {
  TaskId task = 0;
  std::string name;
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

  /// Errors: kNotFound for an unknown application; kInvalidArgument for text over the limits above
  /// and a node without a name; kFailedPrecondition for a person who has withdrawn their consent;
  /// kResourceExhausted when the application has kMaxUnfinishedTasks waiting or running
  virtual Result<Task> Create(const NewTask& wanted) = 0;

  virtual Result<Task> Find(AppId app_id, TaskId id) = 0;

  /// The newest first, a page at a time. What cannot be read any more, its key being destroyed, is
  /// left out. Errors: kInvalidArgument for a limit below one
  virtual Result<TaskPage> List(const TaskQuery& query) = 0;

  /// What the ledger has, or will have, of a task's beginning: that its text is held, and that its
  /// audio is, or was refused.
  virtual Result<std::vector<BegunItem>> Begun(AppId app_id, TaskId id) = 0;

  /// A task that ran elsewhere until its lease ran out, else the oldest waiting one; now running
  /// here. Those whose upload another node holds are not for us, and those of the applications in
  /// `passed_over`, who have as much running as they may, are left waiting.
  virtual Result<std::optional<Task>> Claim(const TaskHolder& me,
                                            std::span<const AppId> passed_over = {}) = 0;

  /// Holds everything that the node has in hand for another lease from now on. Returns how much.
  virtual Result<int> Heartbeat(const TaskHolder& me) = 0;

  /// Puts a claimed task back, as the oldest it was.
  /// Errors: kFailedPrecondition when it does not run under that lease
  virtual Status Release(TaskId id, int lease) = 0;

  /// Writes the outcome, once; also when the lease ran out, as long as nobody else claimed the
  /// task. Errors: kFailedPrecondition when the task does not run under that lease: it is finished,
  /// was put back, or somebody else has claimed it; kResourceExhausted for a result over
  /// kMaxTaskResult
  virtual Status Finish(TaskId id, int lease, const TaskOutcome& outcome) = 0;

  /// Ends a task that waits or runs, on whichever node, with an outcome that is a failure: from now
  /// on whoever works on it is refused, and its caller is told by any node. `within`: which is an
  /// application's, if that matters; so below. Errors: kFailedPrecondition when it has ended
  virtual Result<Task> Cancel(std::optional<AppId> within, TaskId id,
                              const TaskOutcome& outcome) = 0;

  /// The callback of a task that has ended is made, or made again, by any node. One that is being
  /// made goes on. Errors: kFailedPrecondition when it has not ended, or nobody asked for one
  virtual Result<Task> TellAgain(std::optional<AppId> within, TaskId id) = 0;

  /// Tasks that a node runs according to the records, and not in truth, wait again, and so do those
  /// whose leases ran out: at its start all that are not `in_hand`, later those whose claim was not
  /// answered. Returns how many.
  virtual Result<int> ResetRunning(std::string_view node, std::span<const TaskId> in_hand = {}) = 0;

  /// Fails unfinished tasks whose upload is lost: at a node's start, first, those that its process
  /// held; at any time (`node` may be empty) those whose holders' leases ran out. Returns how many.
  virtual Result<int> FailLostUploads(std::string_view node, std::string_view message) = 0;

  /// Finished tasks whose callers have to be told by now and are not being told by another node,
  /// now held here: those nobody tried to tell yet first, of them and of the others the oldest.
  /// Those that are told here already, `in_hand`, and those of the applications in `passed_over`,
  /// are left. What is tried again comes with the `callback_next` it had; the records have none any
  /// more.
  virtual Result<std::vector<Task>> ClaimCallbacks(const TaskHolder& me, int limit,
                                                   std::span<const TaskId> in_hand = {},
                                                   std::span<const AppId> passed_over = {}) = 0;

  /// Says how many attempts there were, and what is next: kPending to try again, kDelivered or
  /// kGivenUp. Errors: kFailedPrecondition when no callback is pending
  virtual Status NoteCallback(TaskId id, const CallbackNote& note) = 0;

  virtual Result<TaskCounts> Count() = 0;

  /// Forgets a task, whatever its state.
  virtual Status Remove(AppId app_id, TaskId id) = 0;

  /// Erases at most `limit` tasks, whatever their state, also those that are over and were not
  /// removed yet: their texts now; their
  /// audio cannot be opened from now on, and is gone with ObjectIsGone(). Fewer than `limit`: those
  /// were all.
  virtual Result<std::vector<ErasedTask>> Erase(const TaskSelector& selector, ErasureCause cause,
                                                int limit) = 0;

  /// Recordings that are to be removed from the object store: their tasks are finished, erased or
  /// over, or their own time is. First the object is removed, then ObjectIsGone() says so; the
  /// other way round nobody would know of it after a crash.
  /// In the order of the tasks' numbers, those behind `after`; of one application, if it is named.
  virtual Result<std::vector<ObjectOfTask>> ObjectsToRemove(int limit, TaskId after = 0,
                                                            std::optional<AppId> within = {}) = 0;
  virtual Status ObjectIsGone(TaskId id) = 0;

  /// Removes at most `limit` of what is expired and has no object left, and no trace of it stays in
  /// the files. Returns how many.
  virtual Result<int> RemoveExpired(int limit) = 0;
};

}  // namespace lethe
