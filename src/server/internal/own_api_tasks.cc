#include "server/internal/own_api_tasks.h"

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/random.h"
#include "server/internal/api3_actions.h"
#include "server/internal/own_api_json.h"
#include "server/internal/processing.h"

namespace lethe::server_internal {
namespace {

using Json = OwnApiJson;

constexpr int kPage = 100, kMaxPage = 200;
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

enum class Action { kCancel, kRetry, kCallBack };

struct WantedChange {
  std::optional<AppId> within;
  TaskId task = 0;
  Action action = Action::kCancel;
};

Result<WantedChange> ReadChange(const OwnApiCaller& caller, const std::string& body) {
  ASSIGN_OR_RETURN(const Json object, ReadObject(body, {"app_id", "task_id", "action"}));
  std::optional<AppId> app_id;
  std::optional<TaskId> task;
  std::string action;
  RETURN_IF_ERROR(ReadNumber(object, "app_id", &app_id));
  RETURN_IF_ERROR(ReadNumber(object, "task_id", &task));
  RETURN_IF_ERROR(ReadText(object, "action", &action));
  if (!task) return InvalidArgument("say which task: task_id");
  WantedChange wanted{.within = caller.app_id, .task = *task};
  if (app_id) {
    ASSIGN_OR_RETURN(wanted.within, NamedApplication(caller, app_id));
  }
  if (action == "cancel") return wanted;
  wanted.action = action == "retry" ? Action::kRetry : Action::kCallBack;
  if (action == "retry" || action == "call_back") return wanted;
  return InvalidArgument("action is one of cancel, retry, call_back");
}

HttpResponse Answer(FaceContext& context, const Result<TaskView>& task) {
  if (!task.ok()) return OwnApiError(task.status());
  return OwnApiAnswer({{"now", UnixSeconds(context.clock.Now())}, {"task", Show(*task)}});
}

HttpResponse Refuse(const ProcessingRefusal& refusal) {
  switch (refusal.reason) {
    case ProcessingRefusal::Reason::kConsent:
    case ProcessingRefusal::Reason::kSubject:
    case ProcessingRefusal::Reason::kOverdue:
      return OwnApiError(403, "permission_denied", refusal.message);
    case ProcessingRefusal::Reason::kSpent:
      return OwnApiError(ResourceExhausted(refusal.message));
    case ProcessingRefusal::Reason::kUnavailable:
      break;
  }
  return OwnApiError(Unavailable(refusal.message));
}

// Asks once more for what a failed task was asked for, as a call of its own: all that CreateRecTask
// looks at is looked at, and what is refused is counted.
HttpResponse Retry(FaceContext& context, RecordingTasks& tasks, const WantedChange& wanted) {
  const auto former = tasks.RequestOf(wanted.within, wanted.task);
  if (!former.ok()) return OwnApiError(former.status());
  const auto application = context.store.applications().Find(former->app_id);
  if (!application.ok()) return OwnApiError(application.status());
  if (!application->enabled) return OwnApiError(403, "disabled", "the application is disabled");
  const std::string request_id = RandomUuid();
  const WallTime start = context.clock.Now();
  const CancellableCall under_way(context.calls, *application, request_id, former->subject);
  const auto count = [&](const ApiError& error) {
    context.meter.Record({.app_id = application->id,
                          .interface = Interface::kRecording,
                          .call_id = request_id,
                          .result_code = error.code,
                          .start = start,
                          .end = context.clock.Now(),
                          .subject = former->subject},
                         under_way.erased());
  };
  const auto entered = context.gate.Enter(*application, Interface::kRecording);
  if (const auto* refusal = std::get_if<GateRefusal>(&entered)) {
    count(GateError(*refusal));
    return OwnApiError(ResourceExhausted(GateError(*refusal).message));
  }
  if (const auto refusal = CheckProcessing(context, *application, {former->subject, OkStatus()})) {
    count(ProcessingError(*refusal));
    return Refuse(*refusal);
  }
  const auto id = tasks.Submit(application->id, request_id, former->request, "", former->subject);
  if (!id.ok()) {
    count(SubmitError(id.status()));
    return id.status().code() == StatusCode::kPermissionDenied
               ? OwnApiError(403, "permission_denied", id.status().message())
               : OwnApiError(id.status());
  }
  // Whoever erased the former task, or all of somebody, may have looked before the new one was
  // there. Where the records do not say, there is no new one either.
  const Status former_now = context.store.tasks().Find(application->id, wanted.task).status();
  if (under_way.cancelled() || !former_now.ok()) {
    const Status gone = context.store.tasks().Remove(application->id, *id);
    const bool is_counted = tasks.GiveUp(*id);  // by whoever has taken it up
    if (!gone.ok() && gone.code() != StatusCode::kNotFound) return OwnApiError(gone);
    if (!is_counted) count({"FailedOperation", "The call was erased on request."});
    const bool is_erased = former_now.ok() || former_now.code() == StatusCode::kNotFound;
    return OwnApiError(is_erased ? NotFound("the task was erased") : former_now);
  }
  const auto made = tasks.List({.within = application->id, .task = *id, .limit = 1});
  if (!made.ok()) return OwnApiError(made.status());
  if (made->tasks.empty()) return OwnApiError(NotFound("the new task was erased"));
  return Answer(context, made->tasks.front());
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
  const auto wanted = ReadChange(caller, body);
  if (!wanted.ok()) return OwnApiError(wanted.status());
  if (wanted->action == Action::kRetry) return Retry(context, tasks, *wanted);
  std::variant<Permit, GateRefusal> entered;
  if (caller.app_id) {
    // Each may make the service call somebody, so a key may not do it faster than it makes tasks.
    const auto application = context.store.applications().Find(*caller.app_id);
    if (!application.ok()) return OwnApiError(application.status());
    entered = context.gate.Enter(*application, Interface::kRecording);
  }
  if (const auto* refusal = std::get_if<GateRefusal>(&entered)) {
    return OwnApiError(ResourceExhausted(GateError(*refusal).message));
  }
  return Answer(context, wanted->action == Action::kCancel
                             ? tasks.Cancel(wanted->within, wanted->task)
                             : tasks.TellAgain(wanted->within, wanted->task));
}

}  // namespace lethe::server_internal
