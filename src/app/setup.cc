#include "app/setup.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <malloc.h>

#include "base/file.h"
#include "engine/hot_words.h"
#include "kernels/dispatch.h"
#include "model/automatic_gain.h"
#include "model/moonshine/moonshine.h"
#include "model/silero/silero.h"

namespace lethe {
namespace {

// A thousand words of 30 characters, each of four bytes, and as much in comments.
constexpr std::size_t kMaxHotWordFile = std::size_t{1} << 20;

// For those who want to measure it: what a server's users are to have is the default.
Result<Frames> ChooseFrames() {
  const char* const wanted = std::getenv("LETHE_FRAMES");
  const std::string_view name = wanted == nullptr ? "" : wanted;
  if (name.empty() || name == "merged") return Frames::kMerged;
  if (name == "all") return Frames::kAll;
  return InvalidArgument("LETHE_FRAMES is \"merged\" or \"all\", not \"" + std::string(name) +
                         "\"");
}

}  // namespace

void KeepFreedMemory() {
  constexpr int kKeep = 4 << 20;  // of an arena's free memory at its top
  constexpr int kMap = 1 << 20;   // what is larger is given back at once
  mallopt(M_TRIM_THRESHOLD, kKeep);
  mallopt(M_MMAP_THRESHOLD, kMap);
  // By default there would be eight arenas to a core, and each keeps some.
  mallopt(M_ARENA_MAX, std::max(2, static_cast<int>(std::thread::hardware_concurrency())));
}

Status CheckModelVariables() {
  RETURN_IF_ERROR(ChooseKernels().status());
  return ChooseFrames().status();
}

Result<LoadedModels> LoadModels(const std::string& name, const KernelTable& kernels) {
  KeepFreedMemory();
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
  ASSIGN_OR_RETURN(const Frames frames, ChooseFrames());
  auto loaded = LoadMoonshine(speech.path, kernels, frames);
  if (!loaded.ok()) return repair(loaded.status(), speech.name);
  models.speech = *loaded;
  auto activity = LoadSilero(voice_activity.path, kernels);
  if (!activity.ok()) return repair(activity.status(), voice_activity.name);
  models.voice_activity = WithAutomaticGain(*activity, kernels);
  return models;
}

Result<std::vector<HotWord>> ReadHotWords(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxHotWordFile));
  auto words = ParseHotWordList(text);
  if (!words.ok()) return words.status().WithContext(file);
  return words;
}

Result<std::shared_ptr<const HotWords>> LoadHotWords(const std::string& file,
                                                     const std::vector<std::string>& entries,
                                                     const SpeechModel& model) {
  std::vector<HotWord> words;
  if (!file.empty()) {
    ASSIGN_OR_RETURN(words, ReadHotWords(file));
  }
  for (const std::string& entry : entries) {
    ASSIGN_OR_RETURN(HotWord word, ParseHotWord(entry));
    words.push_back(std::move(word));
  }
  if (words.empty()) return std::shared_ptr<const HotWords>();
  return HotWords::Make(words, MakeTokenCodec(model.tokenizer()));
}

}  // namespace lethe
