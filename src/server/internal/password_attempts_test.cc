// Goal: guesses at a password are bounded, for one address and for all, and whoever knows it is in
// nobody's way. Method: a clock that the test moves.

#include "server/internal/password_attempts.h"

#include <gtest/gtest.h>

namespace lethe::server_internal {
namespace {

class PasswordAttemptsTest : public testing::Test {
 protected:
  ManualClock clock_{WallTime(std::chrono::hours(500'000))};
  PasswordAttempts attempts_{clock_};
};

TEST_F(PasswordAttemptsTest, SoManyAMinuteOfOneAddress) {
  for (int i = 0; i < PasswordAttempts::kPerMinute; ++i) EXPECT_TRUE(attempts_.MayTry("a"));
  EXPECT_FALSE(attempts_.MayTry("a"));
  EXPECT_TRUE(attempts_.MayTry("b"));
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_TRUE(attempts_.MayTry("a"));
}

TEST_F(PasswordAttemptsTest, SoManyAMinuteOfAll) {
  for (int i = 0; i < PasswordAttempts::kPerMinuteOfAll; ++i) {
    EXPECT_TRUE(attempts_.MayTry(std::to_string(i)));
  }
  EXPECT_FALSE(attempts_.MayTry("a"));
}

TEST_F(PasswordAttemptsTest, WhoeverKnowsItMayComeAsOftenAsTheyLike) {
  for (int i = 0; i < 2 * PasswordAttempts::kPerMinuteOfAll; ++i) {
    EXPECT_TRUE(attempts_.MayTry("a"));
    attempts_.Succeeded("a");
  }
}

TEST_F(PasswordAttemptsTest, WhoeverKnewItIsNotKeptOutByStrangers) {
  EXPECT_TRUE(attempts_.MayTry("a"));
  attempts_.Succeeded("a");
  for (int i = 0; i < PasswordAttempts::kPerMinuteOfAll; ++i) {
    EXPECT_TRUE(attempts_.MayTry(std::to_string(i)));
  }
  EXPECT_FALSE(attempts_.MayTry("b"));
  EXPECT_TRUE(attempts_.MayTry("a"));
}

TEST_F(PasswordAttemptsTest, ARightOneForgivesNoWrongOnes) {
  for (int i = 1; i < PasswordAttempts::kPerMinute; ++i) EXPECT_TRUE(attempts_.MayTry("a"));
  EXPECT_TRUE(attempts_.MayTry("a"));
  attempts_.Succeeded("a");
  EXPECT_TRUE(attempts_.MayTry("a"));
  EXPECT_FALSE(attempts_.MayTry("a"));
}

TEST_F(PasswordAttemptsTest, ANetworkOfIpv6IsOnePeer) {
  for (int i = 0; i < PasswordAttempts::kPerMinute; ++i) {
    EXPECT_TRUE(attempts_.MayTry("2001:db8::" + std::to_string(i)));
  }
  EXPECT_FALSE(attempts_.MayTry("2001:db8::ffff"));
  EXPECT_TRUE(attempts_.MayTry("2001:db8:0:1::1"));
}

}  // namespace
}  // namespace lethe::server_internal
