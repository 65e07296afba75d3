#pragma once

// What the turns of a realtime transcription session are heard with.

#include <memory>
#include <string_view>
#include <variant>

#include "server/faces.h"
#include "server/internal/openai_error.h"
#include "server/internal/openai_realtime_settings.h"
#include "service/engine_catalog.h"
#include "store/applications.h"

namespace lethe::server_internal {

struct Hearing {
  RealtimeSettings settings;
  EngineEntry engine;
  std::shared_ptr<const HotWords> hot_words;
};

/// Finds the engine and the hot words that settings ask for. Blocks: it may ask the store.
/// Errors: a model that is not there, a language that it does not speak
std::variant<Hearing, OpenAiError> FindHearing(FaceContext& context, AppId app_id,
                                               RealtimeSettings settings);

/// True for OpenAI's models that converse. Sessions are opened with their names too, and then told
/// which model transcribes.
bool IsConversationModel(std::string_view model);

}  // namespace lethe::server_internal
