// Goal: what is written is what the format's readers expect, whatever the text holds.
// Method: small transcripts by hand, compared with whole files; JSON is read back by its parser.

#include "service/transcript_writer.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::HasSubstr;

Transcript TwoSegments() {
  Transcript transcript;
  transcript.source = "talk.wav";
  transcript.language = "en";
  transcript.model = "moonshine-tiny-en";
  transcript.duration = Millis(3'725'500);
  transcript.sample_rate = 44'100;
  transcript.channels = 2;
  transcript.segments.push_back({.channel = 0,
                                 .start = Millis(40),
                                 .end = Millis(1'250),
                                 .text = "Hello there.",
                                 .confidence = 0.91234F,
                                 .num_tokens = 4,
                                 .words = {}});
  transcript.segments.push_back({.channel = 1,
                                 .start = Millis(3'723'004),
                                 .end = Millis(3'725'000),
                                 .text = "Fish & <chips> --> \"now\".",
                                 .confidence = 0.5F,
                                 .num_tokens = 7,
                                 .words = {{"Fish", Millis(3'723'004), Millis(3'723'500), 0.75F}}});
  return transcript;
}

TEST(TranscriptWriterTest, TextIsOneSegmentALine) {
  EXPECT_EQ(FormatTranscript(TwoSegments(), TranscriptFormat::kText),
            "Hello there.\nFish & <chips> --> \"now\".\n");
  EXPECT_EQ(FormatTranscript({}, TranscriptFormat::kText), "");
}

TEST(TranscriptWriterTest, SrtCountsFromOneAndWritesCommas) {
  EXPECT_EQ(FormatTranscript(TwoSegments(), TranscriptFormat::kSrt),
            "1\n00:00:00,040 --> 00:00:01,250\nHello there.\n\n"
            "2\n01:02:03,004 --> 01:02:05,000\nFish & <chips> --> \"now\".\n");
}

TEST(TranscriptWriterTest, VttEscapesWhatItGivesAMeaning) {
  EXPECT_EQ(FormatTranscript(TwoSegments(), TranscriptFormat::kVtt),
            "WEBVTT\n\n00:00:00.040 --> 00:00:01.250\nHello there.\n\n"
            "01:02:03.004 --> 01:02:05.000\nFish &amp; &lt;chips&gt; --&gt; \"now\".\n");
}

TEST(TranscriptWriterTest, TsvKeepsARowARow) {
  Transcript transcript = TwoSegments();
  transcript.segments[0].text = "one\ttwo\nthree";
  transcript.segments.pop_back();
  EXPECT_EQ(FormatTranscript(transcript, TranscriptFormat::kTsv),
            "start\tend\ttext\n40\t1250\tone two three\n");
}

TEST(TranscriptWriterTest, SplitChannelsAreNamed) {
  Transcript transcript = TwoSegments();
  transcript.split = true;
  EXPECT_THAT(FormatTranscript(transcript, TranscriptFormat::kText),
              HasSubstr("[1] Hello there.\n[2] Fish"));
  EXPECT_THAT(FormatTranscript(transcript, TranscriptFormat::kTsv),
              HasSubstr("start\tend\tchannel\ttext\n40\t1250\t0\tHello there.\n"));
}

TEST(TranscriptWriterTest, AlternativesAreInTheJsonWhereThereAreSome) {
  Transcript transcript = TwoSegments();
  transcript.segments[0].alternatives = {
      {.text = "Hello there.", .confidence = 0.91234F, .log_probability = -0.73456},
      {.text = "Hello, \"their\".", .confidence = 0.5F, .log_probability = -3}};
  const auto json = nlohmann::json::parse(FormatTranscript(transcript, TranscriptFormat::kJson));
  EXPECT_EQ(json["segments"][0]["alternatives"],
            nlohmann::json::parse(
                R"([{"text": "Hello there.", "confidence": 0.9123, "log_probability": -0.7346},
                    {"text": "Hello, \"their\".", "confidence": 0.5, "log_probability": -3.0}])"));
  EXPECT_FALSE(json["segments"][1].contains("alternatives"));
}

TEST(TranscriptWriterTest, JsonReadsBackAsItWasMeant) {
  const auto json = nlohmann::json::parse(FormatTranscript(TwoSegments(), TranscriptFormat::kJson));
  EXPECT_EQ(json["text"], "Hello there. Fish & <chips> --> \"now\".");
  EXPECT_EQ(json["language"], "en");
  EXPECT_EQ(json["duration"], 3725.5);
  ASSERT_EQ(json["segments"].size(), 2U);
  EXPECT_EQ(json["segments"][0]["start"], 0.04);
  EXPECT_EQ(json["segments"][0]["confidence"], 0.9123);
  EXPECT_FALSE(json["segments"][0].contains("words"));
  EXPECT_EQ(json["segments"][1]["id"], 1);
  EXPECT_EQ(json["segments"][1]["channel"], 1);
  EXPECT_EQ(json["segments"][1]["words"][0]["text"], "Fish");
}

TEST(TranscriptWriterTest, NamesThatAreNoUtf8StillMakeJson) {
  Transcript transcript = TwoSegments();
  transcript.source = "caf\xE9.wav";
  transcript.segments[0].confidence = std::numeric_limits<float>::quiet_NaN();
  const auto json = nlohmann::json::parse(FormatTranscript(transcript, TranscriptFormat::kJson));
  EXPECT_EQ(json["source"], "caf\uFFFD.wav");
  EXPECT_EQ(json["segments"][0]["confidence"], 0.0);
}

TEST(TranscriptWriterTest, FormatsAreKnownByName) {
  for (const char* name : {"text", "json", "srt", "vtt", "tsv"}) {
    EXPECT_TRUE(ParseTranscriptFormat(name).ok()) << name;
  }
  EXPECT_EQ(ParseTranscriptFormat("docx").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(FileExtension(TranscriptFormat::kText), "txt");
}

}  // namespace
}  // namespace lethe
