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
              .holds_upload = wanted.holds_upload,
              .callback_url = wanted.callback_url,
              .created = now,
              .expires = now + kTaskLifetime};
    records_.tasks.push_back(task);
    return task;
  }

  Result<Task> Find(AppId app_id, TaskId id) override {
    const std::lock_guard lock(records_.mutex);
    const Task* task = FindLive(id);
    if (task == nullptr || task->app_id != app_id) return NoSuchTask();
    return *task;
  }

  Result<std::optional<Task>> Claim(std::span<const AppId> passed_over) override {
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    for (Task& task : records_.tasks) {
      if (task.state != TaskState::kWaiting || task.expires <= now ||
          std::find(passed_over.begin(), passed_over.end(), task.app_id) != passed_over.end()) {
        continue;
      }
      task.state = TaskState::kRunning;
      task.started = now;
      ++task.lease;
      return std::optional(task);
    }
    return std::optional<Task>();
  }

  Status Release(TaskId id, int lease) override {
    const std::lock_guard lock(records_.mutex);
    Task* task = FindLive(id);
    if (task == nullptr) return NoSuchTask();
    if (task->state != TaskState::kRunning || task->lease != lease) return NotRunningUnderLease();
    task->state = TaskState::kWaiting;
    task->started.reset();
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

  Result<int> ResetRunning() override {
    const std::lock_guard lock(records_.mutex);
    int reset = 0;
    for (Task& task : records_.tasks) {
      if (task.state != TaskState::kRunning) continue;
      task.state = TaskState::kWaiting;
      task.started.reset();
      ++reset;
    }
    return reset;
  }

  Result<int> FailLostUploads(std::string_view message) override {
    const std::lock_guard lock(records_.mutex);
    int failed = 0;
    for (Task& task : records_.tasks) {
      if (!task.holds_upload || !IsUnfinished(task)) continue;
      End(task, TaskState::kFailed, std::string(message));
      ++failed;
    }
    return failed;
  }

  Result<std::vector<Task>> PendingCallbacks(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const std::lock_guard lock(records_.mutex);
    const WallTime now = records_.clock.Now();
    std::vector<Task> pending;
    for (const Task& task : records_.tasks) {
      if (task.callback == CallbackState::kPending && task.expires > now) pending.push_back(task);
      if (pending.size() >= static_cast<std::size_t>(limit)) break;
    }
    return pending;
  }

  Status NoteCallback(TaskId id, CallbackState next) override {
    const std::lock_guard lock(records_.mutex);
    Task* task = FindLive(id);
    if (task == nullptr) return NoSuchTask();
    if (task->callback != CallbackState::kPending) return NoCallbackPending();
    task->callback = next;
    ++task->callback_attempts;
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
    if (!task.callback_url.empty()) task.callback = CallbackState::kPending;
  }

  MemoryRecords& records_;
};

}  // namespace

std::unique_ptr<Tasks> MakeMemoryTasks(MemoryRecords& records) {
  return std::make_unique<MemoryTasks>(records);
}

}  // namespace lethe
