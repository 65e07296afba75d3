#include "service/recording_tasks.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "service/recording_result.h"

namespace lethe {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kPoll{1'000};
constexpr int kSweepBatch = 100;
constexpr int kCallbackBatch = 16;

std::string ToJson(const RecordingTaskRequest& request) {
  return Json({{"engine", request.engine},
               {"split", request.split_channels},
               {"format", request.res_text_format},
               {"line", request.sentence_max_length},
               {"profanity", static_cast<int>(request.post.profanity)},
               {"fillers", static_cast<int>(request.post.fillers)},
               {"punctuation", static_cast<int>(request.post.punctuation)},
               {"numbers", static_cast<int>(request.post.numbers)},
               {"hot_words", request.hot_word_list},
               {"vocabulary", request.vocabulary_id},
               {"keywords", request.keyword_library_ids},
               {"url", request.url}})
      .dump();
}

Result<RecordingTaskRequest> FromJson(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  RecordingTaskRequest request;
  try {
    request.engine = json.at("engine");
    request.split_channels = json.at("split");
    request.res_text_format = json.at("format");
    request.sentence_max_length = json.at("line");
    request.post.profanity = static_cast<ProfanityFilter>(json.at("profanity").get<int>());
    request.post.fillers = static_cast<FillerFilter>(json.at("fillers").get<int>());
    request.post.punctuation = static_cast<PunctuationFilter>(json.at("punctuation").get<int>());
    request.post.numbers = static_cast<NumberFormat>(json.at("numbers").get<int>());
    request.hot_word_list = json.at("hot_words");
    request.vocabulary_id = json.at("vocabulary");
    request.keyword_library_ids = json.at("keywords").get<std::vector<std::string>>();
    request.url = json.at("url");
  } catch (const Json::exception&) {
    return DataLoss("the stored task cannot be read");
  }
  return request;
}

// The contract's code for a callback (section 4.1), kept with the task.
int CallbackCode(const Status& status, bool fetching) {
  if (status.ok()) return 0;
  if (fetching) return 10007;
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return 10004;
    case StatusCode::kResourceExhausted:
      return 10003;
    default:
      return 10005;
  }
}

TaskOutcome Failed(const Status& status, bool fetching) {
  const std::string error =
      fetching ? "Failed to download audio file! " + status.message() : status.message();
  return {.state = TaskState::kFailed,
          .result = Json({{"code", CallbackCode(status, fetching)}}).dump(),
          .error = error.substr(0, kMaxTaskText)};
}

}  // namespace

RecordingTasks::RecordingTasks(const Parts& parts, const RecordingTaskOptions& options)
    : parts_(parts), options_(options), callbacks_(parts.outbound, parts.clock) {
  (void)parts_.store.tasks().FailLostUploads(
      "the service was restarted before the uploaded recording was transcribed; send it again");
  (void)parts_.store.tasks().ResetRunning();
  for (int i = 0; i < options_.num_workers; ++i) threads_.emplace_back([this] { Work(); });
  threads_.emplace_back([this] { TellCallers(); });
  threads_.emplace_back([this] { Sweep(); });
}

Result<TaskId> RecordingTasks::Submit(AppId app_id, const std::string& request_id,
                                      const RecordingTaskRequest& request, std::string upload) {
  for (const std::string* url : {&request.url, &request.callback_url}) {
    if (!url->empty()) RETURN_IF_ERROR(parts_.outbound.CheckUrl(*url));
  }
  const std::size_t bytes = upload.size();
  std::unique_lock lock(mutex_);
  if (stopping_) return Unavailable("the service is stopping; try again elsewhere");
  if (upload_bytes_ + bytes > options_.max_upload_memory) {
    return ResourceExhausted("too many uploaded recordings are waiting; try again later");
  }
  upload_bytes_ += bytes;
  // The row is written under the lock: a worker that claims it must find the upload.
  auto task = parts_.store.tasks().Create({.app_id = app_id,
                                           .request_id = request_id,
                                           .engine = request.engine,
                                           .request = ToJson(request),
                                           .callback_url = request.callback_url,
                                           .holds_upload = bytes > 0});
  if (!task.ok()) {
    upload_bytes_ -= bytes;
    return task.status();
  }
  if (bytes > 0) {
    uploads_.emplace(task->id, std::make_shared<const std::string>(std::move(upload)));
  }
  ++news_;
  lock.unlock();
  changed_.notify_all();
  return task->id;
}

void RecordingTasks::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::vector<AppId> RecordingTasks::Busy() {
  std::vector<AppId> busy;
  for (const auto& [app_id, count] : running_) {
    if (count >= options_.max_running_per_application) busy.push_back(app_id);
  }
  return busy;
}

void RecordingTasks::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::uint64_t seen = news_;
    const auto claimed = parts_.store.tasks().Claim(Busy());
    if (!claimed.ok() || !claimed->has_value()) {
      // Other processes may put tasks into the same store, so it is looked at now and then.
      changed_.wait_for(lock, kPoll, [&] { return stopping_ || news_ != seen; });
      continue;
    }
    const Task& task = **claimed;
    ++running_[task.app_id];
    lock.unlock();
    const WallTime start = parts_.clock.Now();
    const TaskOutcome outcome = Run(task);
    (void)parts_.store.tasks().Finish(task.id, task.lease, outcome);
    const bool good = outcome.state == TaskState::kSuccess;
    lock.lock();
    std::uint64_t bytes = 0;
    if (const auto upload = uploads_.find(task.id); upload != uploads_.end()) {
      bytes = upload->second->size();
      upload_bytes_ -= bytes;
      uploads_.erase(upload);
    }
    if (--running_[task.app_id] == 0) running_.erase(task.app_id);
    ++news_;
    ++told_;
    lock.unlock();
    parts_.meter.Record({.app_id = task.app_id,
                         .interface = Interface::kRecording,
                         .call_id = task.request_id,
                         .result_code = good ? "success" : "failed",
                         .succeeded = good,
                         .start = start,
                         .end = parts_.clock.Now(),
                         .audio = outcome.audio,
                         .bytes = bytes});
    changed_.notify_all();
    lock.lock();
  }
}

