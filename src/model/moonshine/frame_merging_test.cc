// Goal: the frames that are most alike become one, each once, or move as one; nothing else changes.

#include "model/moonshine/internal/frame_merging.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lethe::moonshine {
namespace {

using ::testing::ElementsAre;

constexpr int kColumns = 32;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A frame a row; those of one angle point the same way, whatever their lengths.
AlignedVector<float> Frames(const std::vector<std::pair<float, float>>& angles_and_lengths) {
  AlignedVector<float> frames;
  for (const auto& [angle, length] : angles_and_lengths) {
    const std::size_t at = frames.size();
    frames.resize(at + kColumns);
    frames[at + 1] = length * std::cos(angle);
    frames[at + 17] = length * std::sin(angle);
  }
  return frames;
}

std::vector<int> Pairs(const AlignedVector<float>& frames, int most) {
  const auto begins = LikePairs(ScalarKernels(), frames.data(),
                                static_cast<int>(frames.size()) / kColumns, kColumns, most);
  return {begins.begin(), begins.end()};
}

TEST(SharedByPairsTest, FirstLayersHearEveryFrameAndLaterOnesTakeTurns) {
  const auto shared = [](int layers) {
    std::string kinds;
    for (int i = 0; i < layers; ++i) kinds += ".fl"[static_cast<int>(SharedByPairs(i, layers))];
    return kinds;
  };
  EXPECT_EQ(shared(1), ".");
  EXPECT_EQ(shared(2), "..");
  EXPECT_EQ(shared(3), "..f");
  EXPECT_EQ(shared(6), "..flff");
  EXPECT_EQ(shared(8), "...flflf");
}

TEST(LikePairsTest, TheMostAlikeGoFirstHoweverLongTheyAre) {
  const auto frames = Frames({{0, 1}, {0.3f, 1}, {1, 1}, {1.1f, 100}, {2, 1}, {2.2f, 1}});
  EXPECT_THAT(Pairs(frames, 0), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(Pairs(frames, 1), ElementsAre(0, 0, 1, 0, 0, 0));
  EXPECT_THAT(Pairs(frames, 2), ElementsAre(0, 0, 1, 0, 1, 0));
  EXPECT_THAT(Pairs(frames, 9), ElementsAre(1, 0, 1, 0, 1, 0));
}

TEST(LikePairsTest, AFrameIsInOnePairAndOfEqualsTheFirstIsTaken) {
  EXPECT_THAT(Pairs(Frames({{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}}), 9),
              ElementsAre(1, 0, 1, 0, 0));
  // The middle two are most alike, so their neighbours stay alone.
  EXPECT_THAT(Pairs(Frames({{0, 1}, {0.2f, 1}, {0.3f, 1}, {0.5f, 1}}), 9), ElementsAre(0, 1, 0, 0));
}

TEST(LikePairsTest, WhatHasNoDirectionIsLikeNothing) {
  EXPECT_THAT(Pairs(Frames({{0, 0}, {0, 0}, {0, kNan}, {0, 1}, {0.1f, 1}, {0, 1e30f}}), 1),
              ElementsAre(0, 0, 0, 1, 0, 0));
  EXPECT_THAT(Pairs(Frames({{0, 1}}), 9), ElementsAre(0));
  EXPECT_THAT(Pairs({}, 9), ElementsAre());
}

TEST(MergePairsTest, APairBecomesItsMeanAndTheOthersMoveUp) {
  auto x = Frames({{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}});
  std::vector<std::uint16_t> first = {0, 1, 2, 3, 4, 5};
  MergePairs(std::vector<std::uint8_t>{0, 1, 0, 1, 0}, kColumns, &x, &first);
  EXPECT_EQ(x, Frames({{0, 1}, {0, 3}, {0, 12}}));
  EXPECT_THAT(first, ElementsAre(0, 1, 3, 5));
  // Of what was merged before, too, it is known where it came from.
  MergePairs(std::vector<std::uint8_t>{1, 0, 0}, kColumns, &x, &first);
  EXPECT_EQ(x, Frames({{0, 2}, {0, 12}}));
  EXPECT_THAT(first, ElementsAre(0, 3, 5));
}

TEST(SpreadMeansTest, FramesOfAPairMoveAsTheirMeanAndStayApart) {
  const std::vector<std::uint8_t> begins_pair = {1, 0, 0, 1, 0};
  auto x = Frames({{0, 1}, {0, 3}, {0, 5}, {0, 8}, {0, 4}});
  AlignedVector<float> means(x.size());
  ASSERT_EQ(PairMeans(begins_pair, kColumns, x.data(), means.data()), 3);
  means.resize(std::size_t{3} * kColumns);
  EXPECT_EQ(means, Frames({{0, 2}, {0, 5}, {0, 6}}));
  SpreadMeans(begins_pair, kColumns, Frames({{0, 102}, {0, 7}, {0, -6}}).data(), x.data());
  EXPECT_EQ(x, Frames({{0, 101}, {0, 103}, {0, 7}, {0, -4}, {0, -8}}));
}

TEST(SpreadMeansTest, NoFramesAndNoPairs) {
  EXPECT_EQ(PairMeans({}, kColumns, nullptr, nullptr), 0);
  SpreadMeans({}, kColumns, nullptr, nullptr);
  const std::vector<std::uint8_t> none = {0, 0};
  auto x = Frames({{0, 1}, {0, 3}});
  AlignedVector<float> means(x.size());
  ASSERT_EQ(PairMeans(none, kColumns, x.data(), means.data()), 2);
  EXPECT_EQ(means, x);
  SpreadMeans(none, kColumns, Frames({{0, 2}, {0, 4}}).data(), x.data());
  EXPECT_EQ(x, Frames({{0, 2}, {0, 4}}));
}

}  // namespace
}  // namespace lethe::moonshine
