// Goal: one application's thousand calls do not keep another's waiting, and nothing is run twice or
// after the end. Method: one thread that is held until everything is queued.

#include "service/fair_pool.h"

#include <future>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::ElementsAre;

TEST(FairPoolTest, OwnersTakeTurns) {
  FairPool pool(1, 100);
  std::promise<void> go, begun;
  ASSERT_TRUE(pool.Post(1,
                        [&] {
                          begun.set_value();
                          go.get_future().wait();
                        })
                  .ok());
  begun.get_future().wait();
  std::vector<int> order;
  std::promise<void> done;
  for (const int owner : {1, 1, 1, 2, 3, 3}) {
    ASSERT_TRUE(pool.Post(static_cast<std::uint64_t>(owner),
                          [&order, &done, owner] {
                            order.push_back(owner);
                            if (order.size() == 6) done.set_value();
                          })
                    .ok());
  }
  go.set_value();
  done.get_future().wait();
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 1, 3, 1));
}

TEST(FairPoolTest, EachOwnerMayHaveSoMuchWaitingAndStoppingDropsIt) {
  FairPool pool(1, 2);
  std::promise<void> go, begun;
  ASSERT_TRUE(pool.Post(1,
                        [&] {
                          begun.set_value();
                          go.get_future().wait();
                        })
                  .ok());
  begun.get_future().wait();
  std::atomic<int> ran = 0;
  EXPECT_TRUE(pool.Post(1, [&] { ++ran; }).ok());
  EXPECT_TRUE(pool.Post(1, [&] { ++ran; }).ok());
  EXPECT_EQ(pool.Post(1, [&] { ++ran; }).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(pool.Post(2, [&] { ++ran; }).ok());
  EXPECT_EQ(pool.waiting(), 3U);
  EXPECT_EQ(pool.refused(), 1U);
  std::thread stopper([&] { pool.Stop(); });
  while (pool.waiting() > 0) std::this_thread::yield();
  go.set_value();
  stopper.join();
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(pool.Post(1, [] {}).code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace lethe
