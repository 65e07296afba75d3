#pragma once

// What a transcription call asks for, out of its form.

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "server/http.h"
#include "server/internal/openai_error.h"
#include "service/engine_catalog.h"

namespace lethe::server_internal {

enum class OpenAiFormat { kJson, kText, kSrt, kVtt, kVerboseJson };

struct OpenAiRequest {
  EngineEntry engine;
  std::string_view audio;  // within the request's body
  OpenAiFormat format = OpenAiFormat::kJson;
  bool segments = false, words = false;  // of verbose_json
  bool stream = false;
  std::string hot_words;  // "word|weight,word|weight", those of the prompt too
};

/// Reads the form. Fields that nobody knows, and those that change nothing here (temperature,
/// include[], chunking_strategy), are checked for what they must be and skipped. Blocks for the
/// milliseconds that searching the body takes.
std::variant<OpenAiRequest, OpenAiError> ReadOpenAiRequest(const HttpRequest& request,
                                                           const EngineCatalog& engines,
                                                           std::string_view default_engine,
                                                           std::size_t max_file);

}  // namespace lethe::server_internal
