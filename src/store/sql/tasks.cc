#include <algorithm>

#include "store/internal/checks.h"
#include "store/sql/internal/repositories.h"
#include "store/sql/internal/task_forgetting.h"
#include "store/sql/internal/task_row.h"
#include "store/sql/internal/task_sealer.h"
#include "store/sql/internal/task_steps.h"

namespace lethe {
namespace {

// "1300000001, 1300000002": numbers need no quoting.
std::string NumberList(std::span<const AppId> ids) {
  std::string list;
  for (const AppId id : ids) {
    if (!list.empty()) list += ", ";
    list += std::to_string(id);
  }
  return list;
}

class SqlTasks : public Tasks {
 public:
  SqlTasks(Database& database, const Clock& clock, Sealer& sealer, const ItemBook& items)
      : database_(database),
        clock_(clock),
        sealer_(sealer),
        items_(items),
        forgetting_(items),
        steps_(clock, sealer_) {}

  Result<Task> Create(const NewTask& wanted) override {
    RETURN_IF_ERROR(CheckNewTask(wanted));
    const auto work = [&](Connection& sql) -> Result<Task> {
      if (!LockApplication(sql, wanted.app_id)) return NoSuchApplication();
      ASSIGN_OR_RETURN(const Application application, ReadApplication(sql, wanted.app_id));
      // Under the lock that a withdrawal takes: it is seen here, or its erasure finds the task.
      if (!wanted.subject.empty() &&
          sql.Number("SELECT COUNT(*) FROM consents WHERE app_id = :app AND subject = :subject AND "
                     "withdrawn_ms > 0",
                     wanted.app_id, wanted.subject) > 0) {
        return FailedPrecondition("the person this task is about has withdrawn their consent");
      }
      const WallTime now = clock_.Now();
      if (sql.Number("SELECT COUNT(*) FROM tasks WHERE app_id = :app AND state IN (0, 1) "
                     "AND expires_ms > :now",
                     wanted.app_id, ToMillis(now)) >= Int{kMaxUnfinishedTasks}) {
        return TooMany("unfinished tasks of an application", kMaxUnfinishedTasks);
      }
      TaskId id = NewTaskId();
      while (sql.Number("SELECT COUNT(*) FROM tasks WHERE task_id = :id", id) > 0) id = NewTaskId();
      const TaskIdentity task{id, wanted.app_id, now};
      ASSIGN_OR_RETURN(const std::string request, sealer_.Seal(task, "request", wanted.request));
      ASSIGN_OR_RETURN(const std::string url,
                       sealer_.Seal(task, "callback_url", wanted.callback_url));
      const Int expires = ToMillis(
          now + std::min(kTaskLifetime,
                         PeriodOf(sql, wanted.app_id, DataClass::kResult).value_or(kTaskLifetime)));
      const std::string record = "task:" + std::to_string(id);
      const Int item =
          items_.Create(sql, {.data_class = DataClass::kResult, .id = record, .due_ms = expires});
      Int audio_expires = 0, audio_item = 0;
      if (wanted.recording) {
        audio_expires = ToMillis(
            now +
            std::min(
                Recordings::kLifetime,
                PeriodOf(sql, wanted.app_id, DataClass::kAudio).value_or(Recordings::kLifetime)));
        audio_item = items_.Create(
            sql, {.data_class = DataClass::kAudio, .id = record, .due_ms = audio_expires});
      } else if (wanted.audio_refused) {
        audio_item = items_.Create(
            sql, {.data_class = DataClass::kAudio, .id = record, .kind = LeafKind::kRefused});
      }
      sql.Run(
          "INSERT INTO tasks (task_id, app_id, uin, request_id, engine, request, holds_upload, "
          "holder, held_until_ms, callback_url, callback, callback_attempts, state, lease, "
          "created_ms, expires_ms, started_ms, finished_ms, error, result, audio_ms, call_id, "
          "item, audio_item, holds_object, object_name, object_key, audio_expires_ms, subject) "
          "VALUES (:id, :app, :uin, :request_id, :engine, :request, :holds, :holder, :until, :url, "
          "0, 0, 0, 0, :created, :expires, 0, 0, '', '', 0, :call, :item, :audio_item, :object, "
          ":object_name, :object_key, :audio_expires, :subject)",
          id, wanted.app_id, application.uin, wanted.request_id, wanted.engine, request,
          wanted.upload_holder.has_value(), wanted.upload_holder ? wanted.upload_holder->node : "",
          wanted.upload_holder ? ToMillis(now + wanted.upload_holder->lease) : 0, url,
          ToMillis(now), expires, wanted.request_id.substr(0, kMaxCallId), item, audio_item,
          wanted.recording.has_value(), wanted.recording ? wanted.recording->name : "",
          wanted.recording ? wanted.recording->key : "", audio_expires, wanted.subject);
      return steps_.ReadLive(sql, id);
    };
    return database_.Write("create a task", work);
  }

