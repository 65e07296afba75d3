// Goal: a flash call's parameters decide what its words and lines look like. Method: segments by
// hand.

#include "server/internal/flash_answer.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace lethe::server_internal {
namespace {

TEST(FlashAnswerTest, PunctuationOfWordsAndOfLinesGoesByItsParameters) {
  const Segment segment{.start = Millis(900),
                        .end = Millis(1200),
                        .text = "Well, yes.",
                        .words = {{"Well,", Millis(1000), Millis(1080), 0.5f},
                                  {"yes.", Millis(1100), Millis(1180), 0.5f}}};
  const Transcript transcript{.language = "en", .segments = {segment}};
  const auto sentences = [&](const FlashParameters& wanted) {
    const auto answer = nlohmann::json::parse(FlashAnswer("id", transcript, wanted));
    return answer.at("flash_result")[0].at("sentence_list");
  };
  const auto bare = sentences({.words = FlashWords::kWithoutPunctuation});
  EXPECT_EQ(bare[0].at("text"), "Well, yes.");
  EXPECT_EQ(bare[0].at("word_list")[0].at("word"), "Well");
  EXPECT_EQ(bare[0].at("word_list")[1].at("word"), "yes");
  const auto full = sentences({.words = FlashWords::kWithPunctuation});
  EXPECT_EQ(full[0].at("word_list")[1].at("word"), "yes.");
  const auto lines =
      sentences({.punctuation = PunctuationFilter::kDropAll, .words = FlashWords::kSubtitles});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("text"), "Well");
  EXPECT_EQ(lines[1].at("text"), "yes");
  EXPECT_EQ(lines[1].at("word_list")[0].at("start_time"), 1100);
}

}  // namespace
}  // namespace lethe::server_internal
