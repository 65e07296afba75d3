// Goal: a coroutine gets what its work on a pool returned, was refused or threw, on its own strand.
// Method: a pool and an io_context.

#include "server/internal/run_on.h"

#include <new>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

namespace lethe::server_internal {
namespace {

// What came of it: the result, "refused" or "thrown".
std::string Outcome(FairPool& pool, std::function<std::string()> work) {
  boost::asio::io_context io;
  std::string outcome;
  const auto ask = [&]() -> Awaitable<void> {
    std::function<std::string(const Status&)> refused = [](const Status&) { return "refused"; };
    try {
      outcome = co_await RunOn<std::string>(pool, 1, std::move(work), std::move(refused));
    } catch (const std::bad_alloc&) {
      outcome = "thrown";
    }
    if (io.get_executor() != co_await boost::asio::this_coro::executor) outcome += " elsewhere";
  };
  boost::asio::co_spawn(io, ask(), [](std::exception_ptr error) { EXPECT_EQ(error, nullptr); });
  io.run();
  return outcome;
}

TEST(RunOnTest, WhatTheWorkReturnsComesBack) {
  FairPool pool(1, 4);
  const std::thread::id here = std::this_thread::get_id();
  EXPECT_EQ(Outcome(pool, [&] { return here == std::this_thread::get_id() ? "here" : "there"; }),
            "there");
}

TEST(RunOnTest, WhatTheWorkThrowsCostsItsCallerOnly) {
  FairPool pool(1, 4);
  EXPECT_EQ(Outcome(pool, []() -> std::string { throw std::bad_alloc(); }), "thrown");
  EXPECT_EQ(Outcome(pool, [] { return "still there"; }), "still there");
}

TEST(RunOnTest, AFullOrStoppedPoolRefuses) {
  FairPool pool(1, 4);
  pool.Stop();
  EXPECT_EQ(Outcome(pool, [] { return "done"; }), "refused");
}

}  // namespace
}  // namespace lethe::server_internal