  Result<Task> Find(AppId app_id, TaskId id) override {
    const auto work = [&](Connection& sql) -> Result<Task> {
      ASSIGN_OR_RETURN(Task task, steps_.ReadLive(sql, id));
      if (task.app_id != app_id) return NoSuchTask();
      return task;
    };
    return database_.Read("find a task", work);
  }

  Result<TaskPage> List(const TaskQuery& query) override {
    RETURN_IF_ERROR(CheckLimit(query.limit));
    const auto work = [&](Connection& sql) -> Result<TaskPage> {
      TaskPage page = ReadTasks(sql, query, clock_.Now());
      std::vector<Task> open;
      for (Task& task : page.tasks) {
        const Status opened = sealer_.Open(&task);
        const bool lost = opened.code() == StatusCode::kNotFound ||  // its key is destroyed
                          opened.code() == StatusCode::kDataLoss;
        if (!opened.ok() && !lost) return opened;
        if (opened.ok()) open.push_back(std::move(task));
      }
      page.tasks = std::move(open);
      return page;
    };
    return database_.Read("list tasks", work);
  }

  Result<std::vector<BegunItem>> Begun(AppId app_id, TaskId id) override {
    const auto work = [&](Connection& sql) -> Result<std::vector<BegunItem>> {
      const auto rows = sql.Rows<std::tuple<Int, Int>>(
          "SELECT item, audio_item FROM tasks WHERE task_id = :id AND app_id = :app AND "
          "expires_ms > :now",
          id, app_id, ToMillis(clock_.Now()));
      if (rows.empty()) return NoSuchTask();
      std::vector<BegunItem> begun;
      for (const Int item : {std::get<0>(rows.front()), std::get<1>(rows.front())}) {
        if (auto one = items_.Begun(sql, item)) begun.push_back(*std::move(one));
      }
      return begun;
    };
    return database_.Read("look for what the ledger has of a task", work);
  }

  Result<std::optional<Task>> Claim(const TaskHolder& me,
                                    std::span<const AppId> passed_over) override {
    RETURN_IF_ERROR(CheckHolder(me));
    const std::string but_for =
        passed_over.empty() ? "" : "AND app_id NOT IN (" + NumberList(passed_over) + ") ";
    // What was left behind first: it was asked for before most that waits.
    const std::string left =
        "SELECT task_id FROM tasks WHERE state = 1 AND held_until_ms <= :now AND "
        "holds_upload = 0 AND expires_ms > :also_now " +
        but_for + "ORDER BY seq LIMIT 1 ";
    const std::string oldest =
        "SELECT task_id FROM tasks WHERE state = 0 AND (holder = '' OR holder = :me) AND "
        "expires_ms > :now " +
        but_for + "ORDER BY seq LIMIT 1 ";
    const auto find = [&](Connection& sql, const char* locking) {
      const Int now = ToMillis(clock_.Now());
      auto rows = sql.Rows<std::tuple<Int>>(left + locking, now, now);
      if (rows.empty()) rows = sql.Rows<std::tuple<Int>>(oldest + locking, me.node, now);
      return rows;
    };
    // Whoever looks for work finds none most of the time, and that should cost no write.
    const auto look = [&](Connection& sql) -> Result<bool> { return !find(sql, "").empty(); };
    ASSIGN_OR_RETURN(const bool found, database_.Read("look for a task", look));
    if (!found) return std::optional<Task>();
    const auto work = [&](Connection& sql) -> Result<std::optional<Task>> {
      const auto rows = find(sql, "{free}");
      if (rows.empty()) return std::optional<Task>();
      const auto [id] = rows.front();
      const WallTime now = clock_.Now();
      sql.Run(
          "UPDATE tasks SET state = 1, started_ms = :now, lease = lease + 1, holder = :me, "
          "held_until_ms = :until WHERE task_id = :id",
          ToMillis(now), me.node, ToMillis(now + me.lease), id);
      auto task = steps_.ReadLive(sql, static_cast<TaskId>(id));
      if (!task.ok()) {
        RETURN_IF_ERROR(TaskSteps::GiveUp(sql, static_cast<TaskId>(id), task.status()));
        return std::optional<Task>();
      }
      return std::optional(*std::move(task));
    };
    return database_.Write("claim a task", work);
  }

