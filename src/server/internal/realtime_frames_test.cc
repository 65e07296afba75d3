// Goal:   frames are as small as one official client needs them, and their numbers have no gaps.
// Method: events by hand.

#include "server/internal/realtime_frames.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using Json = nlohmann::json;

using ::testing::ElementsAre;

// Section 14, line 11.
TEST(RealtimeFramesTest, PartialsStayBelowAThousandBytesAndFinalsAreWhole) {
  using server_internal::RealtimeFrames;
  StreamEvent event{.kind = StreamEvent::Kind::kPartial, .segment = {}, .stable_words = 3};
  event.segment.start = Millis(1'000);
  for (int i = 0; i < 60; ++i) {
    const std::string word = i % 10 == 9 ? "end." : "wörd" + std::to_string(i);
    event.segment.text += (i > 0 ? " " : "") + word;
    event.segment.words.push_back({word, Millis(1'000 + i * 100), Millis(1'050 + i * 100), 0.5f});
  }
  event.segment.end = Millis(7'000);
  for (const server_internal::WordInfo info :
       {server_internal::WordInfo::kPlain, server_internal::WordInfo::kPunctuated}) {
    RealtimeFrames frames({.voice_id = std::string(36, 'v'), .word_info = info}, "en");
    event.kind = StreamEvent::Kind::kPartial;
    const std::string frame = frames.Event(event).value();
    EXPECT_LE(frame.size(), 1000U);
    EXPECT_GT(frame.size(), 900U);  // as many as there is room for
    const Json partial = Json::parse(frame)["result"];
    EXPECT_EQ(partial["word_size"], partial["word_list"].size());
    const char* last = info == server_internal::WordInfo::kPlain ? "end" : "end.";
    EXPECT_EQ(partial["word_list"].back()["word"], last);
    EXPECT_EQ(partial["word_list"].back()["end_time"], 6'950);
    EXPECT_EQ(partial["word_list"].back()["stable_flag"], 0);

    event.kind = StreamEvent::Kind::kFinal;
    const Json final = Json::parse(frames.Event(event).value())["result"];
    EXPECT_EQ(final["word_size"], 60);
    EXPECT_EQ(final["word_list"][0]["word"], "wörd0");
    EXPECT_EQ(final["word_list"][59]["stable_flag"], 1);
  }
  // A few words are all there.
  event.segment.words.resize(5);
  event.kind = StreamEvent::Kind::kPartial;
  RealtimeFrames frames({.word_info = server_internal::WordInfo::kPunctuated}, "en");
  const Json partial = Json::parse(frames.Event(event).value())["result"];
  std::vector<int> flags;
  for (const Json& word : partial["word_list"]) flags.push_back(word["stable_flag"]);
  EXPECT_THAT(flags, ElementsAre(1, 1, 1, 0, 0));
}

// Ours: lethe_confidence.
TEST(RealtimeFramesTest, ConfidencesAreToldToWhoeverAsks) {
  using server_internal::WordInfo;
  StreamEvent event{.kind = StreamEvent::Kind::kFinal, .segment = {}};
  event.segment.text = "one, two";
  event.segment.words = {{"one,", Millis(0), Millis(90), 0.987f},
                         {"two", Millis(90), Millis(180), 0.5f}};
  for (const WordInfo info : {WordInfo::kPlain, WordInfo::kPunctuated}) {
    server_internal::RealtimeFrames asked({.word_info = info, .confidence = true}, "en");
    const Json words = Json::parse(*asked.Event(event))["result"]["word_list"];
    EXPECT_EQ(words[0]["confidence"], 0.99);
    EXPECT_EQ(words[1]["confidence"], 0.5);
    server_internal::RealtimeFrames plain({.word_info = info}, "en");
    EXPECT_FALSE(Json::parse(*plain.Event(event))["result"]["word_list"][0].contains("confidence"));
  }
}

// Section 14, line 10; section 5.4.
TEST(RealtimeFramesTest, WhatIsEmptyHasNoNumber) {
  using Kind = StreamEvent::Kind;
  server_internal::RealtimeFrames frames({.voice_id = "v"}, "en");
  const auto tell = [&](Kind kind, const std::string& text) {
    StreamEvent event{.kind = kind, .segment = {}};
    event.segment.text = text;
    const auto frame = frames.Event(event);
    if (!frame) return std::string();
    const Json result = Json::parse(*frame)["result"];
    return result["slice_type"].dump() + " " + result["index"].dump();
  };
  EXPECT_EQ(tell(Kind::kBegin, ""), "");
  EXPECT_EQ(tell(Kind::kFinal, ""), "");
  EXPECT_EQ(tell(Kind::kBegin, ""), "");
  EXPECT_EQ(tell(Kind::kFinal, "a"), "2 0");
  EXPECT_EQ(tell(Kind::kPartial, "a"), "0 1");
  EXPECT_EQ(tell(Kind::kPartial, "ab"), "1 1");
  EXPECT_EQ(tell(Kind::kFinal, ""), "");
  EXPECT_EQ(tell(Kind::kPartial, "a"), "0 2");
  EXPECT_EQ(tell(Kind::kFinal, "a\xff"), "2 2");
}

// Section 5.3: context in the middle of a call.
TEST(RealtimeFramesTest, AContextGivesItsWordsAndItsTexts) {
  using server_internal::ReadClientText;
  using Kind = server_internal::ClientText::Kind;
  const auto context = ReadClientText(
      R"({"context_type":"context","hotword_list":"a|10,b","prompt":[{"context_type":"t",)"
      R"("context_data":[{"text":"Ana Lopez"},{"text":"etcd"},{"text":1},2]},{"context_data":3},4]})");
  EXPECT_EQ(context.kind, Kind::kContext);
  EXPECT_EQ(context.hot_word_list, "a|10,b");
  EXPECT_EQ(context.prompt, "Ana Lopez\netcd\n\n");
  for (const char* empty : {R"({"hotword_list":5})", R"({"prompt":"x"})", R"({"prompt":{}})"}) {
    const auto read = ReadClientText(empty);
    EXPECT_EQ(read.kind, Kind::kContext) << empty;
    EXPECT_EQ(read.hot_word_list + read.prompt, "") << empty;
  }
  EXPECT_EQ(ReadClientText(R"({"type": "end"})").kind, Kind::kEnd);
  EXPECT_EQ(ReadClientText(R"({"type": "End"})").kind, Kind::kUnknown);
}

}  // namespace
}  // namespace lethe
