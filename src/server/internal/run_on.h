#pragma once

// From a coroutine to a thread that may block, and back.

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/http.h"
#include "service/fair_pool.h"

namespace lethe::server_internal {

/// Does `work` on the pool, when it is the owner's turn, and comes back to this coroutine's strand
/// with what it returned; or with `refused(status)` when the pool takes no more. What `work`
/// throws, for want of memory say, is thrown here: it costs its request, not the service.
///
/// Lifetime: the coroutine belongs to the handler that waits with `work`, so that may refer to what
///           the coroutine holds. The pool is stopped before the executor's context ends.
template <class T>
Awaitable<T> RunOn(FairPool& pool, std::uint64_t owner, std::function<T()> work,
                   std::function<T(const Status&)> refused) {
  namespace asio = boost::asio;
  const auto executor = co_await asio::this_coro::executor;
  const auto initiate = [&](auto handler) {
    // The pool's functions are copyable, handlers are not.
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    const auto resume = [waiting, executor](std::exception_ptr error, std::optional<T> result) {
      asio::post(executor, [waiting, error, result = std::move(result)]() mutable {
        std::move (*waiting)(error, std::move(result));
      });
    };
    const Status posted = pool.Post(owner, [work = std::move(work), resume] {
      std::exception_ptr error;
      std::optional<T> result;
      try {
        result.emplace(work());
      } catch (...) {
        error = std::current_exception();
      }
      resume(error, std::move(result));
    });
    if (!posted.ok()) resume(nullptr, refused(posted));
  };
  std::optional<T> result =
      co_await asio::async_initiate<decltype(asio::use_awaitable),
                                    void(std::exception_ptr, std::optional<T>)>(
          initiate, asio::use_awaitable);
  co_return *std::move(result);
}

template <class T>
Awaitable<Result<T>> RunOn(FairPool& pool, std::uint64_t owner, std::function<Result<T>()> work) {
  co_return co_await RunOn<Result<T>>(pool, owner, std::move(work),
                                      [](const Status& status) { return Result<T>(status); });
}

}  // namespace lethe::server_internal
