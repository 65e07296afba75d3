// Goal: lines of subtitles are cut where people would cut them, and lose no word. Method: segments
// by hand.

#include "server/internal/flash_answer.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

namespace lethe::server_internal {
namespace {

using ::testing::ElementsAre;

Segment Spoken(const std::vector<std::string>& words) {
  Segment segment{.start = Millis(900)};
  Millis at(1000);
  for (const std::string& word : words) {
    segment.text += (segment.text.empty() ? "" : " ") + word;
    segment.words.push_back({word, at, at + Millis(80), 0.5f});
    at += Millis(100);
  }
  segment.end = at;
  return segment;
}

std::vector<std::string> Texts(const std::vector<Segment>& lines) {
  std::vector<std::string> texts;
  for (const Segment& line : lines) texts.push_back(line.text);
  return texts;
}

TEST(CutIntoLinesTest, LinesEndAtPunctuation) {
  const auto lines =
      CutIntoLines(Spoken({"Well,", "at", "5", "p.m.", "we", "left.", "He", "did"}), 0);
  EXPECT_THAT(Texts(lines), ElementsAre("Well,", "at 5 p.m. we left.", "He did"));
  EXPECT_EQ(lines[0].start, Millis(900));
  EXPECT_EQ(lines[0].end, Millis(1080));
  EXPECT_EQ(lines[1].start, Millis(1100));
  EXPECT_EQ(lines[1].words.size(), 5U);
  EXPECT_EQ(lines[2].end, Millis(1800));
}

TEST(CutIntoLinesTest, LinesHoldNoMoreThanTheyMay) {
  const auto lines = CutIntoLines(Spoken({"a", "b", "c", "d", "e", "f", "g", "h."}), 6);
  EXPECT_THAT(Texts(lines), ElementsAre("a b c d e f", "g h."));
}

TEST(CutIntoLinesTest, ChineseIsCountedInCharactersAndKeepsItsSpacing) {
  Segment segment = Spoken({"今天", "天气", "很好，", "我们", "去", "公园。"});
  segment.text = "今天天气很好，我们去公园。";
  EXPECT_THAT(Texts(CutIntoLines(segment, 0)), ElementsAre("今天天气很好，", "我们去公园。"));
  EXPECT_THAT(Texts(CutIntoLines(segment, 5)), ElementsAre("今天天气", "很好，", "我们去公园。"));
}

TEST(CutIntoLinesTest, WordsThatAreNotInTheTextLeaveItWhole) {
  Segment segment = Spoken({"a.", "b."});
  segment.text = "something else";
  EXPECT_THAT(Texts(CutIntoLines(segment, 0)), ElementsAre("something else"));
}

TEST(FlashAnswerTest, PunctuationOfWordsAndOfLinesGoesByItsParameters) {
  Transcript transcript{.language = "en", .segments = {Spoken({"Well,", "yes."})}};
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
