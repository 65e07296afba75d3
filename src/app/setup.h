#pragma once

// Models loaded and an engine made of them: what transcribe, eval and bench begin with.

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "decode/hot_words.h"
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

/// Has the allocator keep what is freed, for the next call or recording: their buffers are of the
/// same sizes as the last one's. Given back to the system after each, and asked for again, they
/// cost a call a hundred page faults, and every core an interrupt. Of the process; a second time
/// changes nothing.
void KeepFreedMemory();

/// Whether LETHE_ISA and LETHE_FRAMES name what there is. Errors: kInvalidArgument for the first
/// that does not
Status CheckModelVariables();

/// Loads a speech model by name, and voice activity detection, out of the default model folder;
/// KeepFreedMemory() comes first. LETHE_FRAMES chooses what becomes of the encoder's frames.
/// Errors: as ModelStore::Find() and the loaders; kInvalidArgument for LETHE_FRAMES, and when the
///         name is no speech model
Result<LoadedModels> LoadModels(const std::string& name, const KernelTable& kernels);

/// Reads a file of hot words (decode/hot_words.h).
/// Errors: as ReadFile() and ParseHotWordList(), naming file and line
Result<std::vector<HotWord>> ReadHotWords(const std::string& file);

/// Makes hot words for a model out of a file of them (a name, or empty) and of entries given one by
/// one. Empty when there is none.
/// Errors: as ReadHotWords(), ParseHotWord() and HotWords::Make()
Result<std::shared_ptr<const HotWords>> LoadHotWords(const std::string& file,
                                                     const std::vector<std::string>& entries,
                                                     const SpeechModel& model);

}  // namespace lethe
