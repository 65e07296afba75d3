#include "service/recording_tasks.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/internal/recording_task_request.h"
#include "service/internal/task_callbacks.h"
#include "service/internal/task_outcome.h"

namespace lethe {
namespace {

constexpr int kUploadsPerLook = 32;
// Three heartbeats may be lost before the lease is.
constexpr int kBeatsPerLease = 4;

}  // namespace

RecordingTasks::RecordingTasks(const Parts& parts, const RecordingTaskOptions& options)
    : parts_(parts),
      options_(options),
      callbacks_(std::make_unique<TaskCallbacks>(
          parts.store, parts.outbound, parts.clock,
          TaskCallbacks::Options{options.node, options.callback_key, options.poll})) {
  recovered_ = Recover();
  for (int i = 0; i < options_.num_workers; ++i) threads_.emplace_back([this] { Work(); });
  threads_.emplace_back([this] { LookAfter(); });
  threads_.emplace_back([this] { BeatHeart(); });
}

RecordingTasks::~RecordingTasks() { Stop(); }

bool RecordingTasks::Recover() {
  Tasks& tasks = parts_.store.tasks();
  return tasks
             .FailLostUploads(options_.node.node,
                              "the service was restarted before the uploaded recording was "
                              "transcribed; send it again")
             .ok() &&
         tasks.ResetRunning(options_.node.node).ok();
}

Result<TaskId> RecordingTasks::Submit(AppId app_id, const std::string& request_id,
                                      const RecordingTaskRequest& request, std::string upload,
                                      const std::string& subject) {
  for (const std::string* url : {&request.url, &request.callback_url}) {
    if (!url->empty()) RETURN_IF_ERROR(parts_.outbound.CheckUrl(*url));
  }
  ASSIGN_OR_RETURN(const Kept kept,
                   StoreUpload(app_id, request_id, upload, request.zero_retention));
  const std::optional<StoredRecording>& recording = kept.recording;
  const std::size_t bytes = recording ? 0 : upload.size();
  MutexLock lock(mutex_);
  if (stopping_) return Unavailable("the service is stopping; try again elsewhere");
  if (!recovered_) return Unavailable("the service is starting; try again");
  if (upload_bytes_ + bytes > options_.max_upload_memory) {
    return ResourceExhausted("too many uploaded recordings are waiting; try again later");
  }
  upload_bytes_ += bytes;
  // The row is written under the lock: a worker that claims it must find the upload.
  auto task = parts_.store.tasks().Create(
      {.app_id = app_id,
       .request_id = request_id,
       .subject = subject,
       .engine = request.engine,
       .request = WriteTaskRequest(request),
       .callback_url = request.callback_url,
       .recording = recording,
       .upload_holder = bytes > 0 ? std::optional(options_.node) : std::nullopt,
       .audio_refused = kept.refused});
  if (!task.ok()) {
    upload_bytes_ -= bytes;
    lock.Unlock();
    // Without its key it is noise already; what is left of it now, the sweeper finds.
    if (recording) (void)parts_.recordings->Remove(recording->name);
    return task.status();
  }
  if (bytes > 0) {
    uploads_.emplace(task->id,
                     Upload{app_id, std::make_shared<const std::string>(std::move(upload))});
  }
  ++news_;
  lock.Unlock();
  changed_.NotifyAll();
  return task->id;
}

Result<RecordingTasks::Kept> RecordingTasks::StoreUpload(AppId app_id,
                                                         const std::string& request_id,
                                                         std::string_view upload,
                                                         bool zero_retention) {
  if (upload.empty()) return Kept();
  ASSIGN_OR_RETURN(const auto periods, parts_.store.retention_periods().Find(app_id));
  const auto audio = periods.find(DataClass::kAudio);
  // Whoever wants no audio held gets none stored, not even sealed.
  if (zero_retention || (audio != periods.end() && audio->second == Millis(0))) {
    return Kept{.recording = std::nullopt, .refused = true};
  }
  if (parts_.recordings == nullptr) return Kept();
  ASSIGN_OR_RETURN(StoredRecording stored, parts_.recordings->Put(app_id, request_id, upload));
  return Kept{.recording = std::move(stored)};
}

CallbackCounts RecordingTasks::callbacks() const { return callbacks_->counts(); }

bool RecordingTasks::GiveUp(TaskId id) {
  const MutexLock lock(mutex_);
  DropUpload(id);
  const auto [first, end] = in_hand_.equal_range(id);
  for (auto task = first; task != end; ++task) {
    task->second.run->stop = true;
    task->second.run->erased = true;
  }
  return first != end;
}

void RecordingTasks::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  callbacks_->Stop();
}

