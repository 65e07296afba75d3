#pragma once

// From a coroutine to a thread that may block, and back.

#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/http.h"
#include "service/fair_pool.h"

namespace lethe::server_internal {

/// Does `work` on the pool, when it is the owner's turn, and comes back to this coroutine's strand
/// with what it returned; or with `refused(status)` when the pool takes no more.
template <class T>
Awaitable<T> RunOn(FairPool& pool, std::uint64_t owner, std::function<T()> work,
                   std::function<T(const Status&)> refused) {
  namespace asio = boost::asio;
  const auto executor = co_await asio::this_coro::executor;
  const auto initiate = [&](auto handler) {
    // The pool's functions are copyable, handlers are not.
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    const auto resume = [waiting, executor](T result) {
      asio::post(executor, [waiting, result = std::move(result)]() mutable {
        std::move (*waiting)(std::move(result));
      });
    };
    const Status posted = pool.Post(owner, [work = std::move(work), resume] { resume(work()); });
    if (!posted.ok()) resume(refused(posted));
  };
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(T)>(
      initiate, asio::use_awaitable);
}

template <class T>
Awaitable<Result<T>> RunOn(FairPool& pool, std::uint64_t owner, std::function<Result<T>()> work) {
  co_return co_await RunOn<Result<T>>(pool, owner, std::move(work),
                                      [](const Status& status) { return Result<T>(status); });
}

}  // namespace lethe::server_internal
