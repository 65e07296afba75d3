// The beam finds what greedy search misses, weighs two hearings, and keeps the guards: against
// small tables of probabilities whose best text is known.

#include "decode/beam_search.h"

#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/dispatch.h"

namespace lethe {
namespace {

constexpr int kEnd = 0;

// The probabilities of all tokens behind some.
using Table = std::function<std::vector<double>(const std::vector<int>&)>;

std::vector<float> Logits(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p + 1e-9)) + 3);
  return logits;
}

std::vector<BeamSearch::Hypothesis> SearchSome(const GreedyOptions& options,
                                               const BeamSearch::Options& beam, const Table& table,
                                               const Table& other = nullptr) {
  BeamSearch search;
  search.Begin(options, beam);
  std::vector<std::vector<int>> texts(1);
  do {
    for (int i = 0; i < search.num_live(); ++i) {
      std::vector<float> logits = Logits(table(texts[i])), second;
      if (other) second = Logits(other(texts[i]));
      search.Take(ScalarKernels(), i, logits, second);
    }
    const bool more = search.Advance();
    if (!more) break;
    std::vector<std::vector<int>> next;
    for (int i = 0; i < search.num_live(); ++i) {
      next.push_back(texts[search.parents()[i]]);
      next.back().push_back(search.token(i));
    }
    texts = next;
  } while (true);
  return {search.found().begin(), search.found().end()};
}

std::vector<int> Search(const GreedyOptions& options, int width, const Table& table,
                        const Table& other = nullptr) {
  const auto found = SearchSome(options, {.width = width}, table, other);
  return found.empty() ? std::vector<int>() : found.front().tokens;
}

const GreedyOptions kOptions{.end_token = kEnd, .max_tokens = 20, .forbid_empty = false};

// 1 looks better than 2 at first, but nothing good follows.
std::vector<double> GardenPath(const std::vector<int>& text) {
  if (text.empty()) return {0.0, 0.6, 0.4, 0.0, 0.0};
  if (text.size() == 1 && text[0] == 1) return {0.0, 0.0, 0.0, 0.5, 0.5};
  if (text.size() == 1) return {0.0, 0.0, 0.0, 0.0, 1.0};
  return {1.0, 0.0, 0.0, 0.0, 0.0};
}

TEST(BeamSearchTest, FindsWhatGreedySearchMisses) {
  EXPECT_EQ(Search(kOptions, 1, GardenPath), (std::vector<int>{1, 3}));
  EXPECT_EQ(Search(kOptions, 2, GardenPath), (std::vector<int>{2, 4}));
}

TEST(BeamSearchTest, TwoHearingsAreWeighedAlike) {
  const Table first = [](const std::vector<int>& text) {
    return text.empty() ? std::vector<double>{0.0, 0.6, 0.4, 0.0, 0.0} : GardenPath({1, 3});
  };
  const Table second = [](const std::vector<int>& text) {
    return text.empty() ? std::vector<double>{0.0, 0.1, 0.9, 0.0, 0.0} : GardenPath({1, 3});
  };
  EXPECT_EQ(Search(kOptions, 4, first), (std::vector<int>{1}));
  EXPECT_EQ(Search(kOptions, 4, first, second), (std::vector<int>{2}));
}

TEST(BeamSearchTest, TheFirstTokenIsNotTheEndWhereSomebodySpoke) {
  const Table table = [](const std::vector<int>& text) {
    return text.empty() ? std::vector<double>{0.9, 0.1, 0.0, 0.0, 0.0} : GardenPath({1, 3});
  };
  GreedyOptions options = kOptions;
  EXPECT_TRUE(Search(options, 4, table).empty());
  options.forbid_empty = true;
  EXPECT_EQ(Search(options, 4, table), (std::vector<int>{1}));
}

TEST(BeamSearchTest, APromiseIsKept) {
  const std::vector<int> promised = {1, 4};
  GreedyOptions options = kOptions;
  options.promised = promised;
  EXPECT_EQ(Search(options, 4, GardenPath), promised);
}

TEST(BeamSearchTest, WhatRunsInCirclesIsDropped) {
  const Table table = [](const std::vector<int>&) {
    return std::vector<double>{0.0, 1.0, 0.0, 0.0, 0.0};
  };
  EXPECT_NE(Search(kOptions, 1, table), std::vector<int>(20, 1));
  GreedyOptions options = kOptions;
  options.max_tokens = 5;
  EXPECT_EQ(Search(options, 1, table), std::vector<int>(5, 1)) << "ends at the limit";
}

// Three texts of two tokens: 1 3, 1 4, and 2 4.
TEST(BeamSearchTest, TextsComeWithTheirProbabilitiesTheBestFirst) {
  const auto found = SearchSome(kOptions, {.width = 3, .wanted = 3}, GardenPath);
  ASSERT_GE(found.size(), 3u);
  EXPECT_EQ(found[0].tokens, (std::vector<int>{2, 4}));
  EXPECT_EQ(found[1].tokens, (std::vector<int>{1, 3}));
  EXPECT_EQ(found[2].tokens, (std::vector<int>{1, 4}));
  EXPECT_NEAR(found[0].sum, std::log(0.4), 1e-5);
  EXPECT_NEAR(found[1].sum, std::log(0.3), 1e-5);
  EXPECT_NEAR(found[2].sum, std::log(0.3), 1e-5);
}

// The end comes after one token with 0.5, after two with 0.25, and so on.
std::vector<double> Halves(const std::vector<int>&) { return {0.5, 0.5, 0.0, 0.0, 0.0}; }

