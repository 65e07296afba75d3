#include <algorithm>

#include "store/internal/checks.h"
#include "store/memory/internal/records.h"

namespace lethe {
namespace {

bool IsUnfinished(const Task& task) {
  return task.state == TaskState::kWaiting || task.state == TaskState::kRunning;
}

class MemoryTasks : public Tasks {
 public:
  explicit MemoryTasks(MemoryRecords& records) : records_(records) {}

  Result<Task> Create(const NewTask& wanted) override {
    RETURN_IF_ERROR(CheckNewTask(wanted));
    const std::lock_guard lock(records_.mutex);
    const Application* application = records_.FindApplication(wanted.app_id);
    if (application == nullptr) return NoSuchApplication();
    const WallTime now = records_.clock.Now();
    const auto unfinished =
        std::count_if(records_.tasks.begin(), records_.tasks.end(), [&](const Task& task) {
          return task.app_id == wanted.app_id && IsUnfinished(task) && task.expires > now;
        });
    if (static_cast<std::size_t>(unfinished) >= kMaxUnfinishedTasks) {
      return TooMany("unfinished tasks of an application", kMaxUnfinishedTasks);
    }
    Task task{.id = UnusedId(),
              .app_id = wanted.app_id,
              .uin = application->uin,
              .request_id = wanted.request_id,
              .engine = wanted.engine,
              .request = wanted.request,
              .holds_upload = wanted.upload_holder.has_value(),
              .callback_url = wanted.callback_url,
              .created = now,
              .expires = now + kTaskLifetime};
    if (wanted.upload_holder) Hold(task, *wanted.upload_holder);
    records_.tasks.push_back(task);
    return task;
  }

  Result<Task> Find(AppId app_id, TaskId id) override {
    const std::lock_guard lock(records_.mutex);
    const Task* task = FindLive(id);
    if (task == nullptr || task->app_id != app_id) return NoSuchTask();
    return *task;
  }

  Result<std::optional<Task>> Claim(const TaskHolder& me,
                                    std::span<const AppId> passed_over) override {
    RETURN_IF_ERROR(CheckHolder(me));
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    const auto is_left = [&](const Task& task) {
      return task.state == TaskState::kRunning && !task.holds_upload && task.held_until <= now;
    };
    const auto is_mine = [&](const Task& task) {
      return task.state == TaskState::kWaiting && (task.holder.empty() || task.holder == me.node);
    };
    for (const bool left : {true, false}) {
      for (Task& task : records_.tasks) {
        if (!(left ? is_left(task) : is_mine(task)) || task.expires <= now ||
            std::find(passed_over.begin(), passed_over.end(), task.app_id) != passed_over.end()) {
          continue;
        }
        task.state = TaskState::kRunning;
        task.started = now;
        ++task.lease;
        Hold(task, me);
        return std::optional(task);
      }
    }
    return std::optional<Task>();
  }

  Result<int> Heartbeat(const TaskHolder& me) override {
    RETURN_IF_ERROR(CheckHolder(me));
    const std::lock_guard lock(records_.mutex);
    int held = 0;
    for (Task& task : records_.tasks) {
      if (task.holder != me.node) continue;
      Hold(task, me);
      ++held;
    }
    return held;
  }

  Status Release(TaskId id, int lease) override {
    const std::lock_guard lock(records_.mutex);
    Task* task = FindLive(id);
    if (task == nullptr) return NoSuchTask();
    if (task->state != TaskState::kRunning || task->lease != lease) return NotRunningUnderLease();
    PutBack(*task);
    return OkStatus();
  }

  Status Finish(TaskId id, int lease, const TaskOutcome& outcome) override {
    RETURN_IF_ERROR(CheckOutcome(outcome));
    const std::lock_guard lock(records_.mutex);
    Task* task = FindLive(id);
    if (task == nullptr) return NoSuchTask();
    if (task->state != TaskState::kRunning || task->lease != lease) return NotRunningUnderLease();
    task->result = outcome.result;
    task->audio = outcome.audio;
    End(*task, outcome.state, outcome.error);
    return OkStatus();
  }

