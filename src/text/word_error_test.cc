// Goal: counts are those of the best alignment, and add up over clips.
// Method: examples small enough to count by hand; both entry points must agree on each.

#include "text/word_error.h"

#include <sstream>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

WordErrors Count(const std::string& reference, const std::string& hypothesis) {
  return CountWordErrors(Words(reference), Words(hypothesis));
}

TEST(WordErrorTest, EqualTextsHaveNoErrors) {
  EXPECT_EQ(Count("the north wind and the sun", "the north wind and the sun"),
            (WordErrors{.words = 6}));
}

TEST(WordErrorTest, EachKindIsCountedAsItself) {
  EXPECT_EQ(Count("a b c", "a x c"), (WordErrors{.words = 3, .substitutions = 1}));
  EXPECT_EQ(Count("a b c", "a c"), (WordErrors{.words = 3, .deletions = 1}));
  EXPECT_EQ(Count("a b c", "a b b c"), (WordErrors{.words = 3, .insertions = 1}));
}

TEST(WordErrorTest, TheBestAlignmentIsFoundAcrossAShift) {
  // Word by word from the left everything would differ.
  EXPECT_EQ(Count("a b c d e f", "b c d e f g"),
            (WordErrors{.words = 6, .insertions = 1, .deletions = 1}));
}

TEST(WordErrorTest, ASplitCompoundIsASubstitutionAndAnInsertion) {
  EXPECT_EQ(Count("from the blacklist", "from the black list"),
            (WordErrors{.words = 3, .insertions = 1, .substitutions = 1}));
}

TEST(WordErrorTest, NothingRecognisedDeletesEveryWord) {
  const WordErrors errors = Count("not a word", "");
  EXPECT_EQ(errors, (WordErrors{.words = 3, .deletions = 3}));
  EXPECT_DOUBLE_EQ(errors.rate(), 1.0);
}

TEST(WordErrorTest, WordsOutOfNothingAreInsertions) {
  const WordErrors errors = Count("", "thank you");
  EXPECT_EQ(errors, (WordErrors{.insertions = 2}));
  EXPECT_DOUBLE_EQ(errors.rate(), 1.0);
  EXPECT_DOUBLE_EQ(Count("", "").rate(), 0.0);
}

TEST(WordErrorTest, RatesArePooledOverWordsNotClips) {
  WordErrors total = Count("a", "b");
  total += Count("a b c d e f g h i", "a b c d e f g h i");
  EXPECT_DOUBLE_EQ(total.rate(), 0.1);
}

TEST(WordErrorTest, TheOracleChoosesTheBestOfEachSegment) {
  const auto reference = Words("he took the black cat home");
  using Segments = std::vector<std::vector<std::vector<std::string>>>;
  const auto count = [&](const Segments& segments) {
    return CountOracleErrors(reference, segments);
  };
  EXPECT_EQ(count({}), 6);
  EXPECT_EQ(count({{Words("he took the blue cat home"), Words("he look the black cat home")}}), 1);
  // The right halves are in different places of their lists.
  EXPECT_EQ(count({{Words("he shook the"), Words("he took the")},
                   {Words("black cat home"), Words("black cap")}}),
            0);
  // The second segment's best depends on what the first one has taken.
  EXPECT_EQ(count({{Words("he took"), Words("he took the black")}, {Words("cat home")}}), 0);
  EXPECT_EQ(count({{}, {Words("he took the black cat home")}, {Words("um"), {}}}), 0);
}

TEST(WordErrorTest, OfOneTextTheOracleCountsAllErrors) {
  for (const auto& [reference, hypothesis] :
       {std::pair("a b c d", "b c x d e"), std::pair("a a a b", "b a a"), std::pair("", "a b"),
        std::pair("a b", ""), std::pair("one two three four five", "two one four three five")}) {
    const std::vector<std::vector<std::vector<std::string>>> alone = {{Words(hypothesis)}};
    EXPECT_EQ(CountOracleErrors(Words(reference), alone), Count(reference, hypothesis).errors())
        << reference << " | " << hypothesis;
  }
}

TEST(WordErrorTest, AlignmentShowsWhatBecameOfEachWord) {
  EXPECT_THAT(
      AlignWords(Words("he took the black cat"), Words("he the blue cat up")),
      ElementsAre(AlignedWord{"he", "he"}, AlignedWord{"took", ""}, AlignedWord{"the", "the"},
                  AlignedWord{"black", "blue"}, AlignedWord{"cat", "cat"}, AlignedWord{"", "up"}));
  EXPECT_THAT(AlignWords({}, {}), IsEmpty());
}

TEST(WordErrorTest, AlignmentHasAsManyErrorsAsTheCount) {
  for (const auto& [reference, hypothesis] :
       {std::pair("a b c d", "b c x d e"), std::pair("a a a b", "b a a"), std::pair("x", "a b x c"),
        std::pair("a b", ""), std::pair("one two three four five", "two one four three five")}) {
    std::int64_t errors = 0;
    for (const AlignedWord& step : AlignWords(Words(reference), Words(hypothesis))) {
      errors += step.reference == step.hypothesis ? 0 : 1;
    }
    EXPECT_EQ(errors, Count(reference, hypothesis).errors()) << reference << " | " << hypothesis;
  }
}

}  // namespace
}  // namespace lethe
