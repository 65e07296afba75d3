#include "server/internal/openai_realtime_answers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/random.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIdCharacters = 21;
// A probability that is none has no logarithm.
constexpr float kLeastProbability = 1e-30F;

Json TextOrNull(std::string_view text) { return text.empty() ? Json() : Json(text); }

Json Event(std::string_view type) {
  return {{"type", type}, {"event_id", "event_" + RandomAlphanumeric(kIdCharacters)}};
}

Json TranscriptionEvent(std::string_view what, std::string_view item) {
  Json event = Event("conversation.item.input_audio_transcription." + std::string(what));
  event["item_id"] = item;
  event["content_index"] = 0;
  return event;
}

Json ErrorObject(const OpenAiError& error) {
  return {{"type", error.type},
          {"code", TextOrNull(error.code)},
          {"message", error.message},
          {"param", TextOrNull(error.param)}};
}

Json ItemObject(std::string_view item) {
  return {{"id", item},
          {"object", "realtime.item"},
          {"type", "message"},
          {"status", "completed"},
          {"role", "user"},
          {"content", Json::array({Json{{"type", "input_audio"}, {"transcript", nullptr}}})}};
}

Json LogProbabilities(const std::vector<Word>& words) {
  Json list = Json::array();
  for (const Word& word : words) {
    const std::string token = (list.empty() ? "" : " ") + word.text;
    Json bytes = Json::array();
    for (const char c : token) bytes.push_back(static_cast<unsigned char>(c));
    list.push_back({{"token", token},
                    {"logprob", std::log(std::max(word.confidence, kLeastProbability))},
                    {"bytes", std::move(bytes)}});
  }
  return list;
}

std::string Dump(const Json& json) {
  // Models write UTF-8, but a token may be half a character.
  return WriteLossyJson(json);
}

std::int64_t Count(Millis time) { return std::max<std::int64_t>(time.count(), 0); }

}  // namespace

std::string NewItemId() { return "item_" + RandomAlphanumeric(kIdCharacters); }

RealtimeAnswers::RealtimeAnswers(OpenAiDialect dialect, std::int64_t expires_at)
    : dialect_(dialect),
      expires_at_(expires_at),
      session_id_("sess_" + RandomAlphanumeric(kIdCharacters)) {}

std::string RealtimeAnswers::Session(std::string_view what,
                                     const RealtimeSettings& settings) const {
  const bool ga = dialect_ == OpenAiDialect::kGa;
  Json event = Event((ga ? "session." : "transcription_session.") + std::string(what));
  event["session"] = SessionObject(settings, dialect_, session_id_, expires_at_);
  return Dump(event);
}

std::string RealtimeAnswers::Created(const RealtimeSettings& settings) const {
  return Session("created", settings);
}

std::string RealtimeAnswers::Updated(const RealtimeSettings& settings) const {
  return Session("updated", settings);
}

std::string RealtimeAnswers::SpeechStarted(std::string_view item, Millis start) const {
  Json event = Event("input_audio_buffer.speech_started");
  event["audio_start_ms"] = Count(start);
  event["item_id"] = item;
  return Dump(event);
}

std::string RealtimeAnswers::SpeechStopped(std::string_view item, Millis end) const {
  Json event = Event("input_audio_buffer.speech_stopped");
  event["audio_end_ms"] = Count(end);
  event["item_id"] = item;
  return Dump(event);
}

std::string RealtimeAnswers::Cleared() const { return Dump(Event("input_audio_buffer.cleared")); }

std::vector<std::string> RealtimeAnswers::Committed(std::string_view item) {
  const Json previous = TextOrNull(std::exchange(last_item_, std::string(item)));
  Json committed = Event("input_audio_buffer.committed");
  committed["previous_item_id"] = previous;
  committed["item_id"] = item;
  std::vector<std::string> events = {Dump(committed)};
  const auto tell = [&](std::string_view what) {
    Json event = Event("conversation.item." + std::string(what));
    event["previous_item_id"] = previous;
    event["item"] = ItemObject(item);
    events.push_back(Dump(event));
  };
  if (dialect_ == OpenAiDialect::kGa) {
    tell("added");
    tell("done");
  } else {
    tell("created");
  }
  return events;
}

std::string RealtimeAnswers::Delta(std::string_view item, std::string_view text) const {
  Json event = TranscriptionEvent("delta", item);
  event["delta"] = text;
  return Dump(event);
}

std::string RealtimeAnswers::Completed(std::string_view item, std::string_view text, Millis audio,
                                       const std::vector<Word>* words) const {
  Json event = TranscriptionEvent("completed", item);
  event["transcript"] = text;
  event["usage"] = {{"type", "duration"}, {"seconds", static_cast<double>(Count(audio)) / 1000}};
  if (words != nullptr) event["logprobs"] = LogProbabilities(*words);
  return Dump(event);
}

std::string RealtimeAnswers::Failed(std::string_view item, const OpenAiError& error) const {
  Json event = TranscriptionEvent("failed", item);
  event["error"] = ErrorObject(error);
  return Dump(event);
}

std::string RealtimeAnswers::Error(const OpenAiError& error, std::string_view event_id) const {
  Json event = Event("error");
  event["error"] = ErrorObject(error);
  event["error"]["event_id"] = TextOrNull(event_id);
  return Dump(event);
}

}  // namespace lethe::server_internal
