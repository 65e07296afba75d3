// CreateRecTask and DescribeTaskStatus (contract, sections 3.2 and 3.3).

#include "base/json.h"
#include "server/internal/api3_actions.h"

namespace lethe::server_internal {
namespace {

constexpr std::size_t kMaxData = std::size_t{5} << 20;
constexpr std::size_t kMaxKeywordLibrariesPerTask = 10;
constexpr std::int64_t kMinLine = 6, kMaxLine = 40;

}  // namespace

ApiError SubmitError(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kPermissionDenied:
      return {"InvalidParameterValue.ErrorInvalidUrl", status.message()};
    case StatusCode::kFailedPrecondition:
      return {"AuthFailure.UnauthorizedOperation", status.message()};
    case StatusCode::kResourceExhausted:
      return {"LimitExceeded", status.message()};
    case StatusCode::kUnavailable:
      return {"ServiceUnavailable", status.message()};
    default:
      return StoreError(status);
  }
}

ApiAnswer CreateRecTask(ApiCall& call) {
  ApiArguments& arguments = call.arguments;
  const std::int64_t channels = arguments.Number("ChannelNum", true).value_or(1);
  const std::int64_t format = arguments.Number("ResTextFormat", true).value_or(0);
  const std::int64_t source = arguments.Number("SourceType", true).value_or(0);
  const std::int64_t diarization = arguments.Number("SpeakerDiarization").value_or(0);
  const std::int64_t line = arguments.Number("SentenceMaxLength").value_or(0);
  const std::int64_t emotion = arguments.Number("EmotionRecognition").value_or(0);
  RecordingTaskRequest request;
  request.callback_url = arguments.Text("CallbackUrl").value_or("");
  request.keyword_library_ids = arguments.Texts("KeyWordLibIdList");
  auto read = ReadRecognition(call, "EngineModelType", 3);
  if (const auto* error = std::get_if<ApiError>(&read)) return *error;
  const auto& recognition = std::get<ApiRecognition>(read);
  const auto refuse = [](const char* why) { return ApiError{"InvalidParameterValue", why}; };
  if (channels != 1 && channels != 2) return refuse("`ChannelNum` is 1 or 2.");
  if (channels == 2 && recognition.engine.sample_rate != 8000) {
    return refuse(
        "`ChannelNum` 2 is for telephone calls: use an engine whose name begins with 8k.");
  }
  if (format == 4 || format == 5) {
    return refuse("`ResTextFormat` 4 and 5 need a model for Chinese that is not here; use 0 to 3.");
  }
  if (format < 0 || format > 5) return refuse("`ResTextFormat` is 0, 1, 2 or 3.");
  if (line != 0 && (line < kMinLine || line > kMaxLine)) {
    return refuse("`SentenceMaxLength` is 6 to 40, or 0.");
  }
  if (source != 0 && source != 1) {
    return ApiError{"InvalidParameterValue.ErrorInvalidSourcetype",
                    "`SourceType` is 0 for a URL or 1 for data."};
  }
  if (diarization < 0 || diarization == 2 || diarization > 3) {
    return refuse("`SpeakerDiarization` is 0 or 1.");
  }
  if (diarization == 3 || !arguments.Objects("SpeakerRoles").empty()) {
    return refuse("Lethe does not tell speakers apart by their voice; with two channels it does.");
  }
  if (emotion != 0) return refuse("Lethe does not guess at emotions: leave it at 0.");
  if (request.keyword_library_ids.size() > kMaxKeywordLibrariesPerTask) {
    return refuse("`KeyWordLibIdList` may name at most 10 libraries.");
  }
  for (const std::string& id : request.keyword_library_ids) {
    const auto found = call.context.store.keyword_libraries().Find(call.application.id, id);
    if (!found.ok() && found.status().code() == StatusCode::kNotFound) {
      return refuse("`KeyWordLibIdList` names a library that this application does not have.");
    }
    if (!found.ok()) return StoreError(found.status());
  }
  request.engine = recognition.engine.name;
  request.zero_retention = call.zero_retention;
  request.split_channels = channels == 2;
  request.res_text_format = static_cast<int>(format);
  request.sentence_max_length = static_cast<int>(line);
  request.post = recognition.post;
  request.hot_word_list = recognition.hot_word_list;
  request.vocabulary_id = recognition.vocabulary_id;
  // Told now, not when the task fails.
  const auto words =
      call.context.word_lists.Resolve(call.application.id, *recognition.engine.speech,
                                      request.hot_word_list, request.vocabulary_id);
  if (!words.ok()) return WordListError(words.status());
  std::string upload;
  if (source == 1) {
    auto data = ReadData(call, kMaxData);
    if (const auto* error = std::get_if<ApiError>(&data)) return *error;
    upload = std::get<std::string>(std::move(data));
  } else {
    request.url = arguments.Text("Url", true).value_or("");
    if (arguments.error()) return *arguments.error();
  }
  const auto id = call.tasks.Submit(call.application.id, call.request_id, request,
                                    std::move(upload), call.subject);
  if (id.ok() && call.under_way.cancelled()) {
    // Whoever erased the call may have looked for its task before it was there.
    call.tasks.GiveUp(*id);
    const Status gone = call.context.store.tasks().Remove(call.application.id, *id);
    if (!gone.ok() && gone.code() != StatusCode::kNotFound) return StoreError(gone);
  }
  if (!id.ok()) return SubmitError(id.status());
  return ApiFields{{"Data", {{"TaskId", *id}}}};
}

ApiAnswer DescribeTaskStatus(ApiCall& call) {
  const std::int64_t id = call.arguments.Number("TaskId", true).value_or(0);
  if (call.arguments.error()) return *call.arguments.error();
  const auto task = call.context.store.tasks().Find(call.application.id, static_cast<TaskId>(id));
  if (!task.ok()) {
    if (task.status().code() != StatusCode::kNotFound) return StoreError(task.status());
    return ApiError{"FailedOperation.NoSuchTask",
                    "There is no such task, or it is older than a day."};
  }
  ApiFields text = "", detail = ApiFields::array();
  if (task->state == TaskState::kSuccess) {
    const ApiFields result = ParseJson<ApiFields>(task->result);
    if (!result.is_object()) {
      return ApiError{"InternalError", "The result of this task cannot be read."};
    }
    text = result.value("text", "");
    detail = result.value("detail", ApiFields());
  }
  constexpr const char* kNames[] = {"waiting", "doing", "success", "failed"};
  const auto state = static_cast<int>(task->state);
  return ApiFields{{"Data",
                    {{"TaskId", task->id},
                     {"Status", state},
                     {"StatusStr", kNames[state]},
                     {"Result", std::move(text)},
                     {"ErrorMsg", task->error},
                     {"ResultDetail", std::move(detail)},
                     {"AudioDuration", static_cast<double>(task->audio.count()) / 1000}}}};
}

}  // namespace lethe::server_internal
