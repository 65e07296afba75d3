// Tokens find the frames they looked at. Method: attention with a clear bump for each token.

#include "decode/word_timing.h"

#include <cmath>

#include <gtest/gtest.h>

namespace lethe {
namespace {

std::vector<float> Bumps(const std::vector<int>& centres, int frames) {
  std::vector<float> attention;
  for (int centre : centres) {
    for (int t = 0; t < frames; ++t) {
      attention.push_back(std::exp(-0.05f * static_cast<float>((t - centre) * (t - centre))));
    }
  }
  return attention;
}

TEST(AlignTokensTest, EachTokenCoversTheFramesItLookedAt) {
  const std::vector<int> centres = {10, 30, 55, 80};
  const auto spans = AlignTokens(Bumps(centres, 100), 4, 100);
  ASSERT_EQ(spans.size(), 4u);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    EXPECT_LE(spans[i].first, centres[i]);
    EXPECT_GT(spans[i].last, centres[i]);
    if (i > 0) {
      EXPECT_EQ(spans[i].first, spans[i - 1].last);
    }
  }
  EXPECT_EQ(spans.front().first, 0);
  EXPECT_EQ(spans.back().last, 100);
}

TEST(AlignTokensTest, MoreTokensThanFramesAndNothingAtAllAreHandled) {
  const auto spans = AlignTokens(std::vector<float>(10 * 3, 0.1f), 10, 3);
  ASSERT_EQ(spans.size(), 10u);
  for (const FrameSpan& span : spans) {
    EXPECT_GE(span.first, 0);
    EXPECT_LE(span.first, span.last);
    EXPECT_LE(span.last, 3);
  }
  EXPECT_TRUE(AlignTokens({}, 0, 5).empty());
  EXPECT_EQ(AlignTokens({}, 2, 0).size(), 2u);
  EXPECT_EQ(AlignTokens(std::vector<float>(7, 1.0f), 1, 7)[0].last, 7);
}

}  // namespace
}  // namespace lethe
