#include "server/internal/openai_realtime_events.h"

#include <array>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::json;
using Kind = ClientEvent::Kind;

constexpr std::size_t kMaxEventId = 512;
constexpr int kMaxDepth = 32;
constexpr int kMaxMarks = 4'096;

// Events of conversations with a model that speaks.
constexpr std::array<std::string_view, 7> kOfConversations = {"conversation.item.create",
                                                              "conversation.item.retrieve",
                                                              "conversation.item.truncate",
                                                              "conversation.item.delete",
                                                              "response.create",
                                                              "response.cancel",
                                                              "output_audio_buffer.clear"};

OpenAiError Invalid(std::string code, std::string param, std::string message) {
  return {.message = std::move(message), .param = std::move(param), .code = std::move(code)};
}

// A tree of values takes fifty times the memory of its text where values are small, so events with
// more of them than any has are not parsed.
bool IsModest(std::string_view text) {
  int depth = 0, marks = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == '{' || c == '[' || c == ',') ++marks;
    if (depth > kMaxDepth || marks > kMaxMarks) return false;
  }
  return true;
}

// The text of a field; nothing if it is missing or no string.
const std::string* TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? &found->get_ref<const std::string&>()
                                                   : nullptr;
}

void ReadAppend(const Json& json, ClientEvent* event) {
  const std::string* audio = TextOf(json, "audio");
  if (audio == nullptr) {
    event->error = Invalid("missing_required_parameter", "audio", "audio has to be base64.");
    return;
  }
  if (audio->size() > kMaxAppend) {
    event->error = Invalid("string_above_max_length", "audio",
                           "audio is too long; its base64 may have 15 MiB.");
    return;
  }
  std::optional<std::string> bytes = Base64Decode(*audio);
  if (!bytes) {
    event->error = Invalid("invalid_value", "audio", "audio is no valid base64.");
    return;
  }
  event->kind = Kind::kAppend;
  event->audio = *std::move(bytes);
}

void ReadUpdate(const Json& json, ClientEvent* event) {
  const auto session = json.find("session");
  if (session == json.end()) {
    event->error = Invalid("missing_required_parameter", "session", "session has to be an object.");
    return;
  }
  if (auto error = ApplySession(*session, event->dialect, &event->settings)) {
    event->error = *std::move(error);
    return;
  }
  event->kind = Kind::kUpdate;
}

}  // namespace

ClientEvent ReadClientEvent(std::string_view text, OpenAiDialect dialect,
                            const RealtimeSettings& now) {
  ClientEvent event{.dialect = dialect, .settings = now};
  const Json json = IsModest(text) ? ParseJson<Json>(text) : Json();
  if (!json.is_object()) {
    event.error = Invalid("invalid_json", "", "The event is no JSON object that can be read.");
    return event;
  }
  if (const std::string* id = TextOf(json, "event_id"); id != nullptr) {
    if (id->size() > kMaxEventId) {
      event.error = Invalid("string_above_max_length", "event_id", "event_id is too long.");
      return event;
    }
    event.event_id = *id;
  }
  const std::string* type = TextOf(json, "type");
  if (type == nullptr) {
    event.error = Invalid("missing_required_parameter", "type", "The event has no type.");
  } else if (*type == "input_audio_buffer.append") {
    ReadAppend(json, &event);
  } else if (*type == "input_audio_buffer.commit") {
    event.kind = Kind::kCommit;
  } else if (*type == "input_audio_buffer.clear") {
    event.kind = Kind::kClear;
  } else if (*type == "session.update") {
    ReadUpdate(json, &event);
  } else if (*type == "transcription_session.update") {
    event.dialect = OpenAiDialect::kBeta;
    ReadUpdate(json, &event);
  } else {
    event.error = Invalid("invalid_value", "type", "There is no event of this type.");
    for (const std::string_view known : kOfConversations) {
      if (*type != known) continue;
      event.error = Invalid("invalid_event", "type",
                            std::string(known) + " is not for transcription sessions.");
    }
  }
  return event;
}

}  // namespace lethe::server_internal
