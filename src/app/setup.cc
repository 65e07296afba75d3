#include "app/setup.h"

#include "model/moonshine/moonshine.h"
#include "model/silero/silero.h"

namespace lethe {

Result<LoadedModels> LoadModels(const std::string& name, const KernelTable& kernels) {
  const ModelStore store(ModelStore::DefaultDirectory());
  ASSIGN_OR_RETURN(const InstalledModel speech, store.Find(name));
  ASSIGN_OR_RETURN(const InstalledModel voice_activity, store.Find(kDefaultVoiceActivityModel));
  if (speech.family != "moonshine") {
    return InvalidArgument("that model hears no words; see: lethe models list: " + name);
  }
  LoadedModels models{.speech = nullptr,
                      .voice_activity = nullptr,
                      .label = {.name = speech.name, .language = speech.language}};
  const auto repair = [](const Status& status, const std::string& model) {
    return Status(status.code(),
                  status.message() + "; check it with: lethe models verify " + model);
  };
  auto loaded = LoadMoonshine(speech.path, kernels);
  if (!loaded.ok()) return repair(loaded.status(), speech.name);
  models.speech = *loaded;
  auto activity = LoadSilero(voice_activity.path, kernels);
  if (!activity.ok()) return repair(activity.status(), voice_activity.name);
  models.voice_activity = *activity;
  return models;
}

}  // namespace lethe
