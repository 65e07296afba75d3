// Goal:   settings are read in both dialects, within their ranges, and told as they are; events too
//         large or too deep are not taken apart.
// Method: events as text.

#include "server/internal/openai_realtime_events.h"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>

namespace lethe::server_internal {
namespace {

using Json = nlohmann::json;
using Kind = ClientEvent::Kind;

ClientEvent Read(const Json& event, const RealtimeSettings& now = {}) {
  return ReadClientEvent(event.dump(), OpenAiDialect::kGa, now);
}

ClientEvent UpdateInput(const Json& input, const RealtimeSettings& now = {}) {
  return Read({{"type", "session.update"}, {"session", {{"audio", {{"input", input}}}}}}, now);
}

ClientEvent UpdateBeta(const Json& session) {
  return Read({{"type", "transcription_session.update"}, {"session", session}});
}

TEST(OpenAiRealtimeEventsTest, OnlyWhatIsNamedChanges) {
  const ClientEvent first =
      UpdateInput({{"format", {{"type", "audio/pcm"}, {"rate", 8'000}}},
                   {"transcription", {{"model", "16k_en"}, {"language", "en"}, {"prompt", "Styx"}}},
                   {"turn_detection",
                    {{"type", "server_vad"}, {"threshold", 0.75}, {"silence_duration_ms", 700.0}}},
                   {"noise_reduction", {{"type", "near_field"}}}});
  ASSERT_EQ(first.kind, Kind::kUpdate) << first.error.message;
  EXPECT_EQ(first.settings.encoding, (InputEncoding{LiveFormat::kPcm, 8'000}));
  EXPECT_EQ(first.settings.turn_detection->trailing_silence(), Millis(700));
  EXPECT_FLOAT_EQ(first.settings.turn_detection->noise_threshold(), 1.0F);
  EXPECT_EQ(UpdateInput(Json::object(), first.settings).settings, first.settings);
  const RealtimeSettings second =
      UpdateInput({{"transcription", {{"language", ""}}}, {"noise_reduction", nullptr}},
                  first.settings)
          .settings;
  EXPECT_EQ(second.model, "16k_en");
  EXPECT_EQ(second.language, "");
  EXPECT_EQ(second.prompt, "Styx");
  EXPECT_EQ(second.noise_reduction, "");
  EXPECT_EQ(UpdateInput({{"transcription", nullptr}}, second).settings.model, "whisper-1");
  EXPECT_FALSE(UpdateInput({{"turn_detection", nullptr}}).settings.turn_detection);
}

TEST(OpenAiRealtimeEventsTest, TheBetasFieldsAreFlat) {
  const ClientEvent event = UpdateBeta({{"input_audio_format", "g711_alaw"},
                                        {"input_audio_transcription", {{"prompt", "Styx"}}},
                                        {"turn_detection", {{"type", "semantic_vad"}}},
                                        {"input_audio_noise_reduction", {{"type", "far_field"}}},
                                        {"include", {"item.input_audio_transcription.logprobs"}}});
  ASSERT_EQ(event.kind, Kind::kUpdate) << event.error.message;
  EXPECT_EQ(event.dialect, OpenAiDialect::kBeta);
  EXPECT_EQ(event.settings.encoding, (InputEncoding{LiveFormat::kALaw, 8'000}));
  EXPECT_EQ(event.settings.prompt, "Styx");
  EXPECT_EQ(event.settings.turn_detection->trailing_silence(), Millis(1'000));
  EXPECT_TRUE(event.settings.logprobs);
  const Json told =
      Json::parse(SessionObject(event.settings, OpenAiDialect::kBeta, "sess_1", 5).dump());
  EXPECT_EQ(told["input_audio_format"], "g711_alaw");
  EXPECT_EQ(told["turn_detection"], Json({{"type", "semantic_vad"}, {"eagerness", "auto"}}));
}

TEST(OpenAiRealtimeEventsTest, EagernessIsATimeOfSilence) {
  for (const auto& [eagerness, silence] :
       {std::pair("low", 2'000), {"medium", 1'000}, {"auto", 1'000}, {"high", 500}}) {
    const ClientEvent event =
        UpdateInput({{"turn_detection", {{"type", "semantic_vad"}, {"eagerness", eagerness}}}});
    EXPECT_EQ(event.settings.turn_detection->trailing_silence(), Millis(silence)) << eagerness;
  }
}

TEST(OpenAiRealtimeEventsTest, ValuesOutOfTheirRangeAreNamed) {
  const std::pair<Json, std::string> wrong[] = {
      {{{"format", {{"type", "audio/mp3"}}}}, "session.audio.input.format.type"},
      {{{"format", {{"type", "audio/pcm"}, {"rate", 7'999}}}}, "session.audio.input.format.rate"},
      {{{"format", {{"type", "audio/pcm"}, {"rate", 48'001}}}}, "session.audio.input.format.rate"},
      {{{"format", {{"type", "audio/pcmu"}, {"rate", 16'000}}}}, "session.audio.input.format.rate"},
      {{{"turn_detection", {{"type", "none"}}}}, "session.audio.input.turn_detection.type"},
      {{{"turn_detection", {{"threshold", 1.1}}}}, "session.audio.input.turn_detection.threshold"},
      {{{"turn_detection", {{"silence_duration_ms", 199}}}},
       "session.audio.input.turn_detection.silence_duration_ms"},
      {{{"turn_detection", {{"silence_duration_ms", 5'001}}}},
       "session.audio.input.turn_detection.silence_duration_ms"},
      {{{"turn_detection", {{"prefix_padding_ms", "x"}}}},
       "session.audio.input.turn_detection.prefix_padding_ms"},
      {{{"noise_reduction", {{"type", "loud"}}}}, "session.audio.input.noise_reduction.type"},
      {{{"transcription", 5}}, "session.audio.input.transcription"},
  };
  for (const auto& [input, param] : wrong) {
    const ClientEvent event = UpdateInput(input);
    EXPECT_EQ(event.kind, Kind::kInvalid) << input;
    EXPECT_EQ(event.error.param, param);
    EXPECT_EQ(event.error.code, "invalid_value");
  }
}

TEST(OpenAiRealtimeEventsTest, EventsTooLargeOrTooDeepAreNotTakenApart) {
  const auto code = [](std::string_view text) {
    return ReadClientEvent(text, OpenAiDialect::kGa, {}).error.code;
  };
  const std::string deep = R"({"type":"input_audio_buffer.clear","x":)" + std::string(100, '[') +
                           std::string(100, ']') + "}";
  EXPECT_EQ(code(deep), "invalid_json");
  std::string wide = R"({"type":"input_audio_buffer.clear","x":[1)";
  for (int i = 0; i < 10'000; ++i) wide += ",1";
  EXPECT_EQ(code(wide + "]}"), "invalid_json");
  EXPECT_EQ(ReadClientEvent(R"({"type":"input_audio_buffer.clear","x":"[[[[\"[,"})",
                            OpenAiDialect::kGa, {})
                .kind,
            Kind::kClear);
  EXPECT_EQ(Read({{"type", "input_audio_buffer.append"}, {"audio", std::string(kMaxAppend, 'A')}})
                .audio.size(),
            kMaxAppendBytes);
  EXPECT_EQ(
      Read({{"type", "input_audio_buffer.append"}, {"audio", std::string(kMaxAppend + 4, 'A')}})
          .error.code,
      "string_above_max_length");
  EXPECT_EQ(Read({{"type", "x"}, {"event_id", std::string(513, 'x')}}).event_id, "");
}

}  // namespace
}  // namespace lethe::server_internal
