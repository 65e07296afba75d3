#pragma once

// Values from a thread that may block to a coroutine, one by one and in order.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/mutex.h"
#include "server/http.h"

namespace lethe::server_internal {

/// Holds what nobody has taken yet, without limit: who pushes knows how much it will be.
///
/// Thread: Push() and Close() any; Next() one coroutine at a time
template <class T>
class Feed {
 public:
  void Push(T value) {
    const MutexLock lock(mutex_);
    values_.push_back(std::move(value));
    Wake();
  }

  /// Nothing more comes.
  void Close() {
    const MutexLock lock(mutex_);
    closed_ = true;
    Wake();
  }

  /// The next value, waiting for it; nothing once the feed is closed and empty.
  Awaitable<std::optional<T>> Next() {
    namespace asio = boost::asio;
    const auto executor = co_await asio::this_coro::executor;
    const auto initiate = [this, executor](auto handler) {
      auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
      const MutexLock lock(mutex_);
      resume_ = [waiting, executor](std::optional<T> value) {
        asio::post(executor, [waiting, value = std::move(value)]() mutable {
          std::move (*waiting)(std::move(value));
        });
      };
      Wake();
    };
    std::optional<T> value =
        co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::optional<T>)>(
            initiate, asio::use_awaitable);
    co_return value;
  }

 private:
  // Gives what there is to who waits.
  void Wake() REQUIRES(mutex_) {
    if (!resume_ || (values_.empty() && !closed_)) return;
    std::optional<T> value;
    if (!values_.empty()) {
      value = std::move(values_.front());
      values_.pop_front();
    }
    std::exchange(resume_, nullptr)(std::move(value));
  }

  Mutex mutex_;
  std::deque<T> values_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  // Of the coroutine that waits, if one does.
  std::function<void(std::optional<T>)> resume_ GUARDED_BY(mutex_);
};

/// Closes a feed when the last copy of what holds it is gone, done or dropped.
template <class T>
class FeedEnd {
 public:
  explicit FeedEnd(std::shared_ptr<Feed<T>> feed) : feed_(std::move(feed)) {}
  ~FeedEnd() { feed_->Close(); }
  FeedEnd(const FeedEnd&) = delete;
  FeedEnd& operator=(const FeedEnd&) = delete;

 private:
  const std::shared_ptr<Feed<T>> feed_;
};

}  // namespace lethe::server_internal
