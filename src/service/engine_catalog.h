#pragma once

// Engines by the names that clients use ("16k_en"), and which of them this machine can offer.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "decode/hot_words.h"
#include "engine/engine.h"
#include "service/transcriber.h"

namespace lethe {

/// A model at work, and how it wants its audio.
struct SpeechEngine {
  std::shared_ptr<Engine> engine;
  ModelLabel label;
  TokenCodec codec;  // for hot words
};

/// One name of an engine.
struct EngineEntry {
  std::string name;          // "8k_en"
  int sample_rate = 16'000;  // of audio that does not say it
  const SpeechEngine* speech = nullptr;
};

/// Thread: any; constant once made
class EngineCatalog {
 public:
  /// The names that the cloud's contract knows (section 9.2), whatever is installed.
  static const std::vector<std::string>& KnownNames();

  /// Offers an engine under a name. Names outside the contract are welcome.
  void Add(std::string name, int sample_rate, std::shared_ptr<const SpeechEngine> speech);

  /// Errors: kInvalidArgument for a name nobody knows; kFailedPrecondition for one that is known
  /// and
  ///         has no model here, naming the command that installs one
  Result<EngineEntry> Find(std::string_view name) const;

  /// What is offered, sorted by name.
  std::vector<EngineEntry> Offered() const;

 private:
  struct Offer {
    int sample_rate = 0;
    std::shared_ptr<const SpeechEngine> speech;
  };
  std::map<std::string, Offer, std::less<>> offers_;
};

}  // namespace lethe
