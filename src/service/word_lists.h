#pragma once

// The hot words of one call: a list in the call itself, a vocabulary it names, or the application's
// default (contract, sections 3.1 and 3.4).

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "decode/hot_words.h"
#include "service/engine_catalog.h"
#include "store/vocabularies.h"

namespace lethe {

/// How many entries a list in a call may have.
inline constexpr std::size_t kMaxInlineHotWords = 128;

/// How much a vocabulary may say of itself, in characters.
inline constexpr std::size_t kMaxVocabularyNameCharacters = 255;
inline constexpr std::size_t kMaxVocabularyDescriptionCharacters = 1000;

/// Reads "word|weight,word|weight"; a weight may be left out. Empty entries are skipped.
/// Errors: kInvalidArgument, saying which entry by its place, never the word
Result<std::vector<HotWord>> ParseHotWordEntries(std::string_view list);

/// Whether a character of it is East Asian, CJK radicals first. `utf8` is well-formed.
bool HoldsChinese(std::string_view utf8);

/// Whether a word and its weight may be in a list: 1 to 30 characters (10 when one of them is
/// Chinese), no control characters, no bar and no comma; 1 to 11 or 100.
enum class HotWordProblem { kNone, kEmpty, kTooLong, kIllFormed, kWeight };
HotWordProblem CheckHotWord(std::string_view word, int weight);

/// Thread: any; asks the store, so it may wait for a disk
/// Lifetime: `vocabularies` outlives it
class WordLists {
 public:
  explicit WordLists(Vocabularies& vocabularies) : vocabularies_(vocabularies) {}

  /// The hot words of a call, ready for its engine; null when there are none. The inline list goes
  /// before the named vocabulary, that before the default. Words that the engine's language cannot
  /// write are left out.
  /// Errors: kInvalidArgument for a list that cannot be read; kNotFound for a vocabulary that the
  ///         application does not have
  Result<std::shared_ptr<const HotWords>> Resolve(AppId app_id, const SpeechEngine& engine,
                                                  std::string_view inline_list,
                                                  std::string_view vocabulary_id);

 private:
  struct Cached {
    std::string vocabulary_id;
    WallTime updated;
    const SpeechEngine* engine = nullptr;
    std::shared_ptr<const HotWords> words;
  };
  // Spelling a thousand words takes milliseconds; vocabularies are used again and again.
  static constexpr std::size_t kMostCached = 64;

  std::shared_ptr<const HotWords> FromVocabulary(const Vocabulary& vocabulary,
                                                 const SpeechEngine& engine);

  // Constant after construction.
  Vocabularies& vocabularies_;
  // Any thread.
  Mutex mutex_;
  std::list<Cached> cache_ GUARDED_BY(mutex_);  // the latest first
};

}  // namespace lethe
