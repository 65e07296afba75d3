#pragma once

// Threads for work that blocks, shared fairly between those it is done for.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace lethe {

/// Every owner (an application) has a queue of its own, and they take turns: who asks for a
/// thousand things at once waits for them, and nobody else does.
///
/// Thread: any
class FairPool {
 public:
  FairPool(int num_threads, std::size_t most_waiting_per_owner);
  ~FairPool() { Stop(); }
  FairPool(const FairPool&) = delete;
  FairPool& operator=(const FairPool&) = delete;

  /// Runs `work` when it is the owner's turn. Errors: kResourceExhausted when too much of the
  /// owner's waits already; kUnavailable after Stop(). Then it is not run.
  Status Post(std::uint64_t owner, std::function<void()> work);

  /// Refuses the new, drops what has not begun, waits for what has.
  void Stop();

  std::size_t waiting() const;
  /// What was not taken because too much of its owner's was waiting, since the start.
  std::uint64_t refused() const;

 private:
  void Run();

  // Constant after construction.
  const std::size_t most_waiting_;
  // Any thread.
  mutable Mutex mutex_;
  CondVar changed_;
  std::map<std::uint64_t, std::deque<std::function<void()>>> queues_ GUARDED_BY(mutex_);
  std::deque<std::uint64_t> turns_ GUARDED_BY(mutex_);  // owners with something waiting, each once
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  std::uint64_t refused_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace lethe