Result<RecordingTasks::Bytes> RecordingTasks::Audio(const Task& task,
                                                    const RecordingTaskRequest& request) {
  if (request.url.empty()) {
    const std::lock_guard lock(mutex_);
    const auto upload = uploads_.find(task.id);
    if (upload == uploads_.end()) return DataLoss("the uploaded recording is gone; send it again");
    return upload->second;
  }
  auto bytes = std::make_shared<std::string>();
  FetchLimits limits{.max_bytes = options_.max_fetch_bytes};
  limits.cancelled = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  RETURN_IF_ERROR(parts_.outbound.Fetch(request.url, limits, [&](std::span<const std::byte> piece) {
    bytes->append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return OkStatus();
  }));
  return Bytes(std::move(bytes));
}

TaskOutcome RecordingTasks::Run(const Task& task) {
  const auto request = FromJson(task.request);
  if (!request.ok()) return Failed(request.status(), false);
  const auto engine = parts_.engines.Find(request->engine);
  if (!engine.ok()) return Failed(engine.status(), false);
  const auto audio = Audio(task, *request);
  if (!audio.ok()) return Failed(audio.status(), !request->url.empty());
  RecordingResultOptions options{.res_text_format = request->res_text_format,
                                 .sentence_max_length = request->sentence_max_length};
  for (const std::string& id : request->keyword_library_ids) {
    auto library = parts_.store.keyword_libraries().Find(task.app_id, id);
    if (library.ok()) options.keywords.push_back(*std::move(library));
  }
  // A vocabulary may have been removed since; then there is nothing to prefer.
  const auto hot_words = parts_.word_lists.Resolve(task.app_id, *engine->speech,
                                                   request->hot_word_list, request->vocabulary_id);
  const auto transcript = parts_.recognizer.Recognize(
      {.engine = *engine,
       .audio = std::as_bytes(std::span((*audio)->data(), (*audio)->size())),
       .channels = request->split_channels ? ChannelMode::kSplit : ChannelMode::kMix,
       .words = request->res_text_format > 0,
       .post = request->post,
       .hot_words = hot_words.ok() ? *hot_words : nullptr,
       .max_duration = options_.max_duration});
  if (!transcript.ok()) return Failed(transcript.status(), false);
  if (request->split_channels && transcript->channels != 2) {
    TaskOutcome outcome =
        Failed(InvalidArgument("two channels were promised, the recording has another number: " +
                               std::to_string(transcript->channels)),
               false);
    outcome.result = Json({{"code", 10006}}).dump();
    return outcome;
  }
  const RecordingResult result = MakeRecordingResult(*transcript, options);
  // The detail is JSON already and stays as it is.
  return {.state = TaskState::kSuccess,
          .result = "{\"code\":0,\"text\":" + Json(result.text).dump() +
                    ",\"detail\":" + result.detail + "}",
          .audio = transcript->duration};
}

void RecordingTasks::Tell(const Task& task) {
  const auto request = FromJson(task.request);
  const auto result = nlohmann::ordered_json::parse(task.result, nullptr, false);
  CallbackFields fields{.task_id = task.id, .app_id = task.app_id};
  fields.code = result.is_object() ? result.value("code", 10005) : 10005;
  fields.message = task.error;
  if (request.ok() && !request->url.empty()) fields.audio_url = request->url;
  fields.audio_seconds = static_cast<double>(task.audio.count()) / 1000;
  if (task.state == TaskState::kSuccess && result.is_object()) {
    fields.text = result.value("text", "");
    if (result.contains("detail") && !result["detail"].is_null()) {
      fields.result_detail = result["detail"].dump();
    }
  }
  const CallbackOutcome outcome =
      callbacks_.Send(task.callback_url, fields, options_.callback_key, [this] {
        const std::lock_guard lock(mutex_);
        return stopping_;
      });
  {
    // Cut short by our own end: the next process tells it.
    const std::lock_guard lock(mutex_);
    if (stopping_ && !outcome.delivered) return;
  }
  (void)parts_.store.tasks().NoteCallback(
      task.id, outcome.delivered ? CallbackState::kDelivered : CallbackState::kGivenUp);
}

void RecordingTasks::TellCallers() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::uint64_t seen = told_;
    lock.unlock();
    const auto pending = parts_.store.tasks().PendingCallbacks(kCallbackBatch);
    if (pending.ok()) {
      for (const Task& task : *pending) Tell(task);
    }
    lock.lock();
    if (pending.ok() && !pending->empty()) continue;
    changed_.wait_for(lock, kPoll, [&] { return stopping_ || told_ != seen; });
  }
}

void RecordingTasks::Sweep() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    auto removed = parts_.store.tasks().RemoveExpired(kSweepBatch);
    const auto usage = parts_.store.usage().RemoveExpired(kSweepBatch);
    lock.lock();
    const bool more =
        (removed.ok() && *removed == kSweepBatch) || (usage.ok() && *usage == kSweepBatch);
    if (!more) changed_.wait_for(lock, 5 * kPoll, [&] { return stopping_; });
  }
}

}  // namespace lethe