  Result<int> Heartbeat(const TaskHolder& me) override {
    RETURN_IF_ERROR(CheckHolder(me));
    // Mostly there is nothing in hand, and that should cost no write.
    const auto look = [&](Connection& sql) -> Result<bool> {
      return sql.Number("SELECT COUNT(*) FROM tasks WHERE holder = :me", me.node) > 0;
    };
    ASSIGN_OR_RETURN(const bool found, database_.Read("look for tasks in hand", look));
    if (!found) return 0;
    const auto work = [&](Connection& sql) -> Result<int> {
      return static_cast<int>(sql.Run("UPDATE tasks SET held_until_ms = :until WHERE holder = :me",
                                      ToMillis(clock_.Now() + me.lease), me.node));
    };
    return database_.Write("hold tasks", work, Durability::kBuffered);
  }

  Status Release(TaskId id, int lease) override {
    const auto work = [&](Connection& sql) {
      RETURN_IF_ERROR(steps_.CheckLease(sql, id, lease));
      TaskSteps::PutBack(sql, id);
      return OkStatus();
    };
    return database_.Write("put a task back", work);
  }

  Status Finish(TaskId id, int lease, const TaskOutcome& outcome) override {
    RETURN_IF_ERROR(CheckOutcome(outcome));
    const auto work = [&](Connection& sql) {
      RETURN_IF_ERROR(steps_.CheckLease(sql, id, lease));
      ASSIGN_OR_RETURN(const TaskIdentity task, TaskSteps::IdentityOf(sql, id));
      ASSIGN_OR_RETURN(const std::string result, sealer_.Seal(task, "result", outcome.result));
      sql.Run("UPDATE tasks SET result = :result, audio_ms = :audio WHERE task_id = :id", result,
              outcome.audio.count(), id);
      return steps_.End(sql, task, outcome.state, outcome.error);
    };
    return database_.Write("finish a task", work);
  }

  Result<Task> Cancel(std::optional<AppId> within, TaskId id, const TaskOutcome& outcome) override {
    RETURN_IF_ERROR(CheckOutcome(outcome));
    if (outcome.state != TaskState::kFailed) return InvalidArgument("what is cancelled has failed");
    const auto work = [&](Connection& sql) { return steps_.Cancel(sql, within, id, outcome); };
    return database_.Write("cancel a task", work);
  }

  Result<Task> TellAgain(std::optional<AppId> within, TaskId id) override {
    const auto work = [&](Connection& sql) { return steps_.TellAgain(sql, within, id); };
    return database_.Write("have a callback made again", work);
  }

  Result<int> ResetRunning(std::string_view node, std::span<const TaskId> in_hand) override {
    const auto work = [&](Connection& sql) -> Result<int> {
      const auto rows = sql.Rows<std::tuple<Int>>(
          "SELECT task_id FROM tasks WHERE state = 1 AND "
          "(holder = :node OR (held_until_ms <= :now AND holds_upload = 0)) {lock}",
          node, ToMillis(clock_.Now()));
      int reset = 0;
      for (const auto& [number] : rows) {
        const auto id = static_cast<TaskId>(number);
        if (std::find(in_hand.begin(), in_hand.end(), id) != in_hand.end()) continue;
        TaskSteps::PutBack(sql, id);
        ++reset;
      }
      return reset;
    };
    return database_.Write("put tasks back", work);
  }

