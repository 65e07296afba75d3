#include "server/internal/own_api_tasks.h"

#include <array>
#include <cstdint>
#include <optional>

#include "server/internal/own_api_json.h"

namespace lethe::server_internal {
namespace {

using Json = OwnApiJson;

constexpr int kPage = 100, kMaxPage = 1000;
constexpr std::array kStates = {TaskState::kWaiting, TaskState::kRunning, TaskState::kSuccess,
                                TaskState::kFailed};

double Seconds(Millis time) { return static_cast<double>(time.count()) / 1000; }

const char* CallbackStateName(CallbackState state) {
  switch (state) {
    case CallbackState::kNone:
      return "waiting";
    case CallbackState::kPending:
      return "pending";
    case CallbackState::kDelivered:
      return "delivered";
    case CallbackState::kGivenUp:
      return "given_up";
  }
  return "";
}

Json Show(const TaskView::Callback& callback) {
  Json shown = {{"host", callback.host},
                {"state", CallbackStateName(callback.state)},
                {"attempts", callback.attempts}};
  if (!callback.outcome.empty()) shown["error"] = callback.outcome;
  if (callback.tried) shown["last"] = UnixSeconds(*callback.tried);
  if (callback.next) shown["next"] = UnixSeconds(*callback.next);
  return shown;
}

Json Show(const TaskView& task) {
  Json shown = {{"task_id", task.id},
                {"app_id", task.app_id},
                {"state", TaskStateName(task.state)},
                {"engine", task.engine},
                {"source", task.is_fetched ? "url" : "upload"},
                {"created", UnixSeconds(task.created)}};
  if (task.started) shown["started"] = UnixSeconds(*task.started);
  if (task.finished) shown["ended"] = UnixSeconds(*task.finished);
  shown["expires"] = UnixSeconds(task.expires);
  if (task.audio) shown["audio_seconds"] = Seconds(*task.audio);
  if (task.progress) {
    shown["progress"] = {{"done_seconds", Seconds(task.progress->done)}};
    if (task.progress->total) shown["progress"]["total_seconds"] = Seconds(*task.progress->total);
  }
  if (!task.error_code.empty()) {
    shown["error"] = {{"code", task.error_code}, {"message", task.error}};
  }
  if (task.callback) shown["callback"] = Show(*task.callback);
  Json actions = Json::array();
  if (task.can_cancel) actions.push_back("cancel");
  if (task.can_try_again) actions.push_back("retry");
  if (task.can_tell_again) actions.push_back("call_back");
  shown["actions"] = std::move(actions);
  return shown;
}

Result<TaskQuery> ReadTaskQuery(FaceContext& context, const OwnApiCaller& caller,
                                const HttpRequest& request) {
  const Json query = ReadQuery(request);
  std::optional<AppId> app_id;
  std::optional<std::int64_t> after;
  std::optional<int> limit;
  std::string state;
  TaskQuery wanted;
  RETURN_IF_ERROR(ReadNumber(query, "app_id", &app_id));
  RETURN_IF_ERROR(ReadNumber(query, "task_id", &wanted.task));
  RETURN_IF_ERROR(ReadNumber(query, "after", &after));
  RETURN_IF_ERROR(ReadNumber(query, "limit", &limit));
  RETURN_IF_ERROR(ReadText(query, "state", &state));
  for (const TaskState known : kStates) {
    if (state == TaskStateName(known)) wanted.state = known;
  }
  if (!state.empty() && !wanted.state) {
    return InvalidArgument("state is one of waiting, running, success, failed");
  }
  wanted.limit = limit.value_or(kPage);
  if (wanted.limit < 1 || wanted.limit > kMaxPage) {
    return InvalidArgument("limit is at most " + std::to_string(kMaxPage));
  }
  wanted.before = after.value_or(0);
  if (wanted.before < 0) return InvalidArgument("after is what \"next\" of an answer says");
  wanted.within = caller.app_id;
  if (!app_id) return wanted;
  ASSIGN_OR_RETURN(wanted.within, NamedApplication(caller, app_id));
  RETURN_IF_ERROR(context.store.applications().Find(*wanted.within).status());
  return wanted;
}

using Action = Result<TaskView> (RecordingTasks::*)(std::optional<AppId>, TaskId);

struct WantedChange {
  TaskId task = 0;
  Action action = nullptr;
};

Result<WantedChange> ReadChange(const std::string& body) {
  ASSIGN_OR_RETURN(const Json object, ReadObject(body, {"task_id", "action"}));
  std::optional<TaskId> task;
  std::string action;
  RETURN_IF_ERROR(ReadNumber(object, "task_id", &task));
  RETURN_IF_ERROR(ReadText(object, "action", &action));
  if (!task) return InvalidArgument("say which task: task_id");
  if (action == "cancel") return WantedChange{*task, &RecordingTasks::Cancel};
  if (action == "retry") return WantedChange{*task, &RecordingTasks::TryAgain};
  if (action == "call_back") return WantedChange{*task, &RecordingTasks::TellAgain};
  return InvalidArgument("action is one of cancel, retry, call_back");
}

}  // namespace

HttpResponse ShowTasks(FaceContext& context, RecordingTasks& tasks, const OwnApiCaller& caller,
                       const HttpRequest& request) {
  const auto wanted = ReadTaskQuery(context, caller, request);
  if (!wanted.ok()) return OwnApiError(wanted.status());
  const auto views = tasks.List(*wanted);
  if (!views.ok()) return OwnApiError(views.status());
  Json list = Json::array();
  for (const TaskView& task : views->tasks) list.push_back(Show(task));
  Json answer = {{"now", UnixSeconds(context.clock.Now())}, {"tasks", std::move(list)}};
  if (views->next) answer["next"] = std::to_string(*views->next);
  return OwnApiAnswer(answer);
}

HttpResponse ChangeTask(FaceContext& context, RecordingTasks& tasks, const OwnApiCaller& caller,
                        const std::string& body) {
  const auto wanted = ReadChange(body);
  if (!wanted.ok()) return OwnApiError(wanted.status());
  const auto task = (tasks.*wanted->action)(caller.app_id, wanted->task);
  if (!task.ok()) return OwnApiError(task.status());
  return OwnApiAnswer({{"now", UnixSeconds(context.clock.Now())}, {"task", Show(*task)}});
}

}  // namespace lethe::server_internal
