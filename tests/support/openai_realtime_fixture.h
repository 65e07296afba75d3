#pragma once

// For tests of OpenAI's realtime transcription sessions: what tests/support/realtime_fixture.h has,
// with the events of that interface.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "server/openai_realtime.h"
#include "tests/support/realtime_fixture.h"

namespace lethe {

class OpenAiRealtimeTest : public RealtimeTest {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  OpenAiRealtimeTest() {
    const auto key = *store_->keys().Create(app_.id, KeyKind::kBearer);
    key_ = key.secret.Reveal();
    ServeSessions({});
  }

  void ServeSessions(const OpenAiRealtimeOptions& options) {
    router_ = Router();
    AddOpenAiRealtimeRoutes(router_, context_, options);
  }

  HttpRequest Address(const std::string& query, Headers headers = {}) {
    HttpRequest request;
    request.method = "GET";
    request.path = "/v1/realtime";
    request.query = query;
    request.headers = std::move(headers);
    if (request.Header("authorization").empty() &&
        request.Header("sec-websocket-protocol").empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + key_);
    }
    return request;
  }

  Upgrade Ask(const HttpRequest& request) {
    const auto match = router_.Find("GET", request.path);
    return asio::co_spawn(io_, match.route->upgrade(request), asio::use_future).get();
  }

  // The status and the code of an upgrade that is refused.
  std::pair<int, std::string> RefusedWith(const HttpRequest& request) {
    const Upgrade upgrade = Ask(request);
    EXPECT_FALSE(upgrade.websocket);
    if (upgrade.websocket) return {101, ""};
    const Json error = Json::parse(upgrade.refusal.body)["error"];
    EXPECT_THAT(KeysOf(error), ::testing::ElementsAre("code", "message", "param", "type"));
    return {upgrade.refusal.status, error["code"]};
  }

  Call& Join(HttpRequest request) {
    const auto strand = asio::make_strand(io_);
    calls_.emplace_back(std::make_unique<HttpRequest>(std::move(request)),
                        std::make_unique<FakeSocket>(strand));
    Call& call = calls_.back();
    Upgrade upgrade = Ask(*call.request);
    EXPECT_TRUE(upgrade.websocket);
    call.ended =
        asio::co_spawn(strand, upgrade.websocket(*call.request, *call.socket), asio::use_future);
    return call;
  }
  Call& Join() { return Join(Address("intent=transcription")); }

  static void Say(Call& call, const Json& event) { call->Say({false, event.dump()}); }
  // 16 kHz, so that no resampling changes how loud the made-up words are.
  static void Configure(Call& call, Json input) {
    input["format"] = {{"type", "audio/pcm"}, {"rate", 16'000}};
    Say(call, {{"type", "session.update"},
               {"session", {{"type", "transcription"}, {"audio", {{"input", input}}}}}});
  }
  static void SayBytes(Call& call, const std::string& bytes, std::size_t piece = 6400) {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      Say(call, {{"type", "input_audio_buffer.append"},
                 {"audio", Base64Encode(bytes.substr(at, piece))}});
    }
  }

  static std::vector<Json> EventsOf(const Call& call) {
    std::vector<Json> events;
    for (const std::string& frame : call.socket->frames()) events.push_back(Json::parse(frame));
    return events;
  }

  static std::vector<std::string> TypesOf(const Call& call) {
    std::vector<std::string> types;
    for (const Json& event : EventsOf(call)) types.push_back(event["type"]);
    return types;
  }

  // All events, once there are so many of a type.
  static std::vector<Json> Wait(Call& call, const std::string& type, std::size_t count = 1) {
    for (std::size_t frames = 1; call->WaitForFrames(frames); ++frames) {
      const std::vector<Json> events = EventsOf(call);
      const auto there = std::count_if(events.begin(), events.end(),
                                       [&](const Json& event) { return event["type"] == type; });
      if (static_cast<std::size_t>(there) >= count) return events;
      frames = events.size();
    }
    ADD_FAILURE() << "no " << type << " came: " << ::testing::PrintToString(TypesOf(call));
    return EventsOf(call);
  }

  static std::vector<Json> OfType(const std::vector<Json>& events, const std::string& type) {
    std::vector<Json> found;
    for (const Json& event : events) {
      if (event["type"] == type) found.push_back(event);
    }
    return found;
  }

  static std::vector<std::string> Transcripts(const std::vector<Json>& events) {
    std::vector<std::string> texts;
    for (const Json& event : OfType(events, kCompleted)) texts.push_back(event["transcript"]);
    return texts;
  }

  // Hangs up and waits for the end.
  static void Leave(Call& call) {
    call->HangUp();
    EXPECT_EQ(call.ended.wait_for(kPatience), std::future_status::ready);
    call.ended.get();
  }

  int inside() const { return gate_.inside(app_.id, Interface::kOpenAiRealtime); }

  static constexpr const char* kDelta = "conversation.item.input_audio_transcription.delta";
  static constexpr const char* kCompleted = "conversation.item.input_audio_transcription.completed";
  std::string key_;
};

}  // namespace lethe
