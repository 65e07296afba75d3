// The guards of greedy search. Method: logits in which the wanted token stands out.

#include "decode/greedy_search.h"

#include <array>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lethe {
namespace {

constexpr int kEnd = 2;

int Feed(GreedySearch* search, int token, int second = 5) {
  std::vector<float> logits(20, 0.0f);
  logits[token] = 10.0f;
  logits[second] = std::max(logits[second], 5.0f);
  return search->Choose(ScalarKernels(), logits);
}

TEST(GreedySearchTest, TheEndAsFirstTokenIsForbiddenWhenSomebodySpoke) {
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 10});
  EXPECT_EQ(Feed(&search, kEnd, 7), 7);
  EXPECT_EQ(Feed(&search, kEnd), kEnd);
  EXPECT_THAT(search.tokens(), testing::ElementsAre(7));
  search.Begin({.end_token = kEnd, .max_tokens = 10, .forbid_empty = false});
  EXPECT_EQ(Feed(&search, kEnd), kEnd);
  EXPECT_TRUE(search.tokens().empty());
}

TEST(GreedySearchTest, ProbabilityIsThatOfTheSoftmax) {
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 10});
  Feed(&search, 4);
  const double sum = std::exp(10.0) + std::exp(5.0) + 17 + 0 /* the end is forbidden */;
  EXPECT_NEAR(search.log_probabilities()[0], 10.0 - std::log(sum), 1e-5);
}

TEST(GreedySearchTest, StopsAtItsLimit) {
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 3});
  EXPECT_EQ(Feed(&search, 3), 3);
  EXPECT_EQ(Feed(&search, 4), 4);
  EXPECT_EQ(Feed(&search, 6), kEnd);
  EXPECT_EQ(search.tokens().size(), 3u);
}

TEST(GreedySearchTest, APhraseInCirclesIsKeptOnce) {
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 100});
  EXPECT_EQ(Feed(&search, 9), 9);
  int last = 0;
  for (int i = 0; i < 4 && last != kEnd; ++i) {
    for (int token : {3, 4, 6}) last = Feed(&search, token);
  }
  EXPECT_EQ(last, kEnd);
  EXPECT_TRUE(search.repeated());
  EXPECT_THAT(search.tokens(), testing::ElementsAre(9, 3, 4, 6));
}

// The model never ends; the limit comes in the midst of the third copy.
TEST(GreedySearchTest, AtItsLimitASecondCopyIsDropped) {
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 11});
  EXPECT_EQ(Feed(&search, 9), 9);
  for (int i = 0; i < 9; ++i) EXPECT_NE(Feed(&search, std::array{3, 4, 6, 5}[i % 4]), kEnd);
  EXPECT_EQ(Feed(&search, 4), kEnd);
  EXPECT_TRUE(search.repeated());
  EXPECT_FALSE(search.ended());
  EXPECT_THAT(search.tokens(), testing::ElementsAre(9, 3, 4, 6, 5));
}

TEST(GreedySearchTest, APromiseThatIsLongerThanTheLimitAddsNothing) {
  const std::vector<int> promised = {3, 4, 6, 3, 4, 6, 3, 4, 6};
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 6, .promised = promised});
  for (int i = 0; i < 5; ++i) EXPECT_NE(Feed(&search, 9), kEnd);
  EXPECT_EQ(Feed(&search, 9), kEnd);
  EXPECT_THAT(search.tokens(), testing::ElementsAre(3, 4, 6, 3, 4, 6));
}

TEST(GreedySearchTest, BelowItsLimitASentenceMayBeSaidTwice) {
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 100});
  for (int i = 0; i < 8; ++i) EXPECT_NE(Feed(&search, std::array{3, 4, 6, 5}[i % 4]), kEnd);
  EXPECT_EQ(Feed(&search, kEnd), kEnd);
  EXPECT_TRUE(search.ended());
  EXPECT_EQ(search.tokens().size(), 8u);
}

TEST(GreedySearchTest, AWordSaidFourTimesIsLeftAlone) {
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 100});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Feed(&search, 3), 3);
  EXPECT_FALSE(search.repeated());
}

TEST(GreedySearchTest, WhatWasPromisedComesFirstWhateverTheModelSays) {
  const std::vector<int> promised = {9, 8};
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 10, .promised = promised});
  EXPECT_EQ(Feed(&search, kEnd), 9);
  EXPECT_EQ(Feed(&search, 8), 8);
  EXPECT_EQ(Feed(&search, 7), 7);
  EXPECT_EQ(Feed(&search, kEnd), kEnd);
  EXPECT_THAT(search.tokens(), testing::ElementsAre(9, 8, 7));
  // Their probabilities are the model's own.
  EXPECT_LT(search.log_probabilities()[0], std::log(0.01f));
  EXPECT_GT(search.log_probabilities()[1], std::log(0.9f));
}

TEST(GreedySearchTest, BehindAWholePromiseComesTheEnd) {
  const std::vector<int> promised = {9, 8};
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 10, .promised = promised, .promised_whole = true});
  std::vector<float> logits(10, 0.0f);
  EXPECT_EQ(search.Choose(ScalarKernels(), logits), 9);
  EXPECT_EQ(search.Choose(ScalarKernels(), logits), 8);
  EXPECT_EQ(search.Choose(ScalarKernels(), logits), kEnd);
  EXPECT_EQ(search.tokens().size(), promised.size());
}

TEST(GreedySearchTest, ARepetitionDoesNotTakeBackWhatWasPromised) {
  const std::vector<int> promised(9, 7);
  GreedySearch search;
  search.Begin({.end_token = kEnd, .max_tokens = 40, .promised = promised});
  for (int i = 0; i < 30 && Feed(&search, 7) != kEnd; ++i) {
  }
  EXPECT_THAT(search.tokens(), testing::ElementsAreArray(promised));
}

}  // namespace
}  // namespace lethe
