// Goal: the result of a task is laid out as the contract's samples are. Method: transcripts by
// hand.

#include "service/recording_result.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using nlohmann::json;

Segment Sentence(int channel, int start, std::vector<std::string> words) {
  Segment segment{.channel = channel, .start = Millis(start), .confidence = 0.5F};
  for (const std::string& word : words) {
    segment.words.push_back({word, Millis(start), Millis(start + 400), 0.5F});
    segment.text += (segment.text.empty() ? "" : " ") + word;
    start += 500;
  }
  segment.end = Millis(start);
  return segment;
}

TEST(RecordingResultTest, TheTextHasTimesWithoutLeadingZerosAndTwoBlanks) {
  Transcript transcript;
  transcript.segments = {Sentence(0, 20, {"Hello,", "you."}), Sentence(0, 3'661'005, {"Bye."})};
  const RecordingResult result = MakeRecordingResult(transcript, {});
  EXPECT_EQ(result.text, "[0:0.020,0:1.020]  Hello, you.\n[61:1.005,61:1.505]  Bye.\n");
  EXPECT_EQ(result.detail, "null");
  transcript.split = true;
  transcript.segments[1].channel = 1;
  EXPECT_EQ(MakeRecordingResult(transcript, {}).text,
            "[0:0.020,0:1.020,0]  Hello, you.\n[61:1.005,61:1.505,1]  Bye.\n");
}

TEST(RecordingResultTest, DetailHasWordsFromTheSentencesBeginning) {
  Transcript transcript;
  transcript.segments = {Sentence(0, 1'000, {"Well,", "don't", "-"}), Sentence(0, 4'000, {"Go."})};
  const json bare = json::parse(MakeRecordingResult(transcript, {.res_text_format = 1}).detail);
  ASSERT_EQ(bare.size(), 2U);
  EXPECT_EQ(bare[0]["FinalSentence"], "Well, don't -");
  EXPECT_EQ(bare[0]["SliceSentence"], "Well don't");
  EXPECT_EQ(bare[0]["WordsNum"], 2);
  EXPECT_EQ(bare[0]["Words"][1],
            json({{"Word", "don't"}, {"OffsetStartMs", 500}, {"OffsetEndMs", 900}}));
  EXPECT_EQ(bare[0]["SilenceTime"], 1000);
  EXPECT_EQ(bare[1]["SilenceTime"], 1500);
  EXPECT_EQ(bare[1]["StartMs"], 4000);
  EXPECT_EQ(bare[1]["SpeechSpeed"], 6.0);
  EXPECT_TRUE(bare[1]["KeyWordResults"].is_null());
  const json full = json::parse(MakeRecordingResult(transcript, {.res_text_format = 2}).detail);
  EXPECT_EQ(full[0]["Words"][0]["Word"], "Well,");
  EXPECT_EQ(full[0]["WordsNum"], 3);
}

TEST(RecordingResultTest, LinesAreCutBeforeTheirPunctuationGoes) {
  Transcript transcript{.language = "en",
                        .segments = {Sentence(0, 0, {"Well,", "one", "two", "three."})}};
  const RecordingResultOptions options{.res_text_format = 3,
                                       .sentence_max_length = 8,
                                       .line_punctuation = PunctuationFilter::kDropAll};
  EXPECT_EQ(MakeRecordingResult(transcript, options).text,
            "[0:0.000,0:0.400]  Well\n[0:0.500,0:1.400]  one two\n[0:1.500,0:2.000]  three\n");
}

TEST(RecordingResultTest, KeywordsAreFoundAsWholeWords) {
  Transcript transcript;
  transcript.segments = {Sentence(0, 0, {"The", "Ill-disposed", "young", "man,", "gone."})};
  const KeywordLibrary library{.id = "k1", .name = "n", .words = {"Young man", "go", "GONE"}};
  const json detail = json::parse(
      MakeRecordingResult(transcript, {.res_text_format = 1, .keywords = {library}}).detail);
  const json& found = detail[0]["KeyWordResults"];
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["KeyWordLibID"], "k1");
  EXPECT_EQ(found[0]["KeyWords"], json({"Young man", "GONE"}));
}

}  // namespace
}  // namespace lethe
