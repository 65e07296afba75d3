#include "engine/internal/recording_queue.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace lethe {

void RecordingQueue::Add(Request request) {
  {
    const MutexLock lock(mutex_);
    const auto priority = static_cast<std::size_t>(request.priority);
    waiting_[priority].push_back(std::move(request));
    ++counts_[priority];
  }
  wake_one_();
}

std::optional<Request> RecordingQueue::Take(Priority priority) {
  if (!Has(priority)) return std::nullopt;
  const MutexLock lock(mutex_);
  std::deque<Request>& waiting = waiting_[static_cast<std::size_t>(priority)];
  if (waiting.empty()) return std::nullopt;
  Request request = std::move(waiting.front());
  waiting.pop_front();
  --counts_[static_cast<std::size_t>(priority)];
  return request;
}

void RecordingQueue::RemoveCancelled() {
  std::vector<Request> removed;  // freed when the lock is
  const MutexLock lock(mutex_);
  for (std::size_t priority = 0; priority < waiting_.size(); ++priority) {
    std::deque<Request>& waiting = waiting_[priority];
    const auto first = std::stable_partition(
        waiting.begin(), waiting.end(),
        [](const Request& request) { return !request.cancelled || !request.cancelled->load(); });
    counts_[priority] -= static_cast<int>(waiting.end() - first);
    std::move(first, waiting.end(), std::back_inserter(removed));
    waiting.erase(first, waiting.end());
  }
}

}  // namespace lethe
