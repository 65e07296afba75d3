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
  std::optional<WallTime> Find(const ConsoleTokens& tokens, Use use) {
    return sessions_.Find(tokens.cookie, tokens.page, "mark", use);
  }
  ConsoleTokens Begin() { return sessions_.Begin("mark"); }

  ManualClock clock_{WallTime(hours(500'000))};
  ConsoleSessions sessions_{clock_};
};

TEST_F(ConsoleSessionsTest, ATokenOpensItsOwnSessionOnly) {
  const ConsoleTokens one = Begin(), other = Begin();
  EXPECT_NE(one.cookie, other.cookie);
  EXPECT_NE(one.cookie, one.page);
  EXPECT_TRUE(Find(one, Use::kNo));
  for (const std::string& wrong : {std::string(), std::string(43, 'a'), one.cookie + "a"}) {
    EXPECT_FALSE(Find({wrong, one.page}, Use::kNo)) << wrong;
    EXPECT_FALSE(Find({one.cookie, wrong}, Use::kNo)) << wrong;
  }
  EXPECT_FALSE(Find({one.cookie, other.page}, Use::kNo));
  sessions_.End(one.cookie);
  EXPECT_FALSE(Find(one, Use::kNo));
  EXPECT_TRUE(Find(other, Use::kNo));
}

TEST_F(ConsoleSessionsTest, AnIdleOneEndsAndLookingAtItIsNoUse) {
  const ConsoleTokens token = Begin();
  clock_.Advance(ConsoleSessions::kIdle - minutes(1));
  EXPECT_EQ(Find(token, Use::kNo), clock_.Now() + minutes(1));
  clock_.Advance(minutes(1));
  EXPECT_FALSE(Find(token, Use::kYes));
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(ConsoleSessionsTest, AUsedOneLastsAndYetNotForEver) {
  const ConsoleTokens token = Begin();
  const WallTime begun = clock_.Now();
  for (minutes passed{0}; passed + minutes(20) < ConsoleSessions::kLongest; passed += minutes(20)) {
    clock_.Advance(minutes(20));
    ASSERT_TRUE(Find(token, Use::kYes));
  }
  EXPECT_EQ(Find(token, Use::kYes), begun + ConsoleSessions::kLongest);
  clock_.Set(begun + ConsoleSessions::kLongest);
  EXPECT_FALSE(Find(token, Use::kYes));
}

TEST_F(ConsoleSessionsTest, OneEndsWithThePasswordItBeganUnder) {
  const ConsoleTokens tokens = Begin();
  EXPECT_FALSE(sessions_.Find(tokens.cookie, tokens.page, "another mark", Use::kNo));
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(ConsoleSessionsTest, AClockThatIsSetBackMakesNoneLonger) {
  const ConsoleTokens token = Begin();
  clock_.Set(clock_.Now() - hours(1));
  EXPECT_FALSE(Find(token, Use::kYes));
}

TEST_F(ConsoleSessionsTest, TheLeastUsedMakesRoom) {
  std::vector<ConsoleTokens> tokens;
  for (std::size_t i = 0; i < ConsoleSessions::kMost; ++i) {
    tokens.push_back(Begin());
    clock_.Advance(Millis(1));
  }
  EXPECT_TRUE(Find(tokens[0], Use::kYes));
  tokens.push_back(Begin());
  EXPECT_EQ(sessions_.size(), ConsoleSessions::kMost);
  EXPECT_TRUE(Find(tokens[0], Use::kNo));
  EXPECT_FALSE(Find(tokens[1], Use::kNo));
  EXPECT_TRUE(Find(tokens.back(), Use::kNo));
}

}  // namespace
}  // namespace lethe::server_internal