  Result<int> ResetRunning(std::string_view node) override {
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    int reset = 0;
    for (Task& task : records_.tasks) {
      if (task.state != TaskState::kRunning || task.holds_upload) continue;
      if (task.holder != node && task.held_until > now) continue;
      PutBack(task);
      ++reset;
    }
    return reset;
  }

  Result<int> FailLostUploads(std::string_view node, std::string_view message) override {
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    int failed = 0;
    for (Task& task : records_.tasks) {
      if (!task.holds_upload || !IsUnfinished(task)) continue;
      if (task.holder != node && task.held_until > now) continue;
      End(task, TaskState::kFailed, std::string(message));
      LetGo(task);
      ++failed;
    }
    return failed;
  }

  Result<std::vector<Task>> ClaimCallbacks(const TaskHolder& me, int limit) override {
    RETURN_IF_ERROR(CheckHolder(me));
    RETURN_IF_ERROR(CheckLimit(limit));
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    std::vector<Task> claimed;
    for (Task& task : records_.tasks) {
      if (claimed.size() >= static_cast<std::size_t>(limit)) break;
      if (task.callback != CallbackState::kPending || task.expires <= now) continue;
      if (task.holder != me.node && task.held_until > now) continue;
      Hold(task, me);
      claimed.push_back(task);
    }
    return claimed;
  }

  Status NoteCallback(TaskId id, CallbackState next) override {
    const std::lock_guard lock(records_.mutex);
    Task* task = FindLive(id);
    if (task == nullptr) return NoSuchTask();
    if (task->callback != CallbackState::kPending) return NoCallbackPending();
    task->callback = next;
    ++task->callback_attempts;
    if (next != CallbackState::kPending) LetGo(*task);
    return OkStatus();
  }

  Result<TaskCounts> Count() override {
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    TaskCounts counts;
    for (const Task& task : records_.tasks) {
      if (task.expires <= now) continue;
      if (task.state == TaskState::kWaiting) ++counts.waiting;
      if (task.state == TaskState::kRunning) ++counts.running;
    }
    return counts;
  }

  Status Remove(AppId app_id, TaskId id) override {
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    const auto removed = std::erase_if(records_.tasks, [&](const Task& task) {
      return task.id == id && task.app_id == app_id && task.expires > now;
    });
    return removed == 0 ? NoSuchTask() : OkStatus();
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    int removed = 0;
    std::erase_if(records_.tasks, [&](const Task& task) {
      return task.expires <= now && removed < limit && ++removed > 0;
    });
    return removed;
  }

 private:
  Task* FindLive(TaskId id) {
    const WallTime now = records_.clock.Now();
    for (Task& task : records_.tasks) {
      if (task.id == id && task.expires > now) return &task;
    }
    return nullptr;
  }

  TaskId UnusedId() const {
    for (;;) {
      const TaskId id = NewTaskId();
      if (std::none_of(records_.tasks.begin(), records_.tasks.end(),
                       [id](const Task& task) { return task.id == id; })) {
        return id;
      }
    }
  }

  void End(Task& task, TaskState state, std::string error) {
    task.state = state;
    task.error = std::move(error);
    task.finished = records_.clock.Now();
    // Whoever finished a task tells its caller.
    if (task.callback_url.empty()) {
      LetGo(task);
    } else {
      task.callback = CallbackState::kPending;
    }
  }

  void Hold(Task& task, const TaskHolder& holder) const {
    task.holder = holder.node;
    task.held_until = records_.clock.Now() + holder.lease;
  }

  static void LetGo(Task& task) {
    task.holder.clear();
    task.held_until = WallTime();
  }

  static void PutBack(Task& task) {
    task.state = TaskState::kWaiting;
    task.started.reset();
    // An upload stays where it is.
    if (!task.holds_upload) LetGo(task);
  }

  MemoryRecords& records_;
};

}  // namespace

std::unique_ptr<Tasks> MakeMemoryTasks(MemoryRecords& records) {
  return std::make_unique<MemoryTasks>(records);
}

}  // namespace lethe
