#pragma once

// Models loaded and an engine made of them: what transcribe, eval and bench begin with.

#include <memory>
#include <string>

#include "base/status.h"
#include "engine/engine.h"
#include "kernels/kernels.h"
#include "model/store.h"
#include "service/transcriber.h"

namespace lethe {

struct LoadedModels {
  std::shared_ptr<const SpeechModel> speech;
  std::shared_ptr<const VoiceActivityModel> voice_activity;
  ModelLabel label;
};

/// Loads a speech model by name, and voice activity detection, out of the default model folder.
/// Errors: as ModelStore::Find() and the loaders; kInvalidArgument when the name is no speech model
Result<LoadedModels> LoadModels(const std::string& name, const KernelTable& kernels);

}  // namespace lethe
