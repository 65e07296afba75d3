#pragma once

// What a realtime transcription session is told to do, and how clients tell it.

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/units.h"
#include "server/internal/openai_error.h"
#include "service/live_call.h"

namespace lethe::server_internal {

/// The forms in which sessions are told: fields under `audio.input`, or the beta's flat ones.
enum class OpenAiDialect { kGa, kBeta };

struct InputEncoding {
  LiveFormat format = LiveFormat::kPcm;  // or kALaw, kMuLaw
  int rate = 24'000;

  int bytes_per_second() const { return format == LiveFormat::kPcm ? 2 * rate : rate; }
  bool operator==(const InputEncoding&) const = default;
};

struct TurnDetection {
  bool semantic = false;
  double threshold = 0.5;       // 0..1
  int prefix_padding_ms = 300;  // told again, without effect
  int silence_ms = 500;
  std::string eagerness = "auto";  // of semantic

  Millis trailing_silence() const;
  float noise_threshold() const;
  bool operator==(const TurnDetection&) const = default;
};

struct RealtimeSettings {
  InputEncoding encoding;
  std::string model = "whisper-1";
  std::string language, prompt;                                   // as given; may be empty
  std::optional<TurnDetection> turn_detection = TurnDetection{};  // nothing: by commits alone
  std::string noise_reduction;  // told again, without effect; empty: null
  bool logprobs = false;

  bool operator==(const RealtimeSettings&) const = default;
};

/// How an error names a field of the transcription's settings.
std::string TranscriptionField(OpenAiDialect dialect, std::string_view field);

/// Changes what a client's `session` object names, in either dialect; unknown fields are passed
/// over. Errors: the first field with a value it cannot have, by its name; never the value
std::optional<OpenAiError> ApplySession(const nlohmann::json& session, OpenAiDialect dialect,
                                        RealtimeSettings* settings);

/// The `session` object as the server tells it.
nlohmann::ordered_json SessionObject(const RealtimeSettings& settings, OpenAiDialect dialect,
                                     std::string_view id, std::int64_t expires_at);

}  // namespace lethe::server_internal
