// Goal: subtitles that can be read: no cue too long, no word lost, cuts where a reader expects
// them. Method: segments by hand, their words at a steady pace; what comes out is put together
// again.

#include "service/internal/subtitles.h"

#include <sstream>

#include <gmock/gmock.h>

namespace lethe::internal {
namespace {

using ::testing::ElementsAre;

// A segment that says `text` from `start` on, a word every `pace`, half of which is speech.
Segment Say(const std::string& text, Millis start, Millis pace, int channel = 0) {
  Segment segment{.channel = channel, .start = start, .text = text};
  std::istringstream stream(text);
  for (std::string word; stream >> word; start += pace) {
    segment.words.push_back({.text = word, .start = start, .end = start + pace / 2});
  }
  segment.end = start;
  return segment;
}

std::vector<std::string> Texts(const std::vector<Cue>& cues) {
  std::vector<std::string> texts;
  for (const Cue& cue : cues) texts.push_back(cue.text);
  return texts;
}

std::size_t Bytes(const Cue& cue) { return cue.text.size(); }

TEST(SubtitlesTest, WhatFitsIsOneCueThoughItHasTwoSentences) {
  const auto cues =
      CutIntoCues({.segments = {Say("It rained. We stayed at home.", Millis(500), Millis(300))}});
  EXPECT_THAT(Texts(cues), ElementsAre("It rained. We stayed at home."));
  EXPECT_EQ(cues[0].start, Millis(500));
  EXPECT_EQ(cues[0].end, Millis(2'300));
}

TEST(SubtitlesTest, LongOnesAreCutWhereSentencesEnd) {
  const auto cues =
      CutIntoCues({.segments = {Say(
                       "It had rained all the week before, and the river stood high in the "
                       "meadows. \"We shall stay "
                       "where we are.\" Nobody answered, since nobody had a better plan than hers.",
                       Millis(0), Millis(200))}});
  EXPECT_THAT(
      Texts(cues),
      ElementsAre("It had rained all the week before, and the river stood high in the meadows.",
                  "\"We shall stay where we are.\"",
                  "Nobody answered, since nobody had a better plan than hers."));
}

TEST(SubtitlesTest, ATitleIsNoEnd) {
  EXPECT_THAT(
      Texts(CutIntoCues(
          {.segments = {Say(
               "The boats that had left the harbour in the morning were seen by old Mr. Dashwood, "
               "who was standing on the wall",
               Millis(0), Millis(200))}})),
      ElementsAre(
          "The boats that had left the harbour in the morning were seen by old Mr. Dashwood,",
          "who was standing on the wall"));
}

TEST(SubtitlesTest, WithoutASentencesEndTheyAreCutBehindACommaOrInAPause) {
  EXPECT_THAT(
      Texts(CutIntoCues(
          {.segments = {Say(
               "when all the boats that had left the harbour, loaded with salt and timber and "
               "wool from the north came back",
               Millis(0), Millis(150))}})),
      ElementsAre("when all the boats that had left the harbour,",
                  "loaded with salt and timber and wool from the north came back"));
  Segment paused = Say(
      "when all the boats that had left the harbour loaded with salt and timber and wool from the "
      "north came back",
      Millis(0), Millis(150));
  for (std::size_t i = 9; i < paused.words.size(); ++i) {
    paused.words[i].start += Millis(400);
    paused.words[i].end += Millis(400);
  }
  paused.end += Millis(400);
  EXPECT_THAT(Texts(CutIntoCues({.segments = {paused}})),
              ElementsAre("when all the boats that had left the harbour",
                          "loaded with salt and timber and wool from the north came back"));
}

TEST(SubtitlesTest, NoCueIsTooLongAndNoWordIsLost) {
  std::string text = "w0";
  for (int i = 1; i < 400; ++i)
    text += (i % 7 == 3 ? ", " : " ") + std::string("w") + std::to_string(i * i);
  for (const int pace : {20, 90, 400, 1'500}) {
    const Segment segment = Say(text, Millis(1'000), Millis(pace));
    const auto cues = CutIntoCues({.segments = {segment}});
    std::string joined;
    Millis end = Millis(0);
    for (const Cue& cue : cues) {
      EXPECT_LE(Bytes(cue), kMaxCueCharacters);
      EXPECT_LE(cue.end - cue.start, kMaxCueDuration);
      EXPECT_GE(cue.start, end);
      EXPECT_LT(cue.start, cue.end);
      end = cue.end;
      joined += (joined.empty() ? "" : " ") + cue.text;
    }
    EXPECT_EQ(joined, segment.text) << pace;
    EXPECT_EQ(end, segment.end);
  }
}

TEST(SubtitlesTest, NoWordIsLeftAlone) {
  // 86 characters: two words could stand in a cue of their own.
  const auto cues = CutIntoCues({.segments = {Say("they went along the wall of the old garden "
                                                  "until the path came down to the river banks now",
                                                  Millis(0), Millis(200))}});
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_GE(Bytes(cues[0]), 20U);
  EXPECT_GE(Bytes(cues[1]), 20U);
}

TEST(SubtitlesTest, CharactersAreCountedNotBytes) {
  std::string text;  // 83 characters, 166 bytes without the blanks
  for (int i = 0; i < 21; ++i) text += std::string(i == 0 ? "" : " ") + "\u00E9\u00E8\u00EA";
  EXPECT_EQ(CutIntoCues({.segments = {Say(text, Millis(0), Millis(100))}}).size(), 1U);
}

TEST(SubtitlesTest, WhatCannotBeCutStaysWhole) {
  Segment without =
      Say(std::string(50, 'x') + " " + std::string(50, 'y'), Millis(0), Millis(5'000));
  Segment other = without;
  without.words.clear();
  other.words[0].text = "z";
  EXPECT_EQ(CutIntoCues({.segments = {without}}).size(), 1U);
  EXPECT_EQ(CutIntoCues({.segments = {other}}).size(), 1U);
  const Segment one = Say(std::string(100, 'x'), Millis(0), Millis(9'000));
  EXPECT_EQ(CutIntoCues({.segments = {one}}).size(), 1U);
  EXPECT_TRUE(CutIntoCues({}).empty());
}

TEST(SubtitlesTest, ChannelsAlternateInTheOrderOfTime) {
  const std::string ten = "one two three four five six seven eight nine ten.";
  const auto cues = CutIntoCues({.segments = {Say(ten + " " + ten, Millis(0), Millis(500), 0),
                                              Say("Yes.", Millis(4'000), Millis(500), 1)}});
  ASSERT_EQ(cues.size(), 3U);
  EXPECT_THAT((std::vector{cues[0].channel, cues[1].channel, cues[2].channel}),
              ElementsAre(0, 1, 0));
}

}  // namespace
}  // namespace lethe::internal
