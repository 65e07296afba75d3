#include "server/internal/openai_realtime_settings.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

namespace lethe::server_internal {
namespace {

using Json = nlohmann::json;
using Told = nlohmann::ordered_json;
using MaybeError = std::optional<OpenAiError>;

constexpr std::string_view kLogprobs = "item.input_audio_transcription.logprobs";
constexpr int kLeastRate = 8'000, kMostRate = 48'000, kTelephoneRate = 8'000;
constexpr int kLeastSilence = 200, kMostSilence = 5'000, kMostPadding = 5'000;
constexpr std::size_t kMaxName = 200;
constexpr std::size_t kMaxPrompt = std::size_t{64} << 10;
constexpr std::size_t kMaxIncludes = 16;

// Reads fields of one object, each by its name; keeps the first error.
class Fields {
 public:
  Fields(const Json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {
    if (!object_.is_object()) Complain("", "has to be an object");
  }

  // Null for a field that is not there.
  const Json* Find(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  void Text(const char* name, std::size_t most, std::string* text) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (value->is_null()) {
      text->clear();
    } else if (!value->is_string()) {
      Complain(name, "has to be a string");
    } else if (value->get_ref<const std::string&>().size() > most) {
      Complain(name, "is too long");
    } else {
      *text = value->get<std::string>();
    }
  }

  void Integer(const char* name, int least, int most, int* number) {
    const Json* value = Find(name);
    if (value == nullptr || value->is_null()) return;
    // Clients that compute their numbers send 500.0.
    const double given = value->is_number() ? value->get<double>() : std::nan("");
    if (!(given >= least && given <= most) || given != std::floor(given)) {
      Complain(name, "has to be an integer from " + std::to_string(least) + " to " +
                         std::to_string(most));
    } else {
      *number = static_cast<int>(given);
    }
  }

  void Share(const char* name, double* number) {
    const Json* value = Find(name);
    if (value == nullptr || value->is_null()) return;
    const double given = value->is_number() ? value->get<double>() : std::nan("");
    if (!(given >= 0 && given <= 1)) {
      Complain(name, "has to be a number from 0 to 1");
    } else {
      *number = given;
    }
  }

  void Complain(std::string_view name, const std::string& what) {
    if (error_) return;
    std::string param = prefix_;
    if (!name.empty()) param += "." + std::string(name);
    error_ = BadField(param, param + " " + what + ".");
  }

  const std::string& prefix() const { return prefix_; }
  std::string Under(const char* name) const { return prefix_ + "." + name; }
  void Keep(MaybeError error) {
    if (!error_) error_ = std::move(error);
  }
  const MaybeError& error() const { return error_; }

 private:
  const Json& object_;
  const std::string prefix_;
  MaybeError error_;
};

constexpr std::array<std::pair<std::string_view, LiveFormat>, 3> kGaFormats = {
    {{"audio/pcm", LiveFormat::kPcm},
     {"audio/pcmu", LiveFormat::kMuLaw},
     {"audio/pcma", LiveFormat::kALaw}}};
constexpr std::array<std::pair<std::string_view, LiveFormat>, 3> kBetaFormats = {
    {{"pcm16", LiveFormat::kPcm},
     {"g711_ulaw", LiveFormat::kMuLaw},
     {"g711_alaw", LiveFormat::kALaw}}};

template <class Names>
std::string NameOf(LiveFormat format, const Names& names) {
  for (const auto& [name, known] : names) {
    if (known == format) return std::string(name);
  }
  return "";
}

MaybeError ReadGaFormat(const Json& json, std::string name, InputEncoding* encoding) {
  Fields fields(json, std::move(name));
  std::string type(NameOf(encoding->format, kGaFormats));
  fields.Text("type", kMaxName, &type);
  InputEncoding read;
  bool known = false;
  for (const auto& [given, format] : kGaFormats) {
    if (type != given) continue;
    read.format = format;
    known = true;
  }
  if (!known) fields.Complain("type", "has to be audio/pcm, audio/pcmu or audio/pcma");
  if (read.format == LiveFormat::kPcm) {
    fields.Integer("rate", kLeastRate, kMostRate, &read.rate);
  } else {
    read.rate = kTelephoneRate;
    fields.Integer("rate", kTelephoneRate, kTelephoneRate, &read.rate);
  }
  if (!fields.error()) *encoding = read;
  return fields.error();
}

MaybeError ReadTurnDetection(const Json& json, std::string name,
                             std::optional<TurnDetection>* turns) {
  if (json.is_null()) {
    turns->reset();
    return std::nullopt;
  }
  Fields fields(json, std::move(name));
  TurnDetection read = turns->value_or(TurnDetection{});
  std::string type = read.semantic ? "semantic_vad" : "server_vad";
  fields.Text("type", kMaxName, &type);
  if (type != "server_vad" && type != "semantic_vad") {
    fields.Complain("type", "has to be server_vad or semantic_vad");
  }
  read.semantic = type == "semantic_vad";
  fields.Share("threshold", &read.threshold);
  fields.Integer("prefix_padding_ms", 0, kMostPadding, &read.prefix_padding_ms);
  fields.Integer("silence_duration_ms", kLeastSilence, kMostSilence, &read.silence_ms);
  fields.Text("eagerness", kMaxName, &read.eagerness);
  if (read.eagerness.empty()) read.eagerness = "auto";
  if (read.eagerness != "auto" && read.eagerness != "low" && read.eagerness != "medium" &&
      read.eagerness != "high") {
    fields.Complain("eagerness", "has to be low, medium, high or auto");
  }
  if (!fields.error()) *turns = read;
  return fields.error();
}

MaybeError ReadTranscription(const Json& json, std::string name, RealtimeSettings* settings) {
  if (json.is_null()) {
    // A session that transcribes nothing is not offered: null is the state before any choice.
    const RealtimeSettings fresh;
    settings->model = fresh.model;
    settings->language = settings->prompt = "";
    return std::nullopt;
  }
  Fields fields(json, std::move(name));
  std::string model = settings->model;
  fields.Text("model", kMaxName, &model);
  if (!model.empty()) settings->model = model;
  fields.Text("language", kMaxName, &settings->language);
  fields.Text("prompt", kMaxPrompt, &settings->prompt);
  return fields.error();
}

MaybeError ReadNoiseReduction(const Json& json, std::string name, std::string* type) {
  if (json.is_null()) {
    type->clear();
    return std::nullopt;
  }
  Fields fields(json, std::move(name));
  fields.Text("type", kMaxName, type);
  if (!type->empty() && *type != "near_field" && *type != "far_field") {
    fields.Complain("type", "has to be near_field or far_field");
  }
  return fields.error();
}

MaybeError ReadInclude(const Json& json, bool* logprobs) {
  MaybeError error =
      BadField("session.include", "session.include may hold " + std::string(kLogprobs) + ".");
  *logprobs = false;
  if (json.is_null()) return std::nullopt;
  if (!json.is_array() || json.size() > kMaxIncludes) return error;
  for (const Json& one : json) {
    if (!one.is_string() || one.get_ref<const std::string&>() != kLogprobs) return error;
    *logprobs = true;
  }
  return std::nullopt;
}

void ReadGa(Fields& session, RealtimeSettings* settings) {
  const Json* audio = session.Find("audio");
  if (audio == nullptr || audio->is_null()) return;
  Fields both(*audio, session.Under("audio"));
  if (const Json* input = both.Find("input"); input != nullptr && !input->is_null()) {
    Fields fields(*input, both.Under("input"));
    if (const Json* format = fields.Find("format"); format != nullptr && !format->is_null()) {
      fields.Keep(ReadGaFormat(*format, fields.Under("format"), &settings->encoding));
    }
    if (const Json* value = fields.Find("transcription")) {
      fields.Keep(ReadTranscription(*value, fields.Under("transcription"), settings));
    }
    if (const Json* value = fields.Find("turn_detection")) {
      fields.Keep(
          ReadTurnDetection(*value, fields.Under("turn_detection"), &settings->turn_detection));
    }
    if (const Json* value = fields.Find("noise_reduction")) {
      fields.Keep(
          ReadNoiseReduction(*value, fields.Under("noise_reduction"), &settings->noise_reduction));
    }
    both.Keep(fields.error());
  }
  session.Keep(both.error());
}

void ReadBeta(Fields& session, RealtimeSettings* settings) {
  std::string format = NameOf(settings->encoding.format, kBetaFormats);
  const bool given = session.Find("input_audio_format") != nullptr;
  session.Text("input_audio_format", kMaxName, &format);
  bool known = false;
  for (const auto& [name, value] : kBetaFormats) {
    if (format != name) continue;
    known = true;
    if (!given) continue;
    settings->encoding.format = value;
    settings->encoding.rate = value == LiveFormat::kPcm ? InputEncoding{}.rate : kTelephoneRate;
  }
  if (!known) {
    session.Complain("input_audio_format", "has to be pcm16, g711_ulaw or g711_alaw");
  }
  if (const Json* value = session.Find("input_audio_transcription")) {
    session.Keep(ReadTranscription(*value, session.Under("input_audio_transcription"), settings));
  }
  if (const Json* value = session.Find("turn_detection")) {
    session.Keep(
        ReadTurnDetection(*value, session.Under("turn_detection"), &settings->turn_detection));
  }
  if (const Json* value = session.Find("input_audio_noise_reduction")) {
    session.Keep(ReadNoiseReduction(*value, session.Under("input_audio_noise_reduction"),
                                    &settings->noise_reduction));
  }
}

Told TellTurnDetection(const std::optional<TurnDetection>& turns) {
  if (!turns) return nullptr;
  if (turns->semantic) return {{"type", "semantic_vad"}, {"eagerness", turns->eagerness}};
  return {{"type", "server_vad"},
          {"threshold", turns->threshold},
          {"prefix_padding_ms", turns->prefix_padding_ms},
          {"silence_duration_ms", turns->silence_ms}};
}

Told TextOrNull(const std::string& text) { return text.empty() ? Told() : Told(text); }

}  // namespace

Millis TurnDetection::trailing_silence() const {
  if (!semantic) return Millis(silence_ms);
  // What OpenAI's waits for at most is 8, 4 and 2 s; ours knows silence only, and half a second to
  // two are what tells one who pauses from one who is done.
  if (eagerness == "low") return Millis(2'000);
  return Millis(eagerness == "high" ? 500 : 1'000);
}

float TurnDetection::noise_threshold() const {
  return semantic ? 0.0F : static_cast<float>((threshold - 0.5) * 4);
}

std::string TranscriptionField(OpenAiDialect dialect, std::string_view field) {
  const bool ga = dialect == OpenAiDialect::kGa;
  return (ga ? "session.audio.input.transcription." : "session.input_audio_transcription.") +
         std::string(field);
}

MaybeError ApplySession(const Json& session, OpenAiDialect dialect, RealtimeSettings* settings) {
  Fields fields(session, "session");
  std::string type = "transcription";
  fields.Text("type", kMaxName, &type);
  if (!type.empty() && type != "transcription") {
    fields.Complain("type", "has to be transcription: other sessions are not offered here");
  }
  if (dialect == OpenAiDialect::kGa) {
    ReadGa(fields, settings);
  } else {
    ReadBeta(fields, settings);
  }
  if (const Json* include = fields.Find("include")) {
    fields.Keep(ReadInclude(*include, &settings->logprobs));
  }
  return fields.error();
}

Told SessionObject(const RealtimeSettings& settings, OpenAiDialect dialect, std::string_view id,
                   std::int64_t expires_at) {
  const bool ga = dialect == OpenAiDialect::kGa;
  const Told include = settings.logprobs ? Told::array({kLogprobs}) : Told();
  const Told noise =
      settings.noise_reduction.empty() ? Told() : Told({{"type", settings.noise_reduction}});
  const Told transcription = {{"model", settings.model},
                              {"language", TextOrNull(settings.language)},
                              {"prompt", ga ? TextOrNull(settings.prompt) : Told(settings.prompt)}};
  const Told turns = TellTurnDetection(settings.turn_detection);
  Told told = {{"id", id}, {"object", "realtime.transcription_session"}};
  if (!ga) {
    told["expires_at"] = expires_at;
    told["input_audio_format"] = NameOf(settings.encoding.format, kBetaFormats);
    told["input_audio_transcription"] = transcription;
    told["turn_detection"] = turns;
    told["input_audio_noise_reduction"] = noise;
    told["include"] = include;
    return told;
  }
  Told format = {{"type", NameOf(settings.encoding.format, kGaFormats)}};
  if (settings.encoding.format == LiveFormat::kPcm) format["rate"] = settings.encoding.rate;
  told["type"] = "transcription";
  told["expires_at"] = expires_at;
  told["audio"]["input"] = {{"format", format},
                            {"transcription", transcription},
                            {"noise_reduction", noise},
                            {"turn_detection", turns}};
  told["include"] = include;
  return told;
}

}  // namespace lethe::server_internal
