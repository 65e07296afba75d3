#include "server/internal/openai_realtime_hearing.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "server/internal/openai_models.h"
#include "server/internal/prompt_terms.h"

namespace lethe::server_internal {
namespace {

// OpenAI's sessions know it besides the models of its transcriptions.
constexpr std::string_view kSessionModel = "gpt-realtime-whisper";
constexpr std::string_view kAnyModel = "whisper-1";

constexpr std::array<std::string_view, 4> kConversationModels = {
    "gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime", "gpt-audio"};

}  // namespace

std::variant<Hearing, OpenAiError> FindHearing(FaceContext& context, AppId app_id,
                                               RealtimeSettings settings) {
  std::string_view model = settings.model;
  if (model == kSessionModel) model = kAnyModel;
  auto engine =
      FindModel(context.engines, context.options.default_engine, model, settings.language);
  if (auto* error = std::get_if<OpenAiError>(&engine)) return std::move(*error);
  Hearing hearing{.settings = std::move(settings),
                  .engine = std::get<EngineEntry>(std::move(engine))};
  std::string list;
  AppendPromptTerms(hearing.settings.prompt, 0, &list);
  auto hot_words = context.word_lists.Resolve(app_id, *hearing.engine.speech, list, "");
  if (!hot_words.ok()) return NoService("The service cannot look up word lists.");
  hearing.hot_words = *std::move(hot_words);
  return hearing;
}

bool IsConversationModel(std::string_view model) {
  return std::any_of(kConversationModels.begin(), kConversationModels.end(),
                     [&](std::string_view known) { return model.starts_with(known); });
}

}  // namespace lethe::server_internal
