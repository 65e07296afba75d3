#pragma once

// What all connections of a server share: the numbers that must not grow without end, and the list
// by which the server ends them.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include "base/mutex.h"

namespace lethe::server_internal {

/// Memory for bodies, taken and given back in bytes. Who is known has at most three quarters of it,
/// and all strangers together a quarter: neither keeps the others out. Thread: any
class ByteBudget {
 public:
  /// Whose a body is: an application, all strangers together, or nobody's share, where a body is
  /// too small to ask.
  using Owner = std::uint64_t;
  static constexpr Owner kNobody = 0, kStrangers = ~Owner{0};

  explicit ByteBudget(std::size_t bytes) : all_(bytes), left_(bytes) {}

  bool Take(Owner owner, std::size_t bytes) {
    const MutexLock lock(mutex_);
    if (bytes > left_) return false;
    if (owner != kNobody) {
      const std::size_t share = owner == kStrangers ? all_ / 4 : all_ - all_ / 4;
      const auto held = held_.find(owner);
      const std::size_t has = held == held_.end() ? 0 : held->second;
      if (bytes > share - has) return false;
      held_[owner] = has + bytes;
    }
    left_ -= bytes;
    return true;
  }

  void Return(Owner owner, std::size_t bytes) {
    const MutexLock lock(mutex_);
    left_ += bytes;
    const auto held = held_.find(owner);
    if (held == held_.end()) return;
    held->second -= bytes;
    if (held->second == 0) held_.erase(held);
  }

 private:
  const std::size_t all_;
  Mutex mutex_;
  std::size_t left_ GUARDED_BY(mutex_);
  std::unordered_map<Owner, std::size_t> held_ GUARDED_BY(mutex_);
};

/// What one request has taken of a budget; gives it back at its end.
class ByteLoan {
 public:
  explicit ByteLoan(ByteBudget& budget, ByteBudget::Owner owner = ByteBudget::kNobody)
      : budget_(budget), owner_(owner) {}
  ~ByteLoan() { budget_.Return(owner_, taken_); }
  ByteLoan(const ByteLoan&) = delete;
  ByteLoan& operator=(const ByteLoan&) = delete;

  /// Makes the loan at least so large; false if there is not that much.
  bool Grow(std::size_t bytes) {
    if (bytes <= taken_) return true;
    if (!budget_.Take(owner_, bytes - taken_)) return false;
    taken_ = bytes;
    return true;
  }

 private:
  ByteBudget& budget_;
  const ByteBudget::Owner owner_;
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
