// Goal:   who may not open a realtime transcription session is told so in OpenAI's form before the
//         upgrade; in a session, what cannot be taken is an error event, and what never ends is.
// Method: tests/support/openai_realtime_fixture.h.

#include "tests/support/openai_realtime_fixture.h"

namespace lethe {
namespace {

using ::testing::Pair;

TEST_F(OpenAiRealtimeTest, StrangersAreRefusedBeforeTheUpgrade) {
  EXPECT_THAT(RefusedWith(Address("intent=transcription", {{"Authorization", "Bearer none"}})),
              Pair(401, "invalid_api_key"));
  EXPECT_THAT(RefusedWith(Address("", {{"Authorization", "Basic none"}})),
              Pair(401, "invalid_api_key"));
  EXPECT_THAT(RefusedWith(Address("", {{"Sec-WebSocket-Protocol", "realtime"}})),
              Pair(401, "invalid_api_key"));
  EXPECT_THAT(
      RefusedWith(Address("", {{"Sec-WebSocket-Protocol", "openai-insecure-api-key.none"}})),
      Pair(401, "invalid_api_key"));
  EXPECT_EQ(inside(), 0);
}

TEST_F(OpenAiRealtimeTest, AddressesThatAskForSomethingElseAreRefused) {
  EXPECT_THAT(RefusedWith(Address("intent=conversation")), Pair(400, "invalid_value"));
  EXPECT_THAT(RefusedWith(Address("call_id=rtc_1")), Pair(400, "invalid_value"));
  EXPECT_THAT(RefusedWith(Address("model=gpt-5")), Pair(404, "model_not_found"));
  EXPECT_EQ(inside(), 0);
  for (const char* query : {"model=gpt-realtime", "model=gpt-realtime-whisper", "model=16k_en",
                            "model=gpt-4o-transcribe&intent=transcription", ""}) {
    EXPECT_TRUE(Ask(Address(query)).websocket) << query;
  }
}

TEST_F(OpenAiRealtimeTest, BrowsersBringTheirKeyInASubprotocol) {
  const Upgrade upgrade =
      Ask(Address("model=whisper-1",
                  {{"Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key." + key_}}));
  EXPECT_TRUE(upgrade.websocket);
  EXPECT_EQ(upgrade.subprotocol, "realtime");
  EXPECT_TRUE(Ask(Address("model=whisper-1",
                          {{"Sec-WebSocket-Protocol", "realtime"},
                           {"Sec-WebSocket-Protocol", "openai-insecure-api-key." + key_}}))
                  .websocket);
  EXPECT_EQ(Ask(Address("")).subprotocol, "");
}

TEST_F(OpenAiRealtimeTest, TooManySessionsAreRefused) {
  for (int i = 0; i < 3; ++i) Join();
  EXPECT_THAT(RefusedWith(Address("")), Pair(429, "rate_limit_exceeded"));
  Leave(calls_.front());
  EXPECT_TRUE(Ask(Address("")).websocket);
}

TEST_F(OpenAiRealtimeTest, WhatCannotBeTakenIsAnErrorAndTheSessionGoesOn) {
  const std::vector<std::pair<Json, std::string>> wrong = {
      {{{"type", "response.create"}}, "invalid_event"},
      {{{"type", "conversation.item.create"}}, "invalid_event"},
      {{{"type", "no.such.event"}}, "invalid_value"},
      {{{"kind", "none"}}, "missing_required_parameter"},
      {Json::array(), "invalid_json"},
      {{{"type", "input_audio_buffer.append"}}, "missing_required_parameter"},
      {{{"type", "input_audio_buffer.append"}, {"audio", "!"}}, "invalid_value"},
      {{{"type", "session.update"}, {"session", {{"type", "realtime"}}}}, "invalid_value"},
      {{{"type", "session.update"},
        {"session", {{"audio", {{"input", {{"transcription", {{"model", "gpt-5"}}}}}}}}}},
       "model_not_found"},
      {{{"type", "session.update"},
        {"session", {{"audio", {{"input", {{"transcription", {{"language", "xx"}}}}}}}}}},
       "invalid_value"},
  };
  Call& call = Join();
  std::size_t count = 0;
  for (const auto& [event, code] : wrong) {
    Say(call, event);
    const Json error = OfType(Wait(call, "error", ++count), "error").back()["error"];
    EXPECT_EQ(error["code"], code) << event;
    EXPECT_EQ(error["type"], "invalid_request_error");
  }
  call->Say({false, "{"});
  call->Say({true, "bytes"});
  Wait(call, "error", count + 2);
  SayBytes(call, std::string(48'000, '\0'));
  Say(call, {{"type", "input_audio_buffer.commit"}});
  Wait(call, kCompleted);
}

TEST_F(OpenAiRealtimeTest, AnErrorNamesItsFieldByItsWholePath) {
  Call& call = Join();
  std::size_t count = 0;
  const auto param_of = [&](const Json& session) {
    Say(call, {{"type", "session.update"}, {"session", session}});
    return OfType(Wait(call, "error", ++count), "error").back()["error"]["param"];
  };
  const auto input = [](const Json& transcription) {
    return Json{{"audio", {{"input", {{"transcription", transcription}}}}}};
  };
  EXPECT_EQ(param_of(input({{"language", "xx"}})), "session.audio.input.transcription.language");
  EXPECT_EQ(param_of(input({{"model", "gpt-5"}})), "session.audio.input.transcription.model");
  EXPECT_EQ(param_of(input({{"prompt", 1}})), "session.audio.input.transcription.prompt");
  const std::string event = R"({"type": "transcription_session.update", "session":
      {"input_audio_transcription": {"language": "xx"}}})";
  call->Say({false, event});
  EXPECT_EQ(OfType(Wait(call, "error", ++count), "error").back()["error"]["param"],
            "session.input_audio_transcription.language");
}

TEST_F(OpenAiRealtimeTest, EndlessGarbageEndsTheSession) {
  ServeSessions({.max_errors = 5});
  Call& call = Join();
  for (int i = 0; i < 50; ++i) call->Say({false, "garbage"});
  EXPECT_EQ(call.ended.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(call->close_code(), 1008);
  const std::vector<Json> events = EventsOf(call);
  EXPECT_EQ(events.back()["error"]["code"], "too_many_errors");
  EXPECT_LE(events.size(), 8U);
  EXPECT_EQ(inside(), 0);
}

TEST_F(OpenAiRealtimeTest, SessionsEndWhenTheyLastTooLongOrNothingComes) {
  for (const bool idle : {false, true}) {
    if (idle) {
      ServeSessions({.idle_patience = Millis(50)});
    } else {
      ServeSessions({.max_session = Millis(50)});
    }
    Call& call = Join();
    EXPECT_EQ(call.ended.wait_for(kPatience), std::future_status::ready);
    EXPECT_EQ(call->close_code(), 1000);
    EXPECT_EQ(EventsOf(call).back()["error"]["code"], "session_expired");
    EXPECT_EQ(inside(), 0);
  }
}

TEST_F(OpenAiRealtimeTest, ASessionThatIsCutOffBecauseTheServiceStopsIsItsFault) {
  Call& call = Join();
  Wait(call, "session.created");
  calls_under_way_.CutOff();
  EXPECT_EQ(call.ended.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(call->close_code(), 1013);
  EXPECT_EQ(EventsOf(call).back()["error"]["code"], "service_unavailable");
  meter_.Flush();
  EXPECT_EQ(meter_.figures().at(Interface::kOpenAiRealtime).faults, 1U);
}

TEST_F(OpenAiRealtimeTest, WhatIsNotOfferedSaysSo) {
  HttpRequest request = Address("");
  const auto plain = router_.Find("GET", "/v1/realtime");
  EXPECT_EQ(asio::co_spawn(io_, plain.route->http(request), asio::use_future).get().status, 426);
  for (const char* path : {"/v1/realtime/sessions", "/v1/realtime/client_secrets",
                           "/v1/realtime/transcription_sessions", "/v1/realtime/calls"}) {
    request.path = path;
    const auto match = router_.Find("POST", path);
    ASSERT_TRUE(match.route != nullptr) << path;
    const HttpResponse response =
        asio::co_spawn(io_, match.route->http(request), asio::use_future).get();
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(Json::parse(response.body)["error"]["code"], "unsupported_endpoint");
  }
}

}  // namespace
}  // namespace lethe