  Result<int> FailLostUploads(std::string_view node, std::string_view message) override {
    const auto work = [&](Connection& sql) -> Result<int> {
      const auto rows = sql.Rows<std::tuple<Int>>(
          "SELECT task_id FROM tasks WHERE holds_upload = 1 AND state IN (0, 1) AND "
          "(holder = :node OR held_until_ms <= :now) {lock}",
          node, ToMillis(clock_.Now()));
      for (const auto& [id] : rows) {
        ASSIGN_OR_RETURN(const TaskIdentity task,
                         TaskSteps::IdentityOf(sql, static_cast<TaskId>(id)));
        RETURN_IF_ERROR(steps_.End(sql, task, TaskState::kFailed, message));
        TaskSteps::LetGo(sql, static_cast<TaskId>(id));
      }
      return static_cast<int>(rows.size());
    };
    return database_.Write("fail tasks", work);
  }

  Result<std::vector<Task>> ClaimCallbacks(const TaskHolder& me, int limit,
                                           std::span<const TaskId> in_hand,
                                           std::span<const AppId> passed_over) override {
    RETURN_IF_ERROR(CheckHolder(me));
    RETURN_IF_ERROR(CheckLimit(limit));
    std::string pending =
        "SELECT task_id, callback_next_ms FROM tasks WHERE callback = 1 AND expires_ms > :now AND "
        "callback_next_ms <= :due AND (holder = :me OR held_until_ms <= :also_now) AND ";
    if (!in_hand.empty()) pending += "task_id NOT IN (" + NumberList(in_hand) + ") AND ";
    if (!passed_over.empty()) pending += "app_id NOT IN (" + NumberList(passed_over) + ") AND ";
    pending += "callback_tried_ms ";
    const auto find = [&](Connection& sql, const char* locking) {
      const Int now = ToMillis(clock_.Now());
      std::vector<std::tuple<Int, Int>> found;
      // Telling again is asked for at will: nobody who was not told yet waits for that.
      for (const char* tried : {"= 0", "> 0"}) {
        const int left = limit - static_cast<int>(found.size());
        if (left == 0) break;
        const auto more = sql.Rows<std::tuple<Int, Int>>(
            pending + tried + " ORDER BY seq LIMIT :limit " + locking, now, now, me.node, now,
            left);
        found.insert(found.end(), more.begin(), more.end());
      }
      return found;
    };
    const auto look = [&](Connection& sql) -> Result<bool> { return !find(sql, "").empty(); };
    ASSIGN_OR_RETURN(const bool found, database_.Read("look for callbacks", look));
    if (!found) return std::vector<Task>();
    const auto work = [&](Connection& sql) -> Result<std::vector<Task>> {
      std::vector<Task> claimed;
      for (const auto& [id, next] : find(sql, "{free}")) {
        sql.Run(
            "UPDATE tasks SET holder = :me, held_until_ms = :until, callback_next_ms = 0 "
            "WHERE task_id = :id",
            me.node, ToMillis(clock_.Now() + me.lease), id);
        auto task = steps_.ReadLive(sql, static_cast<TaskId>(id));
        if (task.ok()) {
          if (next != 0) task->callback_next = WallTime(Millis(next));
          claimed.push_back(*std::move(task));
        } else {
          RETURN_IF_ERROR(TaskSteps::GiveUp(sql, static_cast<TaskId>(id), task.status()));
        }
      }
      return claimed;
    };
    return database_.Write("claim callbacks", work);
  }

  Status NoteCallback(TaskId id, const CallbackNote& note) override {
    RETURN_IF_ERROR(CheckCallbackNote(note));
    const auto work = [&](Connection& sql) { return steps_.NoteCallback(sql, id, note); };
    return database_.Write("note a callback", work);
  }

  Result<TaskCounts> Count() override {
    const auto work = [&](Connection& sql) -> Result<TaskCounts> {
      const Int now = ToMillis(clock_.Now());
      const std::string count =
          "SELECT COUNT(*) FROM tasks WHERE state = :state AND "
          "expires_ms > :now";
      return TaskCounts{
          .waiting = static_cast<std::size_t>(sql.Number(count, TaskState::kWaiting, now)),
          .running = static_cast<std::size_t>(sql.Number(count, TaskState::kRunning, now))};
    };
    return database_.Read("count tasks", work);
  }

