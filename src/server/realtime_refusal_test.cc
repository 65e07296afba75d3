// Goal:   whatever a realtime client sends, and whenever it leaves, it gets the right code and
// leaves
//         nothing behind.
// Method: tests/support/realtime_fixture.h.

#include "tests/support/realtime_fixture.h"

namespace lethe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Section 14, line 4: an answer is always a frame with a code, and then the end.
TEST_F(RealtimeTest, WhoIsNotLetInIsToldWhy) {
  const auto code = [&](const Parameters& changes) {
    const Json frame = Refused(Signed(changes));
    EXPECT_THAT(KeysOf(frame), ElementsAre("code", "message", "voice_id"));
    return frame["code"].get<int>();
  };
  EXPECT_EQ(code({{"secretid", "AKIDnobody"}}), 4002);
  EXPECT_EQ(code({{"secretid", "-"}}), 4002);
  EXPECT_EQ(code({{"expired", std::to_string(kNow - 1)}}), 4002);
  EXPECT_EQ(code({{"timestamp", std::to_string(kNow - 100 * 86'400)}}), 4002);
  HttpRequest request = Signed({});
  request.query += "&later=1";
  EXPECT_EQ(Refused(request)["code"], 4002);
  request = Signed({});
  request.path = "/asr/v2/1399999999";
  EXPECT_EQ(Refused(request)["code"], 4002);
  request.path = "/asr/v2/../../etc";
  EXPECT_EQ(Refused(request)["code"], 4002);
  EXPECT_THAT(Metered(), IsEmpty());

  EXPECT_EQ(code({{"engine_model_type", "16k_klingon"}}), 4001);
  const Json known = Refused(Signed({{"engine_model_type", "16k_zh"}}));
  EXPECT_EQ(known["code"], 4001);
  EXPECT_THAT(known["message"].get<std::string>(), HasSubstr("lethe models pull"));
  EXPECT_EQ(code({{"hotword_id", "0123456789abcdef0123456789abcdef"}}), 4001);
  EXPECT_EQ(code({{"hotword_list", "w20|999"}}), 4001);
  EXPECT_EQ(Metered()["4001"], 4U);

  ASSERT_TRUE(store_->applications().SetEnabled(app_.id, false).ok());
  EXPECT_EQ(code({}), 4003);
}

// Section 5.1, row by row.
TEST_F(RealtimeTest, EveryParameterHasItsRange) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> bad = {
      {"engine_model_type", {"", "-", "16K_EN"}},
      {"voice_id", {"", "-", std::string(129, 'v'), "\xff"}},
      {"nonce", {"", "-", "0", "-1", "12345678901", "1x"}},
      {"voice_format", {"0", "2", "6", "17", "pcm", "1.0", "99999999999999999999"}},
      {"needvad", {"2", "yes"}},
      {"filter_dirty", {"3", "-1"}},
      {"filter_modal", {"3"}},
      {"filter_punc", {"3"}},
      {"filter_empty_result", {"2"}},
      {"convert_num_mode", {"2", "4"}},
      {"word_info", {"3", "99"}},
      {"vad_silence_time", {"239", "2001", "-1", "x"}},
      {"max_speak_time", {"4999", "90001", "-5000"}},
      {"noise_threshold", {"2.001", "-2.001", "nan", "inf", "1,5", "1e99"}},
      {"input_sample_rate", {"44100", "8k"}},
      {"emotion_recognition", {"1", "2", "3"}},
      {"result_mod", {"2"}},
      {"sentence_strategy", {"2"}},
      {"speaker_diarization", {"2"}},
      {"enable_speaker_context", {"2"}},
      {"speaker_context_id", {std::string(129, 'x')}}};
  for (const auto& [name, values] : bad) {
    for (const std::string& value : values) {
      const Json frame = Refused(Signed({{name, value == "-1" ? "-1" : value}}));
      EXPECT_EQ(frame["code"], 4001) << name << "=" << value;
      EXPECT_THAT(frame["message"].get<std::string>(),
                  ::testing::AnyOf(HasSubstr(name), HasSubstr("no such engine")))
          << name << "=" << value;
      if (value.size() > 3) {
        EXPECT_THAT(frame["message"].get<std::string>(), ::testing::Not(HasSubstr(value)));
      }
    }
  }
  const std::vector<std::pair<std::string, std::vector<std::string>>> good = {
      {"voice_id", {std::string(128, 'v'), "é"}},
      {"nonce", {"1", "9999999999"}},
      {"voice_format", {"", "4", "8", "10", "12", "14", "16"}},
      {"needvad", {"", "0", "1"}},
      {"filter_punc", {"0", "1", "2"}},
      {"filter_empty_result", {"", "0", "1"}},
      {"convert_num_mode", {"", "0", "1", "3"}},
      {"word_info", {"0", "1", "2", "100"}},
      {"vad_silence_time", {"", "0", "240", "2000"}},
      // 0 is what one official client always sends.
      {"max_speak_time", {"0", "5000", "90000"}},
      {"noise_threshold", {"0", "0.000", "-2", "2", "1.500"}},
      {"input_sample_rate", {"", "8000"}},
      {"emotion_recognition", {"", "0"}},
      {"customization_id", {"", "x"}},
      {"replace_text_id", {"x"}},
      {"reinforce_hotword", {"0", "1"}},
      {"sub_service_type", {"1"}},
      {"language_judgment", {"0", "1"}},
      {"hotword_id", {""}},
      {"hotword_list", {"", "w20", "w20|10,w30|11"}},
      {"timeout", {"5000"}}};
  for (const auto& [name, values] : good) {
    for (const std::string& value : values) {
      EXPECT_EQ(Speak({{name, value}}, {}).back()["final"], 1) << name << "=" << value;
    }
  }
}

// Section 14, line 6.
TEST_F(RealtimeTest, QueriesMayLookLikeAnything) {
  const std::vector<Parameters> odd = {
      {{"hotword_list", "腾讯云|10,ASR|11"}},  // raw, bars and commas too
      {{"hotword_id", ""}, {"customization_id", ""}},
      {{"my_own", "a b+c"}, {"zz", "%20+%41"}},
      {{"my_own", "%E8%85%BE"}},
  };
  for (const Parameters& changes : odd) {
    EXPECT_EQ(Speak(changes, {}).back()["final"], 1) << changes.begin()->first;
  }
  // Percent signs where the signature is over plain text.
  HttpRequest request = Signed({{"hotword_list", "w20|10"}});
  request.query.replace(request.query.find("w20|10"), 6, "w20%7C10");
  Call& call = Begin(request);
  call->Say({false, kEndFrame});
  EXPECT_EQ(Finish(call).back()["final"], 1);
  // A name twice: the first counts.
  request = Signed({{"word_info=0&word_info", "9"}});
  Call& twice = Begin(request);
  twice->Say({false, kEndFrame});
  EXPECT_EQ(Finish(twice).back()["final"], 1);
  // What cannot be repeated, is not.
  EXPECT_EQ(Refused(Signed({{"voice_id", "\xff\xfe"}}))["voice_id"], "");
}

// Section 14, line 9.
TEST_F(RealtimeTest, TextThatIsNeitherEndNorContextIsRefused) {
  for (const char* text : {"", "end", "{", "[]", "{}", "{\"type\":\"begin\"}", "{\"type\":1}"}) {
    Call& call = Begin(Signed({}));
    call->Say({false, "{\"context_type\":\"context\",\"hotword_list\":\"a|10\",\"prompt\":[]}"});
    call->Say({true, std::string(640, '\0')});
    call->Say({false, text});
    const std::vector<Json> frames = Finish(call);
    EXPECT_EQ(frames.back()["code"], 4010) << text;
    EXPECT_EQ(frames.back()["message_id"], "v-1_0");
    EXPECT_FALSE(frames.back().contains("final"));
  }
  Call& deep = Begin(Signed({}));
  deep->Say({false, std::string(900'000, '[')});
  EXPECT_EQ(Finish(deep).back()["code"], 4010);
}

TEST_F(RealtimeTest, AContextWhoseWordsCannotBeReadIsRefused) {
  Call& call = Begin(Signed({}));
  call->Say({false, "{\"hotword_list\":\"good|10\"}"});
  call->Say({false, "{\"hotword_list\":\"secret|12\"}"});
  const std::vector<Json> frames = Finish(call);
  EXPECT_EQ(frames.back()["code"], 4001);
  EXPECT_THAT(frames.back()["message"].get<std::string>(),
              AllOf(HasSubstr("hotword_list"), Not(HasSubstr("secret"))));
}

TEST_F(RealtimeTest, AContextsWordsAreSpelledOffTheStrandAndBeforeWhatFollows) {
  std::promise<void> may_spell;
  std::atomic<bool> spelling = false, on_strand = false;
  std::set<std::thread::id> strands;
  for (const std::thread& thread : threads_) strands.insert(thread.get_id());
  speech_->codec.encode = [&, wait = may_spell.get_future().share(),
                           encode = speech_->codec.encode](std::string_view text) {
    if (strands.contains(std::this_thread::get_id())) {
      on_strand = true;
    } else if (!spelling.exchange(true)) {
      wait.wait();
    }
    return encode(text);
  };
  Call& call = Begin(Signed({}));
  call->Say({false, "{\"hotword_list\":\"w20|10\"}"});
  SayPcm(call, SpeechOf({20}));
  call->Say({false, kEndFrame});
  while (!spelling && !on_strand) std::this_thread::yield();
  // Whoever else is on this strand has his turn.
  call->WaitForStrand();
  EXPECT_EQ(call->frames().size(), 1U);
  may_spell.set_value();
  EXPECT_EQ(Finish(call).back()["final"], 1);
  EXPECT_FALSE(on_strand);
}

TEST_F(RealtimeTest, WhoHangsUpWhileWordsAreSpelledLeavesNothingBehind) {
  std::promise<void> may_spell;
  std::atomic<bool> spelling = false;
  speech_->codec.encode = [&, wait = may_spell.get_future().share()](std::string_view) {
    spelling = true;
    wait.wait();
    return std::vector<int>{1};
  };
  Call& call = Begin(Signed({}));
  call->Say({false, "{\"hotword_list\":\"w20|10\"}"});
  while (!spelling) std::this_thread::yield();
  call->HangUp();
  call->WaitForStrand();
  may_spell.set_value();
  ASSERT_EQ(call.ended.wait_for(kPatience), std::future_status::ready);
  call.ended.get();
  EXPECT_EQ(gate_.inside(app_.id, Interface::kRealtime), 0);
}

// Section 14, line 1; section 7.
TEST_F(RealtimeTest, StreamsThatAreNotOfferedSaySoAsTheirClientsListen) {
  for (const char* path : {"/asr/speech_translate/1", "/asr/virtual_number/v1/1", "/asr/si/1"}) {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = "voice_id=v-1";
    const Json frame = Refused(std::move(request));
    EXPECT_EQ(frame["code"], 4003) << path;
    EXPECT_EQ(frame["voice_id"], "v-1") << path;
  }
  const auto match = router_.Find("POST", "/asr/v1/1");
  ASSERT_TRUE(match.route != nullptr && match.route->http);
  const HttpRequest slice;
  const HttpResponse response =
      asio::co_spawn(io_, match.route->http(slice), asio::use_future).get();
  EXPECT_EQ(Json::parse(response.body)["code"], 4003);
}

// Section 14, line 9.
TEST_F(RealtimeTest, SilenceOnTheLineEndsACall) {
  EXPECT_EQ(RealtimeOptions().audio_patience, std::chrono::seconds(15));
  Serve({.audio_patience = Millis(50)});
  Call& call = Begin(Signed({}));
  EXPECT_EQ(Finish(call).back()["code"], 4008);
  // Empty frames are no audio, and neither is a context.
  Call& nothing = Begin(Signed({}));
  nothing->Say({true, ""});
  nothing->Say({false, "{\"prompt\":[]}"});
  EXPECT_EQ(Finish(nothing).back()["code"], 4008);
  EXPECT_THAT(Metered(), ElementsAre(std::pair("4008", 2)));
}

TEST_F(RealtimeTest, AFloodEndsACall) {
  Serve({.max_ahead = Millis(1'000)});
  Call& call = Begin(Signed({}));
  call->Say({true, std::string(1'000'000, '\0')});
  EXPECT_EQ(Finish(call).back()["code"], 4000);
  // Ten times as fast as speech is what the vendor's own examples send.
  Serve({});
  std::vector<int> words;
  for (int i = 0; i < 20; ++i) words.push_back(10 + i);
  EXPECT_EQ(FinalTexts(Speak({}, SpeechOf(words))).size(), 20U);
}

TEST_F(RealtimeTest, WhatCannotBeDecodedIsToldSo) {
  for (const char* format : {"4", "8", "10", "12", "14", "16"}) {
    Call& call = Begin(Signed({{"voice_format", format}}));
    call->Say({true, std::string(5'000, 'x')});
    call->Say({false, kEndFrame});
    EXPECT_EQ(Finish(call).back()["code"], 4007) << format;
  }
}

TEST_F(RealtimeTest, ConcurrencyIsLimited) {
  std::vector<Call*> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(&Begin(Signed({})));
    ASSERT_TRUE((*open.back())->WaitForFrames(1));
  }
  EXPECT_EQ(gate_.inside(app_.id, Interface::kRealtime), 3);
  EXPECT_EQ(Finish(Begin(Signed({})))[0]["code"], 4006);
  (*open[0])->Say({false, kEndFrame});
  Finish(*open[0]);
  // The place is free before the last frame's reader can come back.
  EXPECT_EQ(Speak({}, {}).back()["final"], 1);
}

TEST_F(RealtimeTest, WhoLeavesLeavesNothingBehind) {
  const std::string bytes = Pcm(SpeechOf({20, 30}));
  for (int i = 0; i < 200; ++i) {
    Call& call = Begin(Signed({{"voice_format", i % 4 == 0 ? "8" : "1"}}));
    if (i % 5 > 0) {
      ASSERT_TRUE(call->WaitForFrames(1));
    }
    if (i % 5 > 1) call->Say({true, bytes.substr(0, static_cast<std::size_t>(i) * 500)});
    if (i % 5 > 2) call->Say({false, kEndFrame});
    call->HangUp();
    call.ended.get();
    calls_.pop_back();
    ASSERT_EQ(gate_.inside(app_.id, Interface::kRealtime), 0);
  }
  std::uint64_t calls = 0;
  for (const auto& [code, count] : Metered()) {
    EXPECT_THAT(code, ::testing::AnyOf("0", "4009", "4007", "5000"));
    calls += count;
  }
  EXPECT_EQ(calls, 200U);
  EXPECT_EQ(Speak({}, {}).back()["final"], 1);
}

TEST_F(RealtimeTest, ACallThatIsCutOffBecauseTheServiceStopsIsItsFault) {
  Call& call = Begin(Signed({}));
  ASSERT_TRUE(call->WaitForFrames(1));
  calls_under_way_.CutOff();
  EXPECT_EQ(Finish(call).back()["code"], 5000);
  EXPECT_THAT(Metered(), ElementsAre(std::pair("5000", 1)));
}

}  // namespace
}  // namespace lethe
