// How alike spellings sound. Method: words that are taken for each other, and words that are not.

#include "text/sound.h"

#include <gtest/gtest.h>

namespace lethe {
namespace {

float Distance(std::string_view a, std::string_view b) {
  return SoundDistances(SoundOf(a), SoundOf(b)).back();
}

TEST(SoundTest, SpellingsOfOneSoundAreEqual) {
  EXPECT_EQ(SoundOf("psalters"), SoundOf("Salters,"));
  EXPECT_EQ(SoundOf("night glow"), SoundOf("nightglow"));
  EXPECT_EQ(SoundOf("Phil"), SoundOf("fill"));
  EXPECT_EQ(SoundOf("Caf\xC3\xA9"), SoundOf("cafe\xCC\x81").substr(0, 4));
  EXPECT_EQ(SoundOf("2"), SoundOf("two"));
  EXPECT_EQ(SoundOf("Dashwood's"), SoundOf("dashwoods"));
}

TEST(SoundTest, WhatHasNoSoundIsEmpty) {
  EXPECT_EQ(SoundOf(""), "");
  EXPECT_EQ(SoundOf(" ...?! "), "");
  EXPECT_EQ(SoundOf("\xE4\xB8\xAD\xE6\x96\x87"), "");
  EXPECT_EQ(SoundOf("\xFF\xFE"), "");
  EXPECT_EQ(SoundDistances("", "").size(), 1u);
}

TEST(SoundTest, NeighboursAreNearerThanStrangers) {
  EXPECT_LT(Distance("Jim", "gym"), 0.01f);
  EXPECT_LT(Distance("Smiths", "Swiss"), Distance("Smiths", "church"));
  EXPECT_LT(Distance("vault", "fault"), Distance("vault", "salt"));
  EXPECT_LT(Distance("cowmen", "cowman"), Distance("cowmen", "woman"));
  EXPECT_FLOAT_EQ(Distance("Braves", "blade"), Distance("blade", "Braves"));
}

TEST(SoundTest, EveryPrefixIsMeasured) {
  const std::string sound = SoundOf("Ben");
  const auto distances = SoundDistances(sound, SoundOf("Ben was playing"));
  ASSERT_EQ(distances.size(), SoundOf("Ben was playing").size() + 1);
  EXPECT_EQ(distances[sound.size()], 0);
  EXPECT_GT(distances.back(), 3);
}

}  // namespace
}  // namespace lethe
