#pragma once

// What all connections of a server share: the numbers that must not grow without end, and the list
// by which the server ends them.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include "base/mutex.h"

namespace lethe::server_internal {

/// Memory for bodies, taken and given back in bytes. Thread: any
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes) : left_(static_cast<std::int64_t>(bytes)) {}

  bool Take(std::size_t bytes) {
    const auto wanted = static_cast<std::int64_t>(bytes);
    if (left_.fetch_sub(wanted) >= wanted) return true;
    left_ += wanted;
    return false;
  }
  void Return(std::size_t bytes) { left_ += static_cast<std::int64_t>(bytes); }

 private:
  std::atomic<std::int64_t> left_;
};

/// What one request has taken of a budget; gives it back at its end.
class ByteLoan {
 public:
  explicit ByteLoan(ByteBudget& budget) : budget_(budget) {}
  ~ByteLoan() { budget_.Return(taken_); }
  ByteLoan(const ByteLoan&) = delete;
  ByteLoan& operator=(const ByteLoan&) = delete;

  /// Makes the loan at least so large; false if there is not that much.
  bool Grow(std::size_t bytes) {
    if (bytes <= taken_) return true;
    if (!budget_.Take(bytes - taken_)) return false;
    taken_ = bytes;
    return true;
  }

 private:
  ByteBudget& budget_;
  std::size_t taken_ = 0;
};

/// One open connection, as whoever stops the server sees it.
struct ConnectionControl {
  explicit ConnectionControl(boost::asio::any_io_executor executor) : strand(std::move(executor)) {}

  const boost::asio::any_io_executor strand;  // the connection's
  std::atomic<bool> busy = false;             // a request is being read or answered
  std::function<void()> close;  // on the strand only; empty once there is nothing to close
};

/// The open connections. Thread: any
class ConnectionList {
 public:
  explicit ConnectionList(std::size_t most) : most_(most) {}

  /// Null when there are too many.
  std::shared_ptr<ConnectionControl> Add(boost::asio::any_io_executor strand) {
    const MutexLock lock(mutex_);
    if (open_.size() >= most_) return nullptr;
    auto control = std::make_shared<ConnectionControl>(std::move(strand));
    open_.insert(control);
    return control;
  }

  void Remove(const std::shared_ptr<ConnectionControl>& control) {
    const MutexLock lock(mutex_);
    open_.erase(control);
  }

  void CutIdle() { Cut(false); }
  void CutAll() { Cut(true); }

  std::size_t size() const {
    const MutexLock lock(mutex_);
    return open_.size();
  }

 private:
  void Cut(bool busy_too) {
    const MutexLock lock(mutex_);
    for (const auto& control : open_) {
      if (!busy_too && control->busy) continue;
      boost::asio::post(control->strand, [control, busy_too] {
        if (control->close && (busy_too || !control->busy)) control->close();
      });
    }
  }

  const std::size_t most_;
  mutable Mutex mutex_;
  std::unordered_set<std::shared_ptr<ConnectionControl>> open_ GUARDED_BY(mutex_);
};

struct Counters {
  std::atomic<std::uint64_t> connections = 0, requests = 0, refused = 0, bad_requests = 0;
};

}  // namespace lethe::server_internal
