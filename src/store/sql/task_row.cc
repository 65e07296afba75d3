#include "store/sql/internal/task_row.h"

#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Row =
    std::tuple<Int, Int, Int, Int, Text, Text, Text, Int, Text, Int, Text, Int, Int, Int, Int, Int,
               Int, Int, Int, Text, Text, Int, Text, Text, Int, Text, Text, Int, Int>;

// All that a task is, with that in place of its result.
std::string Select(const std::string& result) {
  return "SELECT seq, task_id, app_id, uin, request_id, engine, request, holds_upload, holder, "
         "held_until_ms, callback_url, callback, callback_attempts, state, lease, created_ms, "
         "expires_ms, started_ms, finished_ms, error, " +
         result +
         ", audio_ms, object_name, object_key, audio_expires_ms, subject, callback_outcome, "
         "callback_tried_ms, callback_next_ms FROM tasks ";
}

std::optional<WallTime> TimeIfAny(Int millis) {
  if (millis == 0) return std::nullopt;
  return FromMillis(millis);
}

Task ToTask(const Row& row, WallTime now) {
  const auto& [seq, id, app_id, uin, request_id, engine, request, holds_upload, holder, held_until,
               callback_url, callback, attempts, state, lease, created, expires, started, finished,
               error, result, audio, object_name, object_key, audio_expires, subject,
               callback_outcome, callback_tried, callback_next] = row;
  std::optional<StoredRecording> recording;
  if (!object_key.empty() && FromMillis(audio_expires) > now) {
    recording = StoredRecording{.name = object_name, .key = object_key};
  }
  return {.id = static_cast<TaskId>(id),
          .app_id = static_cast<AppId>(app_id),
          .uin = static_cast<Uin>(uin),
          .request_id = request_id,
          .engine = engine,
          .request = request,
          .subject = subject,
          .holds_upload = holds_upload != 0,
          .recording = std::move(recording),
          .holder = holder,
          .held_until = FromMillis(held_until),
          .callback_url = callback_url,
          .callback = static_cast<CallbackState>(callback),
          .callback_attempts = static_cast<int>(attempts),
          .callback_outcome = callback_outcome,
          .callback_tried = TimeIfAny(callback_tried),
          .callback_next = TimeIfAny(callback_next),
          .state = static_cast<TaskState>(state),
          .lease = static_cast<int>(lease),
          .created = FromMillis(created),
          .expires = FromMillis(expires),
          .started = TimeIfAny(started),
          .finished = TimeIfAny(finished),
          .error = error,
          .result = result,
          .audio = Millis(audio)};
}

}  // namespace

std::optional<Task> ReadTask(Connection& sql, TaskId id, WallTime now) {
  const auto rows = sql.Rows<Row>(Select("result") + "WHERE task_id = :id AND expires_ms > :now",
                                  id, ToMillis(now));
  if (rows.empty()) return std::nullopt;
  return ToTask(rows.front(), now);
}

TaskPage ReadTasks(Connection& sql, const TaskQuery& query, WallTime now) {
  // Every choice of these has an index that gives the newest first: of tasks, of applications, of
  // states, of both, or of all.
  const auto [column, value] = query.task ? std::pair("task_id =", static_cast<Int>(*query.task))
                               : query.within
                                   ? std::pair("app_id =", static_cast<Int>(*query.within))
                                   : std::pair("seq >", Int{0});
  const std::string state =
      query.state ? " AND state = " + std::to_string(static_cast<int>(*query.state)) : "";
  const Int before = query.before > 0 ? query.before : std::numeric_limits<Int>::max();
  // First which, then what they are: the texts, which may be long, are read of those only.
  const auto rows = sql.Rows<Row>(
      Select("CASE WHEN state = 3 THEN result ELSE '' END") + "JOIN (SELECT seq AS place FROM " +
          "tasks WHERE " + column + " :value" + state +
          " AND seq < :before AND expires_ms > :now ORDER BY seq DESC LIMIT :limit) AS page ON " +
          "seq = place ORDER BY seq DESC",
      value, before, ToMillis(now), query.limit);
  TaskPage page;
  for (const Row& row : rows) {
    Task task = ToTask(row, now);
    if (!query.within || task.app_id == *query.within) page.tasks.push_back(std::move(task));
  }
  if (!query.task && static_cast<int>(rows.size()) == query.limit) {
    page.next = std::get<0>(rows.back());
  }
  return page;
}

}  // namespace lethe