bool RecordingTasks::AwaitStop(Millis longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  while (!stopping_ && changed_.WaitUntil(mutex_, until)) {
  }
  return stopping_;
}

std::vector<AppId> RecordingTasks::Busy() {
  std::vector<AppId> busy;
  for (const auto& [app_id, count] : running_) {
    if (count >= options_.max_running_per_application) busy.push_back(app_id);
  }
  return busy;
}

void RecordingTasks::Work() {
  // Whose task could not be worked on just now: it is the oldest again, and others come first once.
  std::optional<AppId> put_back;
  MutexLock lock(mutex_);
  while (!stopping_) {
    const std::uint64_t seen = news_;
    const Result<std::optional<Task>> claimed = Claim(std::exchange(put_back, std::nullopt));
    if (!claimed.ok() || !claimed->has_value()) {
      // Other processes may put tasks into the same store, so it is looked at now and then.
      const auto until = std::chrono::steady_clock::now() + options_.poll;
      while (!stopping_ && news_ == seen && changed_.WaitUntil(mutex_, until)) {
      }
      continue;
    }
    const Task& task = **claimed;
    ++running_[task.app_id];
    const auto run = std::make_shared<RunState>();
    const auto in_hand = in_hand_.emplace(task.id, InHand{task.app_id, task.lease, run});
    lock.Unlock();
    std::uint64_t bytes = 0;
    std::optional<TaskOutcome> outcome = RunIfAllowed(task, *run, &bytes);
    const bool settled = outcome ? Settle(task, *outcome, *run) : false;
    if (!outcome) PutBack(task);
    // What was uploaded has served its purpose.
    if (settled) RemoveRecording(task);
    // What another node finished, that node has counted; what was cancelled, whoever did that.
    if (settled) Record(task, *outcome, bytes, ErasedFlag(run, &run->erased));
    lock.Lock();
    if (outcome) DropUpload(task.id);
    in_hand_.erase(in_hand);
    if (--running_[task.app_id] == 0) running_.erase(task.app_id);
    // What cannot be worked on now is not tried again at once.
    if (!outcome) AwaitStop(options_.poll);
    if (!outcome) put_back = task.app_id;
    ++news_;
    lock.Unlock();
    callbacks_->Wake();
    changed_.NotifyAll();
    lock.Lock();
  }
}

void RecordingTasks::Record(const Task& task, const TaskOutcome& outcome, std::uint64_t bytes,
                            const ErasedFlag& erased) {
  // For its caller it began when it was asked for, however long it waited.
  const WallTime now = parts_.clock.Now();
  const WallTime end = options_.calendar == nullptr ? now : options_.calendar->Now();
  parts_.meter.Record({.app_id = task.app_id,
                       .interface = Interface::kRecording,
                       .call_id = task.request_id,
                       .result_code = outcome.state == TaskState::kSuccess ? "success"
                                      : *erased                            ? "cancelled"
                                                : FailureCode(outcome.result),
                       .succeeded = outcome.state == TaskState::kSuccess,
                       .start = end - (now - task.created),
                       .end = end,
                       .audio = outcome.audio,
                       .bytes = bytes,
                       .facts = {{"source", task.recording      ? Label("stored upload")
                                            : task.holds_upload ? Label("upload in memory")
                                                                : Label("url")},
                                 {"attempt", task.lease},
                                 {"waited_ms", task.started.value_or(task.created) - task.created},
                                 {"callback", !task.callback_url.empty()}},
                       .subject = task.subject},
                      erased);
}

bool RecordingTasks::Settle(const Task& task, TaskOutcome& outcome, RunState& run) {
  for (bool maybe_written = false;;) {
    const Status written = parts_.store.tasks().Finish(task.id, task.lease, outcome);
    switch (written.code()) {
      case StatusCode::kOk:
        return true;
      case StatusCode::kNotFound:
        return SettleGone(task.id, run);
      case StatusCode::kFailedPrecondition:
        return maybe_written && WasFinishedHere(task);
      case StatusCode::kResourceExhausted:
      case StatusCode::kInvalidArgument:
        // The result is larger than the store takes; its failure may be told instead.
        if (outcome.state == TaskState::kSuccess) {
          outcome = FailedOutcome(written, false);
          continue;
        }
        break;
      default:
        maybe_written = true;
    }
    const MutexLock lock(mutex_);
    if (AwaitStop(options_.poll)) return false;
  }
}

