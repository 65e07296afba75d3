// One recording task transcribed: from its recording, wherever that is, to its outcome.

#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "service/consent_gate.h"
#include "service/internal/recording_task_request.h"
#include "service/internal/task_outcome.h"
#include "service/recording_result.h"
#include "service/recording_tasks.h"

namespace lethe {
namespace {

using Json = nlohmann::json;

// How often a stored recording that comes damaged is read.
constexpr int kReadings = 3;

}  // namespace

Result<RecordingTasks::Bytes> RecordingTasks::StoredAudio(const Task& task) {
  for (int reading = 1;; ++reading) {
    auto audio = parts_.recordings->Get(task.app_id, task.request_id, *task.recording,
                                        options_.max_fetch_bytes);
    if (audio.ok()) return Bytes(std::make_shared<const std::string>(*std::move(audio)));
    // It may have been damaged on its way.
    if (audio.status().code() != StatusCode::kDataLoss || reading == kReadings) {
      return audio.status();
    }
    const MutexLock lock(mutex_);
    if (AwaitStop(options_.poll)) return Unavailable("the service is stopping");
  }
}

Result<RecordingTasks::Bytes> RecordingTasks::Audio(const Task& task,
                                                    const RecordingTaskRequest& request,
                                                    const RunState& run) {
  if (task.recording) return StoredAudio(task);
  if (request.url.empty()) {
    const MutexLock lock(mutex_);
    const auto upload = uploads_.find(task.id);
    if (upload == uploads_.end()) return DataLoss("the uploaded recording is gone; send it again");
    return upload->second.bytes;
  }
  auto bytes = std::make_shared<std::string>();
  FetchLimits limits{.max_bytes = options_.max_fetch_bytes};
  limits.cancelled = [this, &run] {
    const MutexLock lock(mutex_);
    return stopping_ || run.stop;
  };
  RETURN_IF_ERROR(parts_.outbound.Fetch(request.url, limits, [&](std::span<const std::byte> piece) {
    bytes->append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return OkStatus();
  }));
  return Bytes(std::move(bytes));
}

std::optional<TaskOutcome> RecordingTasks::RunIfAllowed(const Task& task, RunState& run,
                                                        std::uint64_t* bytes) {
  // A withdrawal erases its tasks; one whose erasure failed, or is still to come, is seen here.
  // Where the register does not answer, the task waits.
  const TaskOutcome refused = FailedOutcome(
      InvalidArgument("the person this recording is about has withdrawn their consent"), false);
  auto withdrawn = HasWithdrawn(parts_.store.consents(), task.app_id, task.subject);
  if (!withdrawn.ok()) return std::nullopt;
  if (*withdrawn) return refused;
  std::optional<TaskOutcome> outcome = Run(task, run, bytes);
  if (!outcome) return outcome;
  withdrawn = HasWithdrawn(parts_.store.consents(), task.app_id, task.subject);
  if (!withdrawn.ok()) return std::nullopt;
  return *withdrawn ? refused : outcome;
}

std::optional<TaskOutcome> RecordingTasks::Run(const Task& task, RunState& run,
                                               std::uint64_t* bytes) {
  const auto request = ReadTaskRequest(task.request);
  if (!request.ok()) return FailedOutcome(request.status(), false);
  const auto engine = parts_.engines.Find(request->engine);
  if (!engine.ok()) return FailedOutcome(engine.status(), false);
  // A vocabulary may have been removed since; then there is nothing to prefer.
  const auto hot_words = parts_.word_lists.Resolve(task.app_id, *engine->speech,
                                                   request->hot_word_list, request->vocabulary_id);
  if (hot_words.status().code() == StatusCode::kUnavailable) return std::nullopt;
  const auto audio = Audio(task, *request, run);
  // A stored recording is there as long as its time lasts, whoever does not answer just now.
  if (task.recording && audio.status().code() == StatusCode::kUnavailable) return std::nullopt;
  if (!audio.ok()) return FailedOutcome(audio.status(), !request->url.empty());
  *bytes = (*audio)->size();
  RecordingResultOptions options{.res_text_format = request->res_text_format,
                                 .sentence_max_length = request->sentence_max_length,
                                 .line_punctuation = request->post.punctuation};
  for (const std::string& id : request->keyword_library_ids) {
    auto library = parts_.store.keyword_libraries().Find(task.app_id, id);
    if (library.status().code() == StatusCode::kUnavailable) return std::nullopt;
    if (library.ok()) options.keywords.push_back(*std::move(library));
  }
  PostOptions post = request->post;
  // Lines are cut where it is, and then it may go.
  if (options.res_text_format == 3) post.punctuation = PunctuationFilter::kKeep;
  const auto transcript = parts_.recognizer.Recognize(
      {.engine = *engine,
       .audio = std::as_bytes(std::span((*audio)->data(), (*audio)->size())),
       .channels = request->split_channels ? ChannelMode::kSplit : ChannelMode::kMix,
       .words = request->res_text_format > 0,
       .post = post,
       .hot_words = hot_words.ok() ? *hot_words : nullptr,
       .progress =
           [&run](Millis done, std::optional<Millis> total) {
             run.total_ms = total ? total->count() : -1;
             run.done_ms = done.count();
           },
       .max_duration = options_.max_duration,
       .cancelled = [&run] { return run.stop.load(); }});
  if (!transcript.ok()) return FailedOutcome(transcript.status(), false);
  if (request->split_channels && transcript->channels != 2) {
    TaskOutcome outcome = FailedOutcome(
        InvalidArgument("two channels were promised, the recording has another number: " +
                        std::to_string(transcript->channels)),
        false);
    outcome.result = WriteJson(Json({{"code", 10006}}));
    return outcome;
  }
  const RecordingResult result = MakeRecordingResult(*transcript, options);
  // The detail is JSON already and stays as it is.
  return TaskOutcome{.state = TaskState::kSuccess,
                     .result = "{\"code\":0,\"text\":" + WriteJson(Json(result.text)) +
                               ",\"detail\":" + result.detail + "}",
                     .audio = transcript->duration};
}

}  // namespace lethe
