#include "service/internal/task_callbacks.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "service/consent_gate.h"
#include "service/internal/recording_task_request.h"
#include "service/internal/task_outcome.h"

namespace lethe {
namespace {

// Callbacks made at once, and of one application: few, for each may hold a result of 64 MB, and a
// receiver is not to be overrun.
constexpr std::size_t kSenders = 8, kMostOfApplication = 2;
// Applications that had their turn, and are passed over until the others had theirs.
constexpr std::size_t kMostServed = 100;
// Two attempts, as the contract has it; it does not say how far apart.
constexpr Millis kPause{5'000};
// How often is looked, while one is made, whether the task is still there.
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
      senders_(kSenders, kSenders),
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
  senders_.Stop();
}

void TaskCallbacks::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.Unlock();
    const bool more = BeginOne();
    lock.Lock();
    while (!stopping_ && in_hand_.size() >= kSenders) changed_.Wait(mutex_);
    if (more) continue;
    const auto until = std::chrono::steady_clock::now() + options_.poll;
    while (!stopping_ && !woken_ && changed_.WaitUntil(mutex_, until)) {
    }
  }
}

Result<std::optional<Task>> TaskCallbacks::ClaimNext() {
  std::vector<TaskId> in_hand;
  std::map<AppId, std::size_t> told_at_once;
  {
    const MutexLock lock(mutex_);
    for (const auto& [task, application] : in_hand_) {
      in_hand.push_back(task);
      ++told_at_once[application];
    }
  }
  std::vector<AppId> full;
  for (const auto& [application, count] : told_at_once) {
    if (count >= kMostOfApplication) full.push_back(application);
  }
  if (served_.size() >= kMostServed) served_.clear();
  while (true) {
    std::vector<AppId> passed_over(full);
    passed_over.insert(passed_over.end(), served_.begin(), served_.end());
    ASSIGN_OR_RETURN(std::vector<Task> claimed,
                     store_.tasks().ClaimCallbacks(options_.node, 1, in_hand, passed_over));
    if (!claimed.empty()) {
      served_.insert(claimed.front().app_id);
      return std::optional(std::move(claimed.front()));
    }
    if (served_.empty()) return std::optional<Task>();
    served_.clear();
  }
}

bool TaskCallbacks::BeginOne() {
  auto next = ClaimNext();
  if (!next.ok() || !next->has_value()) return false;
  Task& task = **next;
  if (IsGone(task)) return true;
  const auto withdrawn = HasWithdrawn(store_.consents(), task.app_id, task.subject);
  if (!withdrawn.ok()) return false;  // it stays pending, until the register answers
  if (*withdrawn) {
    Note(task, CallbackState::kGivenUp, 0, "the person has withdrawn their consent");
  } else {
    Begin(std::move(task));
  }
  return true;
}

void TaskCallbacks::Begin(Task task) {
  const auto told = std::make_shared<const Task>(std::move(task));
  {
    const MutexLock lock(mutex_);
    in_hand_.emplace(told->id, told->app_id);
  }
  // Refused only when all ends; then the next process tells it.
  (void)senders_.Post(told->app_id, [this, told] {
    Tell(*told);
    End(*told);
  });
}

void TaskCallbacks::End(const Task& task) {
  {
    const MutexLock lock(mutex_);
    in_hand_.erase(task.id);
    woken_ = true;  // another of its application may be told now
  }
  changed_.NotifyAll();
}

void TaskCallbacks::Tell(const Task& task) {
  const auto cancelled = [&, looked = std::chrono::steady_clock::now()]() mutable {
    if (IsStopping()) return true;
    // It may be erased meanwhile.
    const auto now = std::chrono::steady_clock::now();
    if (now - looked < kLook) return false;
    looked = now;
    return IsGone(task);
  };
  const CallbackOutcome outcome =
      sender_.Send(task.callback_url, FieldsOf(task), options_.key, cancelled);
  if (outcome.delivered) {
    ++delivered_;
    Note(task, CallbackState::kDelivered, 1, "");
  } else if (IsStopping()) {
    // Cut short by our own end: the next process tells it.
    Note(task, CallbackState::kPending, 1, outcome.reason);
  } else if (outcome.may_try_again && !task.callback_next) {
    Note(task, CallbackState::kPending, 1, outcome.reason, clock_.Now() + kPause);
  } else {
    // One that was cut short because its task was erased is neither.
    if (!IsGone(task)) ++given_up_;
    Note(task, CallbackState::kGivenUp, 1, outcome.reason);
  }
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