  Status Remove(AppId app_id, TaskId id) override {
    const auto work = [&](Connection& sql) {
      ASSIGN_OR_RETURN(const TaskIdentity task, TaskSteps::IdentityOf(sql, id));
      const bool there = sql.Number(
                             "SELECT COUNT(*) FROM tasks WHERE task_id = :id AND "
                             "expires_ms > :now",
                             id, ToMillis(clock_.Now())) > 0;
      if (task.app_id != app_id || !there) return NoSuchTask();
      forgetting_.Wipe(sql, id, ErasureCause::kRequested);
      return OkStatus();
    };
    RETURN_IF_ERROR(database_.Write("remove a task", work));
    database_.EmptyLog();
    return OkStatus();
  }

  Result<int> RemoveExpired(int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<int> {
      const auto rows = sql.Rows<std::tuple<Int>>(
          // The addition keeps databases from the index of that column: nearly all rows are in it,
          // and would be sorted for every batch.
          "SELECT task_id FROM tasks WHERE expires_ms <= :now AND holds_object + 0 = 0 "
          "ORDER BY expires_ms LIMIT :limit {free}",
          ToMillis(clock_.Now()), limit);
      for (const auto& [id] : rows) {
        forgetting_.Wipe(sql, static_cast<TaskId>(id), ErasureCause::kExpired);
      }
      return static_cast<int>(rows.size());
    };
    // What a power cut brings back is removed again, so nobody waits for the disk.
    ASSIGN_OR_RETURN(const int removed,
                     database_.Write("remove expired tasks", work, Durability::kBuffered));
    database_.EmptyLogAfter(removed, limit);
    return removed;
  }

  Result<std::vector<ErasedTask>> Erase(const TaskSelector& selector, ErasureCause cause,
                                        int limit) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<std::vector<ErasedTask>> {
      std::vector<ErasedTask> erased;
      for (const TaskId id : TaskForgetting::Find(sql, selector, limit)) {
        erased.push_back({.id = id, .items = forgetting_.Describe(sql, id)});
        for (const auto& [object, call] : sql.Rows<std::tuple<Text, Text>>(
                 "SELECT object_name, call_id FROM tasks WHERE task_id = :id", id)) {
          erased.back().object = object;
          erased.back().call_id = call;
        }
        forgetting_.Wipe(sql, id, cause);
      }
      return erased;
    };
    auto erased = database_.Write("erase tasks", work);
    if (erased.ok() && !erased->empty()) database_.EmptyLog();
    return erased;
  }

  Result<std::vector<ObjectOfTask>> ObjectsToRemove(int limit, TaskId after,
                                                    std::optional<AppId> within) override {
    RETURN_IF_ERROR(CheckLimit(limit));
    const auto work = [&](Connection& sql) -> Result<std::vector<ObjectOfTask>> {
      const Int now = ToMillis(clock_.Now());
      std::vector<ObjectOfTask> objects;
      for (const auto& [id, name] : sql.Rows<std::tuple<Int, Text>>(
               "SELECT task_id, object_name FROM tasks WHERE holds_object = 1 AND "
               "(state IN (2, 3) OR expires_ms <= :now OR audio_expires_ms <= :also_now) "
               "AND task_id > :after AND (app_id = :within OR :any = 0) "
               "ORDER BY task_id LIMIT :limit",
               now, now, after, within.value_or(0), within.value_or(0), limit)) {
        objects.push_back({.task = static_cast<TaskId>(id), .name = name});
      }
      return objects;
    };
    return database_.Read("look for recordings to remove", work);
  }

  Status ObjectIsGone(TaskId id) override {
    const auto work = [&](Connection& sql) {
      forgetting_.AudioIsGone(sql, id, ToMillis(clock_.Now()));
      return OkStatus();
    };
    return database_.Write("forget a recording", work);
  }

 private:
  Database& database_;
  const Clock& clock_;
  const TaskSealer sealer_;
  const ItemBook& items_;
  const TaskForgetting forgetting_;
  const TaskSteps steps_;
};

}  // namespace

std::unique_ptr<Tasks> MakeSqlTasks(Database& database, const Clock& clock, Sealer& sealer,
                                    const ItemBook& items) {
  return std::make_unique<SqlTasks>(database, clock, sealer, items);
}

}  // namespace lethe
