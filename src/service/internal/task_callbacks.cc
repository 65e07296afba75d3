#include "service/internal/task_callbacks.h"

#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "service/consent_gate.h"
#include "service/internal/recording_task_request.h"

namespace lethe {
namespace {

constexpr int kBatch = 16;
// How often is looked between two attempts whether the task is still there.
constexpr std::chrono::seconds kLook{1};

CallbackFields FieldsOf(const Task& task) {
  const auto request = ReadTaskRequest(task.request);
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
  return fields;
}

}  // namespace

TaskCallbacks::TaskCallbacks(Store& store, OutboundClient& outbound, const Clock& clock,
                             Options options)
    : store_(store),
      clock_(clock),
      sender_(outbound, clock),
      options_(std::move(options)),
      thread_([this] { Run(); }) {}

void TaskCallbacks::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void TaskCallbacks::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TaskCallbacks::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    const bool more = TellSome();
    lock.lock();
    if (!more) changed_.wait_for(lock, options_.poll, [&] { return stopping_ || woken_; });
  }
}

bool TaskCallbacks::TellSome() {
  const auto pending = store_.tasks().ClaimCallbacks(options_.node, kBatch);
  if (!pending.ok()) return false;
  bool more = !pending->empty();
  for (const Task& task : *pending) {
    // It may have been erased, or its time be over, while others were told.
    if (IsStale(task)) continue;
    const auto withdrawn = HasWithdrawn(store_.consents(), task.app_id, task.subject);
    if (!withdrawn.ok()) {
      more = false;  // it stays pending, until the register answers
    } else if (*withdrawn) {
      (void)Note(task, CallbackState::kGivenUp, 0, "the person has withdrawn their consent");
    } else {
      Tell(task);
    }
  }
  return more;
}

void TaskCallbacks::Tell(const Task& task) {
  const auto cancelled = [&, looked = std::chrono::steady_clock::now()]() mutable {
    if (IsStopping()) return true;
    // It may be erased, or tried again, between two attempts.
    const auto now = std::chrono::steady_clock::now();
    if (now - looked < kLook) return false;
    looked = now;
    return IsStale(task);
  };
  int noted = 0;
  const auto on_retry = [&](const std::string& reason, Millis pause) {
    // What was not noted is noted with the end.
    const bool is_noted = Note(task, CallbackState::kPending, 1, reason, clock_.Now() + pause).ok();
    if (is_noted) ++noted;
  };
  const CallbackOutcome outcome =
      sender_.Send(task.callback_url, FieldsOf(task), options_.key, cancelled, on_retry);
  // Cut short by our own end: the next process tells it.
  if (IsStopping() && !outcome.delivered) return;
  // One that was cut short because its task was erased is neither.
  if (outcome.delivered) {
    ++delivered_;
  } else if (!IsStale(task)) {
    ++given_up_;
  }
  (void)Note(task, outcome.delivered ? CallbackState::kDelivered : CallbackState::kGivenUp,
             outcome.attempts - noted, outcome.delivered ? "" : outcome.reason);
}

Status TaskCallbacks::Note(const Task& task, CallbackState next, int attempts,
                           const std::string& outcome, std::optional<WallTime> next_attempt) {
  const std::string cut = outcome.substr(0, kMaxCallbackOutcome);
  return store_.tasks().NoteCallback(task.id, task.lease,
                                     {.next = next,
                                      .attempts = attempts,
                                      .outcome = IsUtf8(cut) ? cut : "",
                                      .next_attempt = next_attempt});
}

bool TaskCallbacks::IsStopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool TaskCallbacks::IsStale(const Task& task) {
  const auto now = store_.tasks().Find(task.app_id, task.id);
  return now.ok() ? now->lease != task.lease : now.status().code() == StatusCode::kNotFound;
}

}  // namespace lethe
