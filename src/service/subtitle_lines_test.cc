// Goal: lines of subtitles are cut where people would cut them, and lose no word. Method: segments
// by hand.

#include "service/subtitle_lines.h"

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::ElementsAre;

Segment Spoken(const std::vector<std::string>& words) {
  Segment segment{.channel = 1, .start = Millis(900)};
  Millis at(1000);
  for (const std::string& word : words) {
    segment.text += (segment.text.empty() ? "" : " ") + word;
    segment.words.push_back({word, at, at + Millis(80), 0.5f});
    at += Millis(100);
  }
  segment.end = at;
  return segment;
}

std::vector<Segment> Lines(const Segment& segment, int max_length = 0,
                           PunctuationFilter punctuation = PunctuationFilter::kKeep) {
  return CutIntoLines({.language = "en", .segments = {segment}}, max_length, punctuation);
}

std::vector<std::string> Texts(const std::vector<Segment>& lines) {
  std::vector<std::string> texts;
  for (const Segment& line : lines) texts.push_back(line.text);
  return texts;
}

TEST(SubtitleLinesTest, LinesEndAtPunctuation) {
  const auto lines = Lines(Spoken({"Well,", "at", "5", "p.m.", "we", "\"left.\"", "He", "did"}));
  EXPECT_THAT(Texts(lines), ElementsAre("Well,", "at 5 p.m. we \"left.\"", "He did"));
  EXPECT_EQ(lines[0].start, Millis(900));
  EXPECT_EQ(lines[0].end, Millis(1080));
  EXPECT_EQ(lines[1].start, Millis(1100));
  EXPECT_EQ(lines[1].words.size(), 5U);
  EXPECT_EQ(lines[2].end, Millis(1800));
  EXPECT_EQ(lines[2].channel, 1);
}

TEST(SubtitleLinesTest, TitlesAndInitialsEndNothing) {
  EXPECT_THAT(Texts(Lines(Spoken({"And", "Mr.", "John", "(Dr.", "Smith)", "read", "J.", "R.",
                                  "Green.", "So", "do", "I.", "Yes."}))),
              ElementsAre("And Mr. John (Dr. Smith) read J. R. Green.", "So do I.", "Yes."));
}

TEST(SubtitleLinesTest, LinesHoldNoMoreCharactersThanTheyMay) {
  EXPECT_THAT(Texts(Lines(Spoken({"a", "b", "c", "d\u00E9f", "extraordinary", "g", "h."}), 7)),
              ElementsAre("a b c", "d\u00E9f", "extraordinary", "g h."));
  EXPECT_THAT(Texts(Lines(Spoken({"d\u00E9f", "g\u00E9."}), 7)), ElementsAre("d\u00E9f g\u00E9."));
}

TEST(SubtitleLinesTest, ChineseKeepsItsSpacing) {
  Segment segment = Spoken({"今天", "天气", "很好，", "我们", "去", "公园。"});
  segment.text = "今天天气很好，我们去公园。";
  EXPECT_THAT(Texts(Lines(segment, 0)), ElementsAre("今天天气很好，", "我们去公园。"));
  EXPECT_THAT(Texts(Lines(segment, 5)), ElementsAre("今天天气", "很好，", "我们去", "公园。"));
}

TEST(SubtitleLinesTest, WordsThatAreNotInTheTextLeaveItWhole) {
  Segment segment = Spoken({"a.", "b."});
  segment.text = "something else";
  EXPECT_THAT(Texts(Lines(segment)), ElementsAre("something else"));
  segment.words.clear();
  EXPECT_THAT(Texts(Lines(segment)), ElementsAre("something else"));
}

TEST(SubtitleLinesTest, PunctuationGoesAfterTheCut) {
  const auto lines = Lines(Spoken({"Well,", "-", "yes."}), 0, PunctuationFilter::kDropAll);
  EXPECT_THAT(Texts(lines), ElementsAre("Well", "yes"));
  EXPECT_EQ(lines[1].words[0].text, "yes");
}

}  // namespace
}  // namespace lethe
