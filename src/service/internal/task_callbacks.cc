#include "service/internal/task_callbacks.h"

#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "service/consent_gate.h"
#include "service/internal/recording_task_request.h"
#include "service/internal/task_outcome.h"

namespace lethe {
namespace {

constexpr int kBatch = 16;
// How often is looked between two attempts whether the task is still there.
constexpr std::chrono::seconds kLook{1};

CallbackFields FieldsOf(const Task& task) {
  const auto request = ReadTaskRequest(task.request);
  const auto result = ParseJson<nlohmann::ordered_json>(task.result);
  CallbackFields fields{.task_id = task.id, .app_id = task.app_id};
  fields.code = result.is_object() ? result.value("code", 10005) : 10005;
  fields.message = task.error;
  if (request.ok() && !request->url.empty()) fields.audio_url = request->url;
  fields.audio_seconds = static_cast<double>(task.audio.count()) / 1000;
  if (task.state == TaskState::kSuccess && result.is_object()) {
    fields.text = result.value("text", "");
    if (result.contains("detail") && !result["detail"].is_null()) {
      fields.result_detail = WriteJson(result["detail"]);
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
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.NotifyAll();
}

void TaskCallbacks::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void TaskCallbacks::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.Unlock();
    const bool more = TellSome();
    lock.Lock();
    if (more) continue;
    const auto until = std::chrono::steady_clock::now() + options_.poll;
    while (!stopping_ && !woken_ && changed_.WaitUntil(mutex_, until)) {
    }
  }
}

bool TaskCallbacks::TellSome() {
  const auto pending = store_.tasks().ClaimCallbacks(options_.node, kBatch);
  if (!pending.ok()) return false;
  bool more = !pending->empty();
  for (const Task& task : *pending) {
    // It may have been erased, or its time be over, while others were told.
    if (IsGone(task)) continue;
    const auto withdrawn = HasWithdrawn(store_.consents(), task.app_id, task.subject);
    if (!withdrawn.ok()) {
      more = false;  // it stays pending, until the register answers
    } else if (*withdrawn) {
      Note(task, CallbackState::kGivenUp, 0, "the person has withdrawn their consent");
    } else {
      Tell(task);
    }
  }
  return more;
}

void TaskCallbacks::Tell(const Task& task) {
  const auto cancelled = [&, looked = std::chrono::steady_clock::now()]() mutable {
    if (IsStopping()) return true;
    // It may be erased between two attempts.
    const auto now = std::chrono::steady_clock::now();
    if (now - looked < kLook) return false;
    looked = now;
    return IsGone(task);
  };
  int vain = 0;
  std::string why;
  const auto on_retry = [&](const std::string& reason, Millis pause) {
    ++vain;
    why = reason;
    Note(task, CallbackState::kPending, vain, why, clock_.Now() + pause);
  };
  const CallbackOutcome outcome =
      sender_.Send(task.callback_url, FieldsOf(task), options_.key, cancelled, on_retry);
  if (IsStopping() && !outcome.delivered) {
    // Cut short by our own end: the next process tells it.
    const bool in_the_pause = outcome.attempts == vain;
    Note(task, CallbackState::kPending, outcome.attempts, in_the_pause ? why : outcome.reason);
    return;
  }
  // One that was cut short because its task was erased is neither.
  if (outcome.delivered) {
    ++delivered_;
  } else if (!IsGone(task)) {
    ++given_up_;
  }
  Note(task, outcome.delivered ? CallbackState::kDelivered : CallbackState::kGivenUp,
       outcome.attempts, outcome.delivered ? "" : outcome.reason);
}

void TaskCallbacks::Note(const Task& task, CallbackState next, int attempts,
                         const std::string& outcome, std::optional<WallTime> next_attempt) {
  const std::string cut = CutText(outcome, kMaxCallbackOutcome);
  (void)store_.tasks().NoteCallback(task.id,
                                    {.next = next,
                                     .attempts = task.callback_attempts + attempts,
                                     .outcome = IsUtf8(cut) ? cut : "what it said is no text",
                                     .next_attempt = next_attempt});
}

bool TaskCallbacks::IsStopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

bool TaskCallbacks::IsGone(const Task& task) {
  return store_.tasks().Find(task.app_id, task.id).status().code() == StatusCode::kNotFound;
}

}  // namespace lethe
