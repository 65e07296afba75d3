#pragma once

// Callers told that their tasks are finished, on threads of its own.

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "outbound/callback.h"
#include "outbound/http_client.h"
#include "service/fair_pool.h"
#include "service/recording_tasks.h"
#include "store/store.h"

namespace lethe {

/// Begins at once. Some are told at the same time, and of one application a few at most, so that a
/// receiver that answers late or never keeps only its own application waiting; applications take
/// turns. What was in vain is tried once more, at a moment that the records have. Nobody is told of
/// a task that is gone, or of a person who has withdrawn their consent; a callback that is cut
/// short by the end is made by the next process.
///
/// Thread: any. Lifetime: what it is given outlives it
class TaskCallbacks {
 public:
  struct Options {
    TaskHolder node;
    std::string key;  // signs them; empty: they are not signed
    Millis poll{1'000};
  };

  TaskCallbacks(Store& store, OutboundClient& outbound, const Clock& clock, Options options);
  ~TaskCallbacks() { Stop(); }
  TaskCallbacks(const TaskCallbacks&) = delete;
  TaskCallbacks& operator=(const TaskCallbacks&) = delete;

  /// Something was finished.
  void Wake();
  void Stop();

  CallbackCounts counts() const { return {.delivered = delivered_, .given_up = given_up_}; }

 private:
  void Run();
  // Has the next one told; whether there may be more.
  bool BeginOne();
  Result<std::optional<Task>> ClaimNext();
  void Begin(Task task);
  void End(const Task& task);
  void Tell(const Task& task);
  bool IsStopping();
  bool IsGone(const Task& task);
  // Says what became of telling its caller, with so many attempts now. If that fails, it is said
  // with the next one, or the callback is made again.
  void Note(const Task& task, CallbackState next, int attempts, const std::string& outcome,
            std::optional<WallTime> next_attempt = {});

  // Constant after construction.
  Store& store_;
  const Clock& clock_;
  CallbackSender sender_;
  const Options options_;
  // The thread that looks for what is pending: applications that had their turn.
  std::set<AppId> served_;
  // Any thread.
  std::atomic<std::uint64_t> delivered_ = 0, given_up_ = 0;
  Mutex mutex_;
  CondVar changed_;
  std::map<TaskId, AppId> in_hand_ GUARDED_BY(mutex_);  // being told
  bool woken_ GUARDED_BY(mutex_) = false, stopping_ GUARDED_BY(mutex_) = false;
  FairPool senders_;
  std::thread thread_;
};

}  // namespace lethe
