#include "server/internal/openai_request.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "server/internal/openai_models.h"
#include "server/internal/prompt_terms.h"
#include "server/multipart.h"
#include "service/word_lists.h"

namespace lethe::server_internal {
namespace {

using MaybeError = std::optional<OpenAiError>;

// A text field is a word or a prompt. What is longer is a file in the wrong field.
constexpr std::size_t kMaxField = std::size_t{64} << 10;

struct Fields {
  std::string_view audio;
  bool has_file = false;
  std::string model, language, prompt, format, keywords, temperature, stream;
  std::vector<std::string> granularities;
};

// The fields that are read. Lists have no place: they are gathered.
struct TextField {
  std::string_view name;
  std::string Fields::*place;
};
constexpr std::array<TextField, 9> kTextFields = {{{"model", &Fields::model},
                                                   {"language", &Fields::language},
                                                   {"prompt", &Fields::prompt},
                                                   {"response_format", &Fields::format},
                                                   {"temperature", &Fields::temperature},
                                                   {"stream", &Fields::stream},
                                                   {"timestamp_granularities", nullptr},
                                                   {"keywords", nullptr},
                                                   {"hot_words", nullptr}}};

// Clients write lists as "name[]", "name[0]" or by repeating the name.
std::string_view BareName(std::string_view name) { return name.substr(0, name.find('[')); }

MaybeError Keep(const FormPart& part, Fields* fields) {
  const std::string_view name = BareName(part.name);
  if (name == "file") {
    if (fields->has_file) return BadField("file", "There may be only one file.");
    fields->has_file = true;
    fields->audio = part.data;
    return std::nullopt;
  }
  const auto known = std::find_if(kTextFields.begin(), kTextFields.end(),
                                  [&](const TextField& field) { return field.name == name; });
  if (known == kTextFields.end()) return std::nullopt;  // it may hold anything
  if (part.data.size() > kMaxField || !IsUtf8(part.data)) {
    return BadField(std::string(name), std::string(name) + " is too long or is no UTF-8.");
  }
  const std::string value(part.data);
  if (known->place != nullptr) fields->*(known->place) = value;
  if (name == "timestamp_granularities" && !value.empty()) fields->granularities.push_back(value);
  if (name == "keywords" || name == "hot_words") {
    fields->keywords += (fields->keywords.empty() ? "" : ",") + value;
  }
  return std::nullopt;
}

MaybeError ReadFormat(const Fields& fields, OpenAiRequest* request) {
  constexpr std::array<std::pair<std::string_view, OpenAiFormat>, 5> kFormats = {
      {{"json", OpenAiFormat::kJson},
       {"text", OpenAiFormat::kText},
       {"srt", OpenAiFormat::kSrt},
       {"vtt", OpenAiFormat::kVtt},
       {"verbose_json", OpenAiFormat::kVerboseJson}}};
  bool known = fields.format.empty();
  for (const auto& [name, format] : kFormats) {
    if (fields.format != name) continue;
    request->format = format;
    known = true;
  }
  if (!known) {
    return BadField("response_format",
                    "response_format has to be json, text, srt, vtt or verbose_json.");
  }
  for (const std::string& granularity : fields.granularities) {
    if (granularity != "word" && granularity != "segment") {
      return BadField("timestamp_granularities",
                      "timestamp_granularities may hold word and segment.");
    }
    (granularity == "word" ? request->words : request->segments) = true;
  }
  if (!request->words) request->segments = true;
  return std::nullopt;
}

MaybeError ReadStream(const Fields& fields, OpenAiRequest* request) {
  const std::string& text = fields.stream;
  request->stream = text == "true" || text == "True" || text == "1";
  if (!request->stream && !text.empty() && text != "false" && text != "False" && text != "0") {
    return BadField("stream", "stream has to be true or false.");
  }
  if (request->stream && request->format != OpenAiFormat::kJson &&
      request->format != OpenAiFormat::kText) {
    return BadField("response_format", "A stream has response_format json or text.");
  }
  return std::nullopt;
}

MaybeError CheckTemperature(const std::string& text) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool number = error == std::errc() && stop == text.data() + text.size();
  if (text.empty() || (number && value >= 0 && value <= 1)) return std::nullopt;
  return BadField("temperature", "temperature has to be a number from 0 to 1.");
}

// The words of the call first; those of the prompt have the places that are left.
MaybeError ReadHotWords(const Fields& fields, OpenAiRequest* request) {
  const auto given = ParseHotWordEntries(fields.keywords);
  if (!given.ok()) return BadField("keywords", "keywords: " + given.status().message());
  request->hot_words = fields.keywords;
  AppendPromptTerms(fields.prompt, given->size(), &request->hot_words);
  return std::nullopt;
}

}  // namespace

std::variant<OpenAiRequest, OpenAiError> ReadOpenAiRequest(const HttpRequest& http,
                                                           const EngineCatalog& engines,
                                                           std::string_view default_engine,
                                                           std::size_t max_file) {
  const auto boundary = FormBoundary(http.Header("content-type"));
  if (!boundary.ok()) return BadField("", boundary.status().message());
  const auto parts = ParseForm(http.body, *boundary);
  if (!parts.ok()) return BadField("", parts.status().message());
  Fields fields;
  for (const FormPart& part : *parts) {
    if (MaybeError error = Keep(part, &fields)) return *std::move(error);
  }
  if (!fields.has_file) return BadField("file", "The form has no file.");
  if (fields.audio.size() > max_file) {
    return OpenAiError{.status = 413,
                       .message = "Maximum content size limit (" + std::to_string(max_file) +
                                  ") exceeded (" + std::to_string(fields.audio.size()) + " bytes)",
                       .param = "file",
                       .code = "file_too_large"};
  }
  if (fields.model.empty()) return BadField("model", "The form names no model.");
  OpenAiRequest request{.audio = fields.audio};
  auto model = FindModel(engines, default_engine, fields.model, fields.language);
  if (auto* error = std::get_if<OpenAiError>(&model)) return std::move(*error);
  request.engine = std::get<EngineEntry>(std::move(model));
  if (MaybeError error = ReadFormat(fields, &request)) return *std::move(error);
  if (MaybeError error = ReadStream(fields, &request)) return *std::move(error);
  if (MaybeError error = CheckTemperature(fields.temperature)) return *std::move(error);
  if (MaybeError error = ReadHotWords(fields, &request)) return *std::move(error);
  return request;
}

}  // namespace lethe::server_internal
