#pragma once

// Engines by the names that OpenAI's clients use, and languages by theirs.

#include <string>
#include <string_view>
#include <variant>

#include "server/internal/openai_error.h"
#include "service/engine_catalog.h"

namespace lethe::server_internal {

/// The engine of a model: OpenAI's names stand for `default_engine`, or for the first engine of the
/// language asked for; an engine's own name stands for itself. `language` as the client gave it
/// ("en", "en-GB", "english"), empty if it gave none.
std::variant<EngineEntry, OpenAiError> FindModel(const EngineCatalog& engines,
                                                 std::string_view default_engine,
                                                 std::string_view model, std::string_view language);

/// {"object": "list", "data": [...]}: what FindModel() finds.
std::string ModelList(const EngineCatalog& engines, std::string_view default_engine);

/// {"id", "object": "model", "created", "owned_by"}
HttpResponse ModelAnswer(const EngineCatalog& engines, std::string_view default_engine,
                         std::string_view model);

/// The English name of a language, "english" for "en"; the code itself where we have none.
std::string LanguageName(std::string_view code);

}  // namespace lethe::server_internal
