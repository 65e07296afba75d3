#include "server/internal/openai_models.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kOpenAiNames = {"whisper-1", "gpt-4o-transcribe",
                                                          "gpt-4o-mini-transcribe",
                                                          "gpt-4o-mini-transcribe-2025-12-15"};

// Those of the contract's engines, ISO 639-1, named as Whisper names them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kLanguages = {{
    {"ar", "arabic"},     {"de", "german"},     {"en", "english"},    {"es", "spanish"},
    {"fr", "french"},     {"hi", "hindi"},      {"id", "indonesian"}, {"it", "italian"},
    {"ja", "japanese"},   {"ko", "korean"},     {"ms", "malay"},      {"nl", "dutch"},
    {"pl", "polish"},     {"pt", "portuguese"}, {"ru", "russian"},    {"sv", "swedish"},
    {"th", "thai"},       {"tl", "tagalog"},    {"tr", "turkish"},    {"uk", "ukrainian"},
    {"vi", "vietnamese"}, {"yue", "cantonese"}, {"zh", "chinese"},    {"cs", "czech"},
}};

// "en" of "EN", "en-GB" and "English".
std::string LanguageCode(std::string_view given) {
  std::string code;
  for (const char c : given.substr(0, given.find_first_of("-_"))) {
    code += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  for (const auto& [known, name] : kLanguages) {
    if (code == name) return std::string(known);
  }
  return code;
}

bool IsOpenAiName(std::string_view model) {
  return std::find(kOpenAiNames.begin(), kOpenAiNames.end(), model) != kOpenAiNames.end();
}

std::vector<std::string> Names(const EngineCatalog& engines, std::string_view default_engine) {
  std::vector<std::string> names;
  if (engines.Find(default_engine).ok()) names.assign(kOpenAiNames.begin(), kOpenAiNames.end());
  for (const EngineEntry& entry : engines.Offered()) names.push_back(entry.name);
  return names;
}

Json Describe(std::string_view name) {
  // When a model was made is in no file of ours.
  return {{"id", name}, {"object", "model"}, {"created", 0}, {"owned_by", "lethe"}};
}

}  // namespace

std::string LanguageName(std::string_view code) {
  for (const auto& [known, name] : kLanguages) {
    if (code == known) return std::string(name);
  }
  return std::string(code);
}

std::variant<EngineEntry, OpenAiError> FindModel(const EngineCatalog& engines,
                                                 std::string_view default_engine,
                                                 std::string_view model,
                                                 std::string_view language) {
  const bool any = IsOpenAiName(model);
  auto found = engines.Find(any ? default_engine : model);
  if (!found.ok()) {
    const bool unknown = found.status().code() == StatusCode::kInvalidArgument;
    return ModelNotFound(unknown && !any ? "The model does not exist; GET /v1/models lists those "
                                           "that do."
                                         : found.status().message());
  }
  const std::string code = LanguageCode(language);
  if (code.empty() || found->speech->label.language == code) return *std::move(found);
  if (any) {
    for (EngineEntry& entry : engines.Offered()) {
      if (entry.speech->label.language == code) return std::move(entry);
    }
  }
  return BadField("language",
                  "No model for this language is installed; `lethe models list` shows "
                  "which there are.");
}

std::string ModelList(const EngineCatalog& engines, std::string_view default_engine) {
  Json list = Json::array();
  for (const std::string& name : Names(engines, default_engine)) list.push_back(Describe(name));
  return WriteJson(Json({{"object", "list"}, {"data", std::move(list)}}));
}

HttpResponse ModelAnswer(const EngineCatalog& engines, std::string_view default_engine,
                         std::string_view model) {
  const std::vector<std::string> names = Names(engines, default_engine);
  if (std::find(names.begin(), names.end(), model) == names.end()) {
    return OpenAiErrorResponse(
        ModelNotFound("The model does not exist; GET /v1/models lists those that do."));
  }
  return {.body = WriteJson(Describe(model))};
}

}  // namespace lethe::server_internal
