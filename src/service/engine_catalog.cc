#include "service/engine_catalog.h"

#include <algorithm>

namespace lethe {

const std::vector<std::string>& EngineCatalog::KnownNames() {
  static const std::vector<std::string> names = {"8k_zh",
                                                 "8k_en",
                                                 "8k_zh_large",
                                                 "8k_zh_finance",
                                                 "8k_zh_s",
                                                 "8k_0",
                                                 "8k_6",
                                                 "16k_zh",
                                                 "16k_zh_en",
                                                 "16k_zh_en_2.0",
                                                 "16k_zh_en_speaker",
                                                 "16k_zh_en_speaker_2.0",
                                                 "16k_zh_en_meeting",
                                                 "16k_zh_large",
                                                 "16k_multi_lang",
                                                 "16k_en",
                                                 "16k_en_large",
                                                 "16k_yue",
                                                 "16k_zh-PY",
                                                 "16k_zh-TW",
                                                 "16k_zh_dialect",
                                                 "16k_zh_medical",
                                                 "16k_zh_edu",
                                                 "16k_zh_court",
                                                 "16k_en_game",
                                                 "16k_en_edu",
                                                 "16k_ja",
                                                 "16k_ko",
                                                 "16k_vi",
                                                 "16k_ms",
                                                 "16k_id",
                                                 "16k_fil",
                                                 "16k_th",
                                                 "16k_pt",
                                                 "16k_tr",
                                                 "16k_ar",
                                                 "16k_es",
                                                 "16k_hi",
                                                 "16k_fr",
                                                 "16k_de",
                                                 "16k_ca",
                                                 "16k_wuu-SH",
                                                 "16k_zh_video",
                                                 "16k_0",
                                                 "Hy-ASR-3.0-preview"};
  return names;
}

void EngineCatalog::Add(std::string name, int sample_rate,
                        std::shared_ptr<const SpeechEngine> speech) {
  offers_[std::move(name)] = {sample_rate, std::move(speech)};
}

Result<EngineEntry> EngineCatalog::Find(std::string_view name) const {
  const auto found = offers_.find(name);
  if (found != offers_.end()) {
    return EngineEntry{found->first, found->second.sample_rate, found->second.speech.get()};
  }
  const auto& known = KnownNames();
  if (std::find(known.begin(), known.end(), name) != known.end()) {
    return FailedPrecondition(
        "no model is installed for the engine " + std::string(name) +
        "; `lethe models list` shows what there is, `lethe models pull` installs it, and "
        "engines.NAME in the configuration gives it this name");
  }
  // A name that is no name is not repeated: it may be anything.
  return InvalidArgument("there is no such engine");
}

std::vector<EngineEntry> EngineCatalog::Offered() const {
  std::vector<EngineEntry> entries;
  for (const auto& [name, offer] : offers_) {
    entries.push_back({name, offer.sample_rate, offer.speech.get()});
  }
  return entries;
}

}  // namespace lethe
