// Goal: nobody takes all of what many share. Method: bytes taken and given back.

#include "server/internal/limits.h"

#include <gtest/gtest.h>

namespace lethe::server_internal {
namespace {

TEST(ByteBudgetTest, StrangersAndSingleApplicationsLeaveRoomForOthers) {
  ByteBudget budget(1000);
  {
    ByteLoan strangers(budget, ByteBudget::kStrangers), others(budget, ByteBudget::kStrangers);
    EXPECT_TRUE(strangers.Grow(200));
    EXPECT_FALSE(others.Grow(51));
    EXPECT_TRUE(others.Grow(50));
    ByteLoan one(budget, 1), again(budget, 1), two(budget, 2);
    EXPECT_TRUE(one.Grow(700));
    EXPECT_FALSE(again.Grow(51));
    EXPECT_TRUE(two.Grow(50));
    // Everything is taken.
    ByteLoan small(budget);
    EXPECT_FALSE(small.Grow(1));
    EXPECT_FALSE(two.Grow(51));
  }
  ByteLoan all(budget);
  EXPECT_TRUE(all.Grow(1000));
}

}  // namespace
}  // namespace lethe::server_internal
