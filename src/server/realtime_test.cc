// Goal:   a realtime call goes as the contract's sections 5 and 6 say, and the lines of its
// checklist
//         (section 14) that speak of WebSockets hold: the number stands with the test.
// Method: tests/support/realtime_fixture.h.

#include "tests/support/realtime_fixture.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;

// Section 14, lines 4, 5, 7, 8 and 10.
TEST_F(RealtimeTest, ACallGoesAsTheContractSays) {
  for (const std::size_t piece : {std::size_t{999}, std::size_t{6400}, std::size_t{200'000}}) {
    const std::vector<Json> frames = Speak({}, SpeechOf({20, 30, 25}), piece);
    ASSERT_GE(frames.size(), 5U);
    // 5: the handshake is exactly this.
    EXPECT_EQ(frames[0], Json({{"code", 0}, {"message", "success"}, {"voice_id", "v-1"}}));
    EXPECT_THAT(FinalTexts(frames), ElementsAre("w20 w20", "w30 w30", "w25 w25"));
    // 8: the last frame has no result, and `final` is a number.
    EXPECT_THAT(KeysOf(frames.back()),
                ElementsAre("code", "final", "message", "message_id", "voice_id"));
    EXPECT_EQ(frames.back()["final"], 1);
    std::set<std::string> ids;
    std::uint64_t index = 0;
    bool begun = false;
    for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
      const Json& frame = frames[i];
      EXPECT_THAT(KeysOf(frame),
                  ElementsAre("code", "message", "message_id", "result", "voice_id"));
      EXPECT_TRUE(ids.insert(frame["message_id"]).second);
      const Json& result = frame["result"];
      EXPECT_THAT(KeysOf(result), ElementsAre("end_time", "index", "slice_type", "start_time",
                                              "voice_text_str", "word_list", "word_size"));
      // 10: numbers that count, a list that is there, sentences one after the other.
      for (const char* name : {"slice_type", "index", "start_time", "end_time", "word_size"}) {
        EXPECT_TRUE(result[name].is_number_unsigned()) << name;
      }
      EXPECT_EQ(result["word_list"], Json::array());
      EXPECT_EQ(result["index"], index);
      EXPECT_LE(result["start_time"], result["end_time"]);
      EXPECT_TRUE(begun || result["slice_type"] != 1);
      begun = result["slice_type"] != 2;
      if (!begun) ++index;
    }
  }
  EXPECT_THAT(Metered(), ElementsAre(std::pair("0", 3)));
  const auto usage = *store_->usage().ByDay(
      {.app_id = app_.id,
       .first = std::chrono::floor<std::chrono::days>(clock_.Now()) - std::chrono::days(1),
       .last = std::chrono::floor<std::chrono::days>(clock_.Now()) + std::chrono::days(1)});
  ASSERT_EQ(usage.size(), 1U);
  EXPECT_EQ(usage[0].seconds, 3U * 6);
  EXPECT_EQ(gate_.inside(app_.id, Interface::kRealtime), 0);
}

// Section 14, line 10; section 5.4.
TEST_F(RealtimeTest, EverySentenceThatBeginsEndsIfEmptyResultsAreWanted) {
  const std::vector<Json> frames = Speak({{"filter_empty_result", "0"}}, SpeechOf({20, 30, 25}));
  std::string slices;
  for (const Json& frame : frames) {
    if (frame.contains("result"))
      slices += std::to_string(frame["result"]["slice_type"].get<int>());
  }
  EXPECT_THAT(slices, ::testing::MatchesRegex("01*201*201*2"));
  EXPECT_EQ(frames[1]["result"]["voice_text_str"], "");
}

TEST_F(RealtimeTest, PartialsComeWhileSomebodySpeaks) {
  Call& call = Begin(Signed({{"word_info", "2"}}));
  std::vector<float> samples(kSampleRate, 0.0f);
  AppendWord(20, 5 * kSampleRate, &samples);
  SayPcm(call, samples);
  // The handshake and one of them, before anything has ended.
  ASSERT_TRUE(call->WaitForFrames(2));
  const Json first = Json::parse(call->frames()[1])["result"];
  EXPECT_EQ(first["slice_type"], 0);
  EXPECT_EQ(first["index"], 0);
  EXPECT_EQ(first["voice_text_str"], "w20 w20");
  EXPECT_EQ(first["word_size"], 2);
  EXPECT_THAT(KeysOf(first["word_list"][0]),
              ElementsAre("end_time", "stable_flag", "start_time", "word"));
  call->Say({false, kEndFrame});
  const std::vector<Json> frames = Finish(call);
  const Json last = frames[frames.size() - 2]["result"];
  EXPECT_EQ(last["slice_type"], 2);
  for (const Json& word : last["word_list"]) {
    EXPECT_EQ(word["stable_flag"], 1);
    EXPECT_GE(word["start_time"], last["start_time"]);
  }
}

// Section 6.
TEST_F(RealtimeTest, SentenceMode) {
  for (const bool by_engine : {false, true}) {
    const Parameters changes = by_engine
                                   ? Parameters{{"engine_model_type", "16k_zh_en_speaker_2.0"}}
                                   : Parameters{{"result_mod", "1"}, {"word_info", "100"}};
    const std::vector<Json> frames = Speak(changes, SpeechOf({20, 30}));
    EXPECT_EQ(frames[0], Json({{"code", 0}, {"message", "success"}, {"voice_id", "v-1"}}));
    std::vector<std::string> fixed;
    for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
      EXPECT_FALSE(frames[i].contains("result"));
      const Json& list = frames[i]["sentences"]["sentence_list"];
      ASSERT_EQ(list.size(), 1U);
      EXPECT_EQ(list[0]["sentence_id"], fixed.size());
      EXPECT_EQ(list[0]["speaker_id"], -1);
      EXPECT_EQ(list[0].contains("word_list"), !by_engine);
      if (list[0]["sentence_type"] == 1) fixed.push_back(list[0]["sentence"]);
    }
    EXPECT_THAT(fixed, ElementsAre("w20 w20", "w30 w30"));
    EXPECT_EQ(frames.back()["final"], 1);
  }
}

// Section 14, line 5.
TEST_F(RealtimeTest, ASpeakersContextIsNamedInTheHandshakeOnlyWhenItIsWanted) {
  const Parameters wanted = {
      {"result_mod", "1"}, {"enable_speaker_context", "1"}, {"speaker_context_id", ""}};
  Json first = Speak(wanted, {})[0];
  EXPECT_THAT(KeysOf(first), ElementsAre("code", "message", "speaker_context_id", "voice_id"));
  EXPECT_NE(first["speaker_context_id"], "");
  first = Speak({{"result_mod", "1"}, {"enable_speaker_context", "1"}, {"speaker_context_id", "x"}},
                {})[0];
  EXPECT_EQ(first["speaker_context_id"], "x");
  first = Speak({{"result_mod", "1"}, {"speaker_context_id", ""}}, {})[0];
  EXPECT_THAT(KeysOf(first), ElementsAre("code", "message", "voice_id"));
}

// Section 14, line 1; section 7.5.
TEST_F(RealtimeTest, TheServersTimeIsForEverybody) {
  const auto match = router_.Find("GET", "/server_time");
  ASSERT_TRUE(match.route != nullptr && match.route->http);
  const HttpRequest request;
  const HttpResponse response =
      asio::co_spawn(io_, match.route->http(request), asio::use_future).get();
  EXPECT_EQ(response.body, std::to_string(kNow));
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(FindValue(response.headers, "Access-Control-Allow-Origin"), "*");
}

}  // namespace
}  // namespace lethe