TEST(BeamSearchTest, ASearchForMoreGoesOnForLongerAndFindsTheSameFirst) {
  GreedyOptions options = kOptions;
  options.forbid_empty = true;
  std::size_t before = 0;
  for (int wanted = 1; wanted <= 4; ++wanted) {
    const auto found = SearchSome(options, {.width = 2, .wanted = wanted}, Halves);
    ASSERT_GE(found.size(), static_cast<std::size_t>(wanted));
    EXPECT_GE(found.size(), before);
    before = found.size();
    for (int i = 0; i < wanted; ++i) {
      EXPECT_EQ(found[i].tokens, std::vector<int>(static_cast<std::size_t>(i) + 1, 1));
      EXPECT_NEAR(found[i].sum, (i + 1) * std::log(0.5), 1e-4);
    }
  }
}

TEST(BeamSearchTest, WhatIsFarFromTheBestIsNotWaitedFor) {
  int asked = 0;
  const Table sure = [&asked](const std::vector<int>& text) {
    ++asked;
    if (text.empty()) return std::vector<double>{0.0, 1.0, 0.0, 0.0, 0.0};
    return std::vector<double>{1.0, 0.0, 0.0, 0.0, 0.0};
  };
  GreedyOptions options = kOptions;
  options.forbid_empty = true;
  const auto found = SearchSome(options, {.width = 2, .wanted = 4}, sure);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().tokens, std::vector<int>{1});
  EXPECT_LE(asked, 3) << "at the beginning, and behind two first tokens";
}

// The best of all begins with what is less probable at first by log(0.6 / 0.4) = 0.4.
TEST(BeamSearchTest, WhatIsTooFarBehindDoesNotGoOn) {
  for (const auto& [margin, best] :
       {std::pair(0.5, std::vector<int>{2, 4}), {0.3, std::vector<int>{1, 3}}}) {
    const auto found = SearchSome(kOptions, {.width = 4, .margin = margin}, GardenPath);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().tokens, best);
  }
}

TEST(BeamSearchTest, WhatFallsBehindLaterDoesNotGoOnEither) {
  std::set<std::vector<int>> asked;
  const Table table = [&asked](const std::vector<int>& text) {
    asked.insert(text);
    if (text.empty()) return std::vector<double>{0.0, 0.5, 0.5, 0.0, 0.0};
    if (text == std::vector<int>{1}) return std::vector<double>{0.0, 0.0, 0.0, 1.0, 0.0};
    if (text == std::vector<int>{2}) return std::vector<double>{0.0, 0.0, 0.0, 0.3, 0.7};
    return std::vector<double>{1.0, 0.0, 0.0, 0.0, 0.0};
  };
  SearchSome(kOptions, {.width = 4, .margin = 0.3}, table);
  EXPECT_EQ(asked, (std::set<std::vector<int>>{{}, {1}, {2}, {1, 3}}));
}

// Over more tokens than are looked through at a time.
TEST(BeamSearchTest, TheMostProbableAreFoundWhereverTheyStand) {
  constexpr int kMany = 300;
  for (const int at : {1, 127, 128, 255, 256, kMany - 2}) {
    BeamSearch search;
    search.Begin(kOptions, {.width = 2, .margin = 3});
    std::vector<float> logits(kMany, 0.0f);
    logits[static_cast<std::size_t>(at)] = 9;
    logits[static_cast<std::size_t>(at) + 1] = 8;
    search.Take(ScalarKernels(), 0, logits, {});
    ASSERT_TRUE(search.Advance());
    ASSERT_EQ(search.num_live(), 2);
    EXPECT_EQ(search.token(0), at);
    EXPECT_EQ(search.token(1), at + 1);
  }
}

TEST(BeamSearchTest, ItTellsWhichTokenMayNotAndWhichMustComeNext) {
  const std::vector<int> promised = {3};
  GreedyOptions options = kOptions;
  BeamSearch search;
  search.Begin(options, {.width = 2});
  EXPECT_EQ(search.Forbidden(), -1);
  EXPECT_EQ(search.Promised(), -1);
  options.forbid_empty = true;
  options.promised = promised;
  search.Begin(options, {.width = 2});
  EXPECT_EQ(search.Forbidden(), kEnd);
  EXPECT_EQ(search.Promised(), 3);
  std::vector<float> logits = Logits(GardenPath({}));
  search.Take(ScalarKernels(), 0, logits, {});
  ASSERT_TRUE(search.Advance());
  EXPECT_EQ(search.Forbidden(), -1);
  EXPECT_EQ(search.Promised(), -1);
}

TEST(BeamSearchTest, OfTwoHearingsTheOtherWritesTheText) {
  const Table first = [](const std::vector<int>& text) {
    return text.empty() ? std::vector<double>{0.0, 0.5, 0.5, 0.0, 0.0} : GardenPath({1, 3});
  };
  const Table second = [](const std::vector<int>& text) {
    return text.empty() ? std::vector<double>{0.0, 0.2, 0.8, 0.0, 0.0}
                        : std::vector<double>{0.5, 0.1, 0.1, 0.1, 0.2};
  };
  const auto found = SearchSome(kOptions, {.width = 2}, first, second);
  ASSERT_EQ(found.front().tokens, std::vector<int>{2});
  EXPECT_NEAR(found.front().written, std::log(0.8), 1e-5);
  EXPECT_NEAR(found.front().sum, 0.5 * std::log(0.5 * 0.8) + 0.5 * std::log(0.5), 1e-5);
  const auto alone = SearchSome(kOptions, {.width = 2}, second);
  EXPECT_NEAR(alone.front().written, std::log(0.8), 1e-5);
}

}  // namespace
}  // namespace lethe
