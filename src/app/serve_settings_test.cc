// Goal: the service takes no more connections than it may have files open, whatever that is.
// Method: limits by hand.

#include "app/serve_settings.h"

#include <limits>

#include <gtest/gtest.h>

namespace lethe {
namespace {

TEST(ConnectionsWithinTest, WhatElseIsOpenHasRoom) {
  const ServeOptions options;
  EXPECT_EQ(ConnectionsWithin(65'536, options), 10'000);
  EXPECT_EQ(ConnectionsWithin(std::numeric_limits<std::uint64_t>::max(), options), 10'000);
  EXPECT_EQ(ConnectionsWithin(1'024, options), 752);
  EXPECT_EQ(ConnectionsWithin(256, options), 64);
  EXPECT_EQ(ConnectionsWithin(0, options), 1);
}

TEST(ConnectionsWithinTest, MoreIsNotTakenThanIsWanted) {
  ServeOptions options;
  options.max_connections = 10;
  EXPECT_EQ(ConnectionsWithin(1'024, options), 10);
}

}  // namespace
}  // namespace lethe
