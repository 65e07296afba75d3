#include "store/sql/internal/task_forgetting.h"

#include <tuple>
#include <utility>

#include "store/sql/internal/repositories.h"

namespace lethe {
namespace {

constexpr Int kErased = 0;  // when it expired: before anything

struct Held {
  Int item = 0, audio_item = 0;
  bool object = false;
};

std::optional<Held> Look(Connection& sql, TaskId id) {
  const auto rows = sql.Rows<std::tuple<Int, Int, Int>>(
      "SELECT item, audio_item, holds_object FROM tasks WHERE task_id = :id {lock}", id);
  if (rows.empty()) return std::nullopt;
  const auto& [item, audio_item, object] = rows.front();
  return Held{item, audio_item, object != 0};
}

}  // namespace

void TaskForgetting::Wipe(Connection& sql, TaskId id, ErasureCause cause) const {
  const auto held = Look(sql, id);
  if (!held) return;
  items_.Erase(sql, held->item, 1, cause);
  if (!held->object) {
    sql.Run("DELETE FROM tasks WHERE task_id = :id", id);
    items_.ForgetRefusal(sql, held->audio_item);
    return;
  }
  // Its keys go with the texts they are beside, and the object's with them.
  sql.Run(
      "UPDATE tasks SET item = 0, expires_ms = :erased, erase_cause = :cause, request_id = '', "
      "call_id = '', subject = '', request = '', callback_url = '', callback = 0, "
      "callback_outcome = '', error = '', result = '', object_key = '', holder = '', held_until_ms "
      "= 0 WHERE task_id = :id",
      kErased, cause, id);
}

void TaskForgetting::AudioIsGone(Connection& sql, TaskId id, Int now_ms) const {
  const auto rows = sql.Rows<std::tuple<Int, Int, Int, Int>>(
      "SELECT audio_item, state, expires_ms, erase_cause FROM tasks WHERE task_id = :id {lock}",
      id);
  if (rows.empty()) return;
  const auto& [audio_item, state, expires, erase_cause] = rows.front();
  const bool finished = state == static_cast<Int>(TaskState::kSuccess) ||
                        state == static_cast<Int>(TaskState::kFailed);
  const ErasureCause cause = expires == kErased             ? static_cast<ErasureCause>(erase_cause)
                             : finished && expires > now_ms ? ErasureCause::kTaskEnded
                                                            : ErasureCause::kExpired;
  items_.Erase(sql, audio_item, 1, cause);
  if (expires == kErased) {
    sql.Run("DELETE FROM tasks WHERE task_id = :id", id);
    return;
  }
  sql.Run(
      "UPDATE tasks SET audio_item = 0, holds_object = 0, object_name = '', object_key = '' "
      "WHERE task_id = :id",
      id);
}

std::vector<TaskId> TaskForgetting::Find(Connection& sql, const TaskSelector& selector, int limit) {
  std::vector<TaskId> found;
  const auto add = [&](const std::vector<std::tuple<Int>>& rows) {
    for (const auto& [id] : rows) found.push_back(static_cast<TaskId>(id));
  };
  const auto one = [&](const std::string& column, const auto& value) {
    // Nobody has the number 0, so that means any.
    const AppId within = selector.within.value_or(0);
    add(sql.Rows<std::tuple<Int>>(
        "SELECT task_id FROM tasks WHERE expires_ms > :erased AND " + column +
            " = :value AND (app_id = :within OR :any = 0) LIMIT :limit {lock}",
        kErased, value, within, within, limit));
  };
  if (selector.task) {
    one("task_id", *selector.task);
  } else if (!selector.request_id.empty()) {
    one("call_id", selector.request_id);
  } else if (selector.app_id) {
    one("app_id", *selector.app_id);
  } else if (selector.uin) {
    one("uin", *selector.uin);
  } else if (!selector.subject.empty()) {
    one("subject", selector.subject);
  }
  return found;
}

std::vector<ErasedItem> TaskForgetting::Describe(Connection& sql, TaskId id) const {
  std::vector<ErasedItem> items;
  const auto held = Look(sql, id);
  if (!held) return items;
  for (const Int item : {held->item, held->audio_item}) {
    if (auto described = items_.Describe(sql, item)) items.push_back(*std::move(described));
  }
  return items;
}

void TaskForgetting::WipeAgain(Connection& sql, Int item, DataClass data_class) const {
  if (data_class == DataClass::kAudio) {
    // The object is removed as of a task that is erased; its item is not told again.
    for (const auto& [id] : sql.Rows<std::tuple<Int>>(
             "SELECT task_id FROM tasks WHERE audio_item = :item {lock}", item)) {
      sql.Run(
          "UPDATE tasks SET audio_item = 0, object_key = '', audio_expires_ms = 0 "
          "WHERE task_id = :id",
          id);
    }
    return;
  }
  if (data_class == DataClass::kOperationLog) {
    sql.Run("DELETE FROM operations WHERE item = :item", item);
    return;
  }
  if (data_class == DataClass::kMonitoring) {
    sql.Run("DELETE FROM finished_calls WHERE item = :item", item);
    return;
  }
  for (const auto& [id] :
       sql.Rows<std::tuple<Int>>("SELECT task_id FROM tasks WHERE item = :item {lock}", item)) {
    sql.Run("UPDATE tasks SET item = 0 WHERE task_id = :id", id);
    Wipe(sql, static_cast<TaskId>(id), ErasureCause::kRequested);
  }
}

}  // namespace lethe
