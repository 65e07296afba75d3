// Goal:   no message of a realtime transcription session crashes its reader; what is read lies
// within
//         its ranges, is told as it was read, and reading it again changes nothing.
// Method: the input is the message.

#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "server/internal/openai_realtime_events.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lethe;
  using namespace lethe::server_internal;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ClientEvent event = ReadClientEvent(text, OpenAiDialect::kGa, {});
  LETHE_CHECK(event.event_id.size() <= 512 && event.audio.size() <= kMaxAppendBytes);
  if (event.kind == ClientEvent::Kind::kInvalid) {
    LETHE_CHECK(!event.error.message.empty() && !event.error.code.empty());
  }
  if (event.kind != ClientEvent::Kind::kUpdate) return 0;
  const RealtimeSettings& settings = event.settings;
  LETHE_CHECK(settings.encoding.rate >= 8'000 && settings.encoding.rate <= 48'000);
  if (settings.turn_detection) {
    const TurnDetection& turns = *settings.turn_detection;
    LETHE_CHECK(turns.trailing_silence() >= Millis(200) &&
                turns.trailing_silence() <= Millis(5'000));
    LETHE_CHECK(turns.noise_threshold() >= -2 && turns.noise_threshold() <= 2);
  }
  for (const OpenAiDialect dialect : {OpenAiDialect::kGa, OpenAiDialect::kBeta}) {
    const auto told = SessionObject(settings, dialect, "sess_1", 0);
    RealtimeSettings again = settings;
    LETHE_CHECK(!ApplySession(nlohmann::json(told), dialect, &again));
    LETHE_CHECK(dialect == OpenAiDialect::kBeta || again == settings);
  }
  return 0;
}
