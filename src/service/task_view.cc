#include "service/task_view.h"

#include "outbound/url.h"
#include "service/internal/recording_task_request.h"
#include "service/internal/task_outcome.h"

namespace lethe {
namespace {

std::string HostOf(const std::string& url) {
  const auto parsed = ParseOutboundUrl(url);
  return parsed.ok() ? parsed->host : "";
}

}  // namespace

TaskView ViewOf(const Task& task, const std::optional<TaskProgress>& progress) {
  const bool failed = task.state == TaskState::kFailed;
  const bool ended = failed || task.state == TaskState::kSuccess;
  const auto request = ReadTaskRequest(task.request);
  TaskView view{.id = task.id,
                .app_id = task.app_id,
                .state = task.state,
                .engine = task.engine,
                .is_fetched = request.ok() && !request->url.empty(),
                .created = task.created,
                .expires = task.expires,
                .started = task.started,
                .finished = task.finished};
  if (task.state == TaskState::kSuccess) {
    view.audio = task.audio;
  } else if (task.state == TaskState::kRunning && progress) {
    view.audio = progress->total;
    view.progress = progress;
  }
  if (failed) {
    view.error_code = FailureCode(task.result);
    view.error = task.error;
  }
  if (!task.callback_url.empty()) {
    view.callback = TaskView::Callback{.host = HostOf(task.callback_url),
                                       .state = task.callback,
                                       .attempts = task.callback_attempts,
                                       .outcome = task.callback_outcome,
                                       .tried = task.callback_tried,
                                       .next = task.callback_next};
  }
  view.can_cancel = !ended;
  view.can_try_again = failed && view.is_fetched;
  view.can_tell_again = ended && view.callback && task.callback != CallbackState::kPending;
  return view;
}

}  // namespace lethe
