#include "store/sql/internal/task_row.h"

#include <string>
#include <tuple>
#include <utility>

#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

using Row = std::tuple<Int, Int, Int, Text, Text, Text, Int, Text, Int, Text, Int, Int, Int, Int,
                       Int, Int, Int, Int, Text, Text, Int, Text, Text, Int, Text>;

const std::string kSelect =
    "SELECT task_id, app_id, uin, request_id, engine, request, holds_upload, holder, "
    "held_until_ms, "
    "callback_url, callback, callback_attempts, state, lease, created_ms, expires_ms, started_ms, "
    "finished_ms, error, result, audio_ms, object_name, object_key, audio_expires_ms, "
    "subject FROM tasks ";

std::optional<WallTime> TimeIfAny(Int millis) {
  if (millis == 0) return std::nullopt;
  return FromMillis(millis);
}

Task ToTask(const Row& row, WallTime now) {
  const auto& [id, app_id, uin, request_id, engine, request, holds_upload, holder, held_until,
               callback_url, callback, attempts, state, lease, created, expires, started, finished,
               error, result, audio, object_name, object_key, audio_expires, subject] = row;
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
  const auto rows =
      sql.Rows<Row>(kSelect + "WHERE task_id = :id AND expires_ms > :now", id, ToMillis(now));
  if (rows.empty()) return std::nullopt;
  return ToTask(rows.front(), now);
}

}  // namespace lethe
