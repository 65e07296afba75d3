// Goal: the table adds up: rates are pooled over words, real-time factors over seconds.
// Method: two sets small enough to count by hand.

#include "app/scoreboard.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Scoreboard TwoSets() {
  Scoreboard board;
  board.Add("short", {.clips = 1,
                      .empty_answers = 1,
                      .errors = {.words = 1, .deletions = 1},
                      .audio_seconds = 1,
                      .compute_seconds = 0.5});
  board.Add("long", {.clips = 1,
                     .errors = {.words = 9, .insertions = 1, .substitutions = 1},
                     .audio_seconds = 9,
                     .compute_seconds = 0.5});
  return board;
}

TEST(ScoreboardTest, TotalsArePooled) {
  const SetScore total = TwoSets().Total();
  EXPECT_EQ(total.clips, 2);
  EXPECT_EQ(total.empty_answers, 1);
  EXPECT_DOUBLE_EQ(total.errors.rate(), 0.3);
  EXPECT_DOUBLE_EQ(total.rtf(), 0.1);
}

TEST(ScoreboardTest, TableHasARowForEachSetAndTheTotal) {
  const std::string table = TwoSets().Table();
  EXPECT_THAT(table, HasSubstr("long "));
  EXPECT_THAT(table, HasSubstr("short"));
  EXPECT_THAT(table,
              HasSubstr("total      2      10   30.00      1      1      1      1    0.100"));
}

TEST(ScoreboardTest, JsonSaysTheSame) {
  Scoreboard board = TwoSets();
  board.robustness() = {.clips = 3, .refused = 1, .without_speech = 2, .words_from_nothing = 0};
  const nlohmann::ordered_json json = board.Json();
  EXPECT_EQ(json["total"]["words"], 10);
  EXPECT_EQ(json["sets"]["short"]["wer"], 1.0);
  EXPECT_EQ(json["not_scored"]["refused"], 1);
}

TEST(ScoreboardTest, TheOraclesRateStandsBesideWhenItIsWanted) {
  Scoreboard board(/*oracle=*/true);
  for (const std::int64_t left : {1, 2}) {
    board.Add("set",
              {.clips = 1, .errors = {.words = 5, .substitutions = 3}, .oracle_errors = left});
  }
  EXPECT_THAT(board.Table(), HasSubstr("     RTF oracle %\n"));
  EXPECT_THAT(board.Table(), HasSubstr("    0.000    30.00\n"));
  EXPECT_EQ(board.Json()["total"]["oracle_wer"], 0.3);
  EXPECT_THAT(TwoSets().Table(), Not(HasSubstr("oracle")));
  EXPECT_FALSE(TwoSets().Json()["total"].contains("oracle_wer"));
}

TEST(ScoreboardTest, WithoutClipsNothingIsDividedByZero) {
  EXPECT_EQ(Scoreboard().Total().rtf(), 0);
  EXPECT_THAT(Scoreboard().Table(), HasSubstr("0.00"));
}

TEST(ScoreboardTest, AlignmentIsShownInOneLine) {
  EXPECT_EQ(ShowAlignment({{"a", "a"}, {"b", "x"}, {"c", ""}, {"", "d"}}), "a [b>x] [c>] [>d]");
}

}  // namespace
}  // namespace lethe
