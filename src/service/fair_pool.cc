#include "service/fair_pool.h"

#include <utility>

namespace lethe {

FairPool::FairPool(int num_threads, std::size_t most_waiting_per_owner)
    : most_waiting_(most_waiting_per_owner) {
  for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { Run(); });
}

Status FairPool::Post(std::uint64_t owner, std::function<void()> work) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return Unavailable("the service is stopping; try again elsewhere");
    auto& queue = queues_[owner];
    if (queue.size() >= most_waiting_) {
      ++refused_;
      return ResourceExhausted("too many calls of this application are waiting; try again later");
    }
    if (queue.empty()) turns_.push_back(owner);
    queue.push_back(std::move(work));
    ++waiting_;
  }
  changed_.NotifyOne();
  return OkStatus();
}

void FairPool::Run() {
  MutexLock lock(mutex_);
  while (true) {
    while (!stopping_ && turns_.empty()) changed_.Wait(mutex_);
    if (stopping_) return;
    const std::uint64_t owner = turns_.front();
    turns_.pop_front();
    auto& queue = queues_[owner];
    std::function<void()> work = std::move(queue.front());
    queue.pop_front();
    --waiting_;
    if (queue.empty()) {
      queues_.erase(owner);
    } else {
      turns_.push_back(owner);
    }
    lock.Unlock();
    work();
    work = nullptr;  // what it holds may be large, and is destroyed without the lock
    lock.Lock();
  }
}

void FairPool::Stop() {
  std::map<std::uint64_t, std::deque<std::function<void()>>> dropped;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    dropped.swap(queues_);
    turns_.clear();
    waiting_ = 0;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::size_t FairPool::waiting() const {
  const MutexLock lock(mutex_);
  return waiting_;
}

std::uint64_t FairPool::refused() const {
  const MutexLock lock(mutex_);
  return refused_;
}

}  // namespace lethe
