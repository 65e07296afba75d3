// Goal: no transcript overwrites another.
// Method: lists of inputs whose names collide in every way the rule knows.

#include "app/output_names.h"

#include <set>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::ElementsAre;

TEST(OutputNamesTest, TheEndingIsExchanged) {
  EXPECT_THAT(OutputNames({"talk.mp3", "call.01.wav", "-"}, "srt"),
              ElementsAre("talk.srt", "call.01.srt", "stdin.srt"));
}

TEST(OutputNamesTest, FoldersAreKept) {
  EXPECT_THAT(OutputNames({"talk.wav", "a/talk.wav", "a/b.c/talk.wav"}, "txt"),
              ElementsAre("talk.txt", "a/talk.txt", "a/b.c/talk.txt"));
}

TEST(OutputNamesTest, EqualStemsKeepTheirOldEnding) {
  EXPECT_THAT(OutputNames({"talk.mp3", "other.mp3", "talk.wav"}, "txt"),
              ElementsAre("talk.mp3.txt", "other.txt", "talk.wav.txt"));
}

TEST(OutputNamesTest, EqualNamesAreNumbered) {
  EXPECT_THAT(OutputNames({"talk.wav", "talk.wav", "talk.wav"}, "txt"),
              ElementsAre("talk.wav.txt", "talk.wav-2.txt", "talk.wav-3.txt"));
}

TEST(OutputNamesTest, NamesThatLookLikeOursDoNotCollide) {
  const std::vector<std::string> names = OutputNames(
      {"x.wav", "x.wav", "x.wav.mp3", "x.wav", "x.wav-2.ogg", "x.wav-2", "x.wav.txt"}, "txt");
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

}  // namespace
}  // namespace lethe
