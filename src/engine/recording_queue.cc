#include "engine/internal/recording_queue.h"

namespace lethe {

void RecordingQueue::Add(Request request) {
  {
    const std::lock_guard lock(mutex_);
    const auto priority = static_cast<std::size_t>(request.priority);
    waiting_[priority].push_back(std::move(request));
    ++counts_[priority];
  }
  wake_one_();
}

std::optional<Request> RecordingQueue::Take(Priority priority) {
  if (!Has(priority)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  std::deque<Request>& waiting = waiting_[static_cast<std::size_t>(priority)];
  if (waiting.empty()) return std::nullopt;
  Request request = std::move(waiting.front());
  waiting.pop_front();
  --counts_[static_cast<std::size_t>(priority)];
  return request;
}

}  // namespace lethe
