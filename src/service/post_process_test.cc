// Goal: post-processed words keep their times, texts and words say the same, and silence is left
// where nothing is. Method: segments by hand.

#include "service/internal/post_process.h"

#include <gmock/gmock.h>

namespace lethe {
namespace {

using internal::PostProcess;
using ::testing::IsEmpty;

Segment Spoken(const std::vector<std::string>& words) {
  Segment segment{.start = Millis(1'000), .confidence = 0.5F, .num_tokens = 9};
  Millis at = segment.start;
  for (const std::string& word : words) {
    segment.text += (segment.text.empty() ? "" : " ") + word;
    segment.words.push_back({word, at, at + Millis(90), at.count() % 200 == 0 ? 0.9F : 0.4F});
    at += Millis(100);
  }
  segment.end = at;
  return segment;
}

PostProcessor Everything() {
  return *PostProcessor::ForLanguage("en", {.profanity = ProfanityFilter::kMask,
                                            .fillers = FillerFilter::kDrop,
                                            .punctuation = PunctuationFilter::kDropFinalStop,
                                            .numbers = NumberFormat::kDigits});
}

TEST(PostProcessTest, WordsKeepTheirTimes) {
  std::vector<Segment> segments = {Spoken({"Um,", "twenty", "uh", "five", "damn", "cats."})};
  PostProcess(Everything(), &segments);
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].text, "25 **** cats");
  EXPECT_EQ(segments[0].start, Millis(1'000));
  EXPECT_EQ(segments[0].end, Millis(1'600));
  const std::vector<Word>& words = segments[0].words;
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].text, "25");
  EXPECT_EQ(words[0].start, Millis(1'100));
  EXPECT_EQ(words[0].end, Millis(1'390));
  EXPECT_NEAR(words[0].confidence, std::cbrt(0.4 * 0.9 * 0.4), 1e-6);
  EXPECT_EQ(words[1].start, Millis(1'400));
  EXPECT_EQ(words[2].confidence, 0.4F);
}

TEST(PostProcessTest, TextAloneBecomesTheSame) {
  std::vector<Segment> segments = {Spoken({"Um,", "twenty", "uh", "five", "damn", "cats."})};
  segments[0].words.clear();
  PostProcess(Everything(), &segments);
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].text, "25 **** cats");
  EXPECT_THAT(segments[0].words, IsEmpty());
}

TEST(PostProcessTest, SegmentsOfWhichNothingIsLeftDisappear) {
  std::vector<Segment> segments = {Spoken({"Um."}), Spoken({"Yes."}), Spoken({"Uh,", "um."})};
  segments[2].words.clear();
  PostProcess(Everything(), &segments);
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].text, "Yes");
}

Alternative Heard(const std::string& text, double log_probability) {
  return {.text = text, .confidence = 0.5F, .log_probability = log_probability, .num_tokens = 9};
}

TEST(PostProcessTest, AlternativesAreRewrittenAndThoseThatBecomeAlikeLeave) {
  Segment segment = Spoken({"Um,", "twenty", "five", "damn", "cats."});
  segment.alternatives = {
      Heard(segment.text, -1), Heard("Uh, twenty five damn cats.", -2),  // the same but for the uh
      Heard("Twenty nine cats.", -3), Heard("um", -4),                   // of which nothing is left
      Heard("Twenty fine damn cats", -5)};
  std::vector<Segment> segments = {segment};
  PostProcess(Everything(), &segments);
  ASSERT_EQ(segments.size(), 1U);
  const std::vector<Alternative>& list = segments[0].alternatives;
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].text, segments[0].text);
  EXPECT_EQ(list[0].text, "25 **** cats");
  EXPECT_EQ(list[1].text, "29 cats");
  EXPECT_EQ(list[1].log_probability, -3);
  EXPECT_EQ(list[2].text, "20 fine **** cats");
}

TEST(PostProcessTest, AWordNobodyHeardGivesNoNumberThatIsNone) {
  std::vector<Segment> segments = {Spoken({"twenty", "five"})};
  for (Word& word : segments[0].words) word.confidence = 0;
  PostProcess(Everything(), &segments);
  EXPECT_EQ(segments[0].words[0].confidence, 0.0F);
}

}  // namespace
}  // namespace lethe
