// Goal: a session ends when it is idle, when it is old and when somebody says so, and there are
// never too many. Method: a clock that the test moves.

#include "server/internal/console_sessions.h"

#include <vector>

#include <gtest/gtest.h>

namespace lethe::server_internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Use = ConsoleSessions::Use;

class ConsoleSessionsTest : public testing::Test {
 protected:
  ManualClock clock_{WallTime(hours(500'000))};
  ConsoleSessions sessions_{clock_};
};

TEST_F(ConsoleSessionsTest, ATokenOpensItsOwnSessionOnly) {
  const std::string one = sessions_.Begin(), other = sessions_.Begin();
  EXPECT_NE(one, other);
  EXPECT_TRUE(sessions_.Find(one, Use::kNo));
  EXPECT_FALSE(sessions_.Find("", Use::kNo));
  EXPECT_FALSE(sessions_.Find(std::string(43, 'a'), Use::kNo));
  EXPECT_FALSE(sessions_.Find(one + "a", Use::kNo));
  sessions_.End(one);
  EXPECT_FALSE(sessions_.Find(one, Use::kNo));
  EXPECT_TRUE(sessions_.Find(other, Use::kNo));
}

TEST_F(ConsoleSessionsTest, AnIdleOneEndsAndLookingAtItIsNoUse) {
  const std::string token = sessions_.Begin();
  clock_.Advance(ConsoleSessions::kIdle - minutes(1));
  EXPECT_EQ(sessions_.Find(token, Use::kNo), clock_.Now() + minutes(1));
  clock_.Advance(minutes(1));
  EXPECT_FALSE(sessions_.Find(token, Use::kYes));
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(ConsoleSessionsTest, AUsedOneLastsAndYetNotForEver) {
  const std::string token = sessions_.Begin();
  const WallTime begun = clock_.Now();
  for (minutes passed{0}; passed + minutes(20) < ConsoleSessions::kLongest; passed += minutes(20)) {
    clock_.Advance(minutes(20));
    ASSERT_TRUE(sessions_.Find(token, Use::kYes));
  }
  EXPECT_EQ(sessions_.Find(token, Use::kYes), begun + ConsoleSessions::kLongest);
  clock_.Set(begun + ConsoleSessions::kLongest);
  EXPECT_FALSE(sessions_.Find(token, Use::kYes));
}

TEST_F(ConsoleSessionsTest, AClockThatIsSetBackMakesNoneLonger) {
  const std::string token = sessions_.Begin();
  clock_.Set(clock_.Now() - hours(1));
  EXPECT_FALSE(sessions_.Find(token, Use::kYes));
}

TEST_F(ConsoleSessionsTest, TheLeastUsedMakesRoom) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < ConsoleSessions::kMost; ++i) {
    tokens.push_back(sessions_.Begin());
    clock_.Advance(Millis(1));
  }
  EXPECT_TRUE(sessions_.Find(tokens[0], Use::kYes));
  tokens.push_back(sessions_.Begin());
  EXPECT_EQ(sessions_.size(), ConsoleSessions::kMost);
  EXPECT_TRUE(sessions_.Find(tokens[0], Use::kNo));
  EXPECT_FALSE(sessions_.Find(tokens[1], Use::kNo));
  EXPECT_TRUE(sessions_.Find(tokens.back(), Use::kNo));
}

}  // namespace
}  // namespace lethe::server_internal