bool RecordingTasks::IsBeingCancelled(TaskId id) const {
  const auto [first, end] = in_hand_.equal_range(id);
  return std::any_of(first, end, [](const auto& task) { return !task.second.lease; });
}

bool RecordingTasks::SettleGone(TaskId id, RunState& run) {
  const MutexLock lock(mutex_);
  // Whoever is cancelling it knows soon whether they did that before it was gone.
  while (IsBeingCancelled(id)) changed_.Wait(mutex_);
  if (run.is_counted) return false;
  // Removed, or expired, while it was transcribed: nobody else counts it.
  run.erased = true;
  return true;
}

Result<std::optional<Task>> RecordingTasks::Claim(std::optional<AppId> passed_over) {
  if (!recovered_) return std::optional<Task>();
  if (claim_unanswered_) {
    std::vector<TaskId> in_hand;
    for (const auto& [id, task] : in_hand_) {
      if (task.lease) in_hand.push_back(id);
    }
    RETURN_IF_ERROR(parts_.store.tasks().ResetRunning(options_.node.node, in_hand).status());
    claim_unanswered_ = false;
  }
  std::vector<AppId> busy = Busy();
  if (passed_over) busy.push_back(*passed_over);
  auto claimed = parts_.store.tasks().Claim(options_.node, busy);
  claim_unanswered_ = !claimed.ok();
  return claimed;
}

void RecordingTasks::PutBack(const Task& task) {
  for (;;) {
    const Status status = parts_.store.tasks().Release(task.id, task.lease);
    // Anything but silence: it is back, or it is not ours any more.
    if (status.code() != StatusCode::kUnavailable) return;
    const MutexLock lock(mutex_);
    if (AwaitStop(options_.poll)) return;
  }
}

bool RecordingTasks::WasFinishedHere(const Task& task) {
  const auto now = parts_.store.tasks().Find(task.app_id, task.id);
  return now.ok() && now->lease == task.lease &&
         (now->state == TaskState::kSuccess || now->state == TaskState::kFailed);
}

void RecordingTasks::LookAfter() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    const bool recovered = recovered_;
    lock.Unlock();
    if (!recovered && Recover()) {
      lock.Lock();
      recovered_ = true;
      ++news_;
      lock.Unlock();
      changed_.NotifyAll();
    }
    (void)parts_.store.tasks().FailLostUploads(
        "", "the node that held the uploaded recording does not answer any more; send it again");
    DropLostUploads();
    GiveUpWhatIsNotOurs();
    lock.Lock();
    AwaitStop(5 * options_.poll);
  }
}

void RecordingTasks::DropUpload(TaskId id) {
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end()) return;
  upload_bytes_ -= upload->second.bytes->size();
  uploads_.erase(upload);
}

void RecordingTasks::DropLostUploads() {
  MutexLock lock(mutex_);
  for (int i = 0; i < kUploadsPerLook && !uploads_.empty(); ++i) {
    auto upload = uploads_.upper_bound(last_looked_at_);
    if (upload == uploads_.end()) upload = uploads_.begin();
    const TaskId id = last_looked_at_ = upload->first;
    const AppId app_id = upload->second.app_id;
    lock.Unlock();
    const auto task = parts_.store.tasks().Find(app_id, id);
    const bool lost =
        task.ok() ? task->finished.has_value() : task.status().code() == StatusCode::kNotFound;
    lock.Lock();
    if (lost) DropUpload(id);
  }
}

void RecordingTasks::GiveUpWhatIsNotOurs() {
  MutexLock lock(mutex_);
  const InHands in_hand = in_hand_;
  lock.Unlock();
  for (const auto& [id, task] : in_hand) {
    if (!task.lease) continue;
    const auto now = parts_.store.tasks().Find(task.app_id, id);
    const bool is_gone = now.status().code() == StatusCode::kNotFound;
    if (is_gone) GiveUp(id);
    // Somebody has cancelled it, or taken us for dead: whatever comes of it would be refused.
    if (!now.ok() || now->lease == *task.lease) continue;
    task.run->stop = true;
    lock.Lock();
    // Who cancels it here says themselves whether they did, and so whether it is theirs to count.
    if (!IsBeingCancelled(id) && !task.run->cancelled_unseen) task.run->is_counted = true;
    lock.Unlock();
  }
}

void RecordingTasks::BeatHeart() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    // Before everything of a former process is taken up, its leases have to end.
    const bool recovered = recovered_;
    lock.Unlock();
    if (recovered) (void)parts_.store.tasks().Heartbeat(options_.node);
    lock.Lock();
    AwaitStop(options_.node.lease / kBeatsPerLease);
  }
}

}  // namespace lethe
