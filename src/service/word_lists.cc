#include "service/word_lists.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxChineseLetters = 10;
constexpr std::uint32_t kFirstChinese = 0x2e80;  // CJK radicals, and everything East Asian above

Status BadEntry(std::size_t place, std::string_view why) {
  return InvalidArgument("hot word " + std::to_string(place) + " of the list " + std::string(why));
}

// Leaves out what the model cannot write; there is nothing to prefer then.
std::shared_ptr<const HotWords> Make(const std::vector<HotWord>& words,
                                     const SpeechEngine& engine) {
  // They are spelled together: it takes long, and to judge a word needs no spelling.
  const TokenCodec unspelled{.encode = [](std::string_view) { return std::vector<int>(); },
                             .kinds = engine.codec.kinds};
  std::vector<HotWord> usable;
  for (const HotWord& word : words) {
    if (HotWords::Make(std::span(&word, 1), unspelled).ok()) usable.push_back(word);
  }
  if (usable.empty()) return nullptr;
  auto made = HotWords::Make(usable, engine.codec);
  // A word that the tokenizer cannot write has no spelling.
  return made.ok() && !(*made)->spellings().empty() ? *std::move(made) : nullptr;
}

}  // namespace

bool HoldsChinese(std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte >= 0xf0) return true;
    if ((byte & 0xf0) == 0xe0) {
      const auto next = static_cast<unsigned char>(utf8[i + 1]);
      const auto last = static_cast<unsigned char>(utf8[i + 2]);
      const std::uint32_t code = (byte & 0x0fU) << 12 | (next & 0x3fU) << 6 | (last & 0x3fU);
      if (code >= kFirstChinese) return true;
    }
  }
  return false;
}

HotWordProblem CheckHotWord(std::string_view word, int weight) {
  if (word.empty()) return HotWordProblem::kEmpty;
  if (!IsUtf8(word)) return HotWordProblem::kIllFormed;
  const bool ill_formed = std::any_of(word.begin(), word.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '|' || c == ',';
  });
  if (ill_formed) return HotWordProblem::kIllFormed;
  if (CountCharacters(word) > (HoldsChinese(word) ? kMaxChineseLetters : kMaxHotWordLetters)) {
    return HotWordProblem::kTooLong;
  }
  const bool known =
      (weight >= 1 && weight <= kForcedHotWordWeight) || weight == kHomophoneHotWordWeight;
  return known ? HotWordProblem::kNone : HotWordProblem::kWeight;
}

Result<std::vector<HotWord>> ParseHotWordEntries(std::string_view list) {
  std::vector<HotWord> words;
  std::size_t place = 0;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view entry = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (entry.empty()) continue;
    ++place;
    if (place > kMaxInlineHotWords) {
      return InvalidArgument("a list may have at most 128 hot words; keep more in a vocabulary");
    }
    HotWord word;
    const std::size_t bar = entry.rfind('|');
    word.phrase = std::string(entry.substr(0, bar));
    if (bar != std::string_view::npos) {
      const std::string_view weight = entry.substr(bar + 1);
      const auto [stop, error] =
          std::from_chars(weight.data(), weight.data() + weight.size(), word.weight);
      if (error != std::errc() || stop != weight.data() + weight.size()) {
        return BadEntry(place, "has a weight that is no number");
      }
    }
    switch (CheckHotWord(word.phrase, word.weight)) {
      case HotWordProblem::kNone:
        break;
      case HotWordProblem::kEmpty:
        return BadEntry(place, "has no word");
      case HotWordProblem::kTooLong:
        return BadEntry(place, "is longer than 30 characters (10 of Chinese)");
      case HotWordProblem::kIllFormed:
        return BadEntry(place, "has characters that cannot be in a word");
      case HotWordProblem::kWeight:
        return BadEntry(place, "needs a weight of 1 to 11, or 100");
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::shared_ptr<const HotWords> WordLists::FromVocabulary(const Vocabulary& vocabulary,
                                                          const SpeechEngine& engine) {
  {
    const MutexLock lock(mutex_);
    const auto found = std::find_if(cache_.begin(), cache_.end(), [&](const Cached& cached) {
      return cached.vocabulary_id == vocabulary.id && cached.updated == vocabulary.updated &&
             cached.engine == &engine;
    });
    if (found != cache_.end()) {
      cache_.splice(cache_.begin(), cache_, found);
      return found->words;
    }
  }
  std::vector<HotWord> words;
  for (const WeightedWord& word : vocabulary.words) words.push_back({word.word, word.weight});
  std::shared_ptr<const HotWords> made = Make(words, engine);
  const MutexLock lock(mutex_);
  cache_.push_front({vocabulary.id, vocabulary.updated, &engine, made});
  if (cache_.size() > kMostCached) cache_.pop_back();
  return made;
}

Result<std::shared_ptr<const HotWords>> WordLists::Resolve(AppId app_id, const SpeechEngine& engine,
                                                           std::string_view inline_list,
                                                           std::string_view vocabulary_id) {
  if (!inline_list.empty()) {
    ASSIGN_OR_RETURN(const std::vector<HotWord> words, ParseHotWordEntries(inline_list));
    return Make(words, engine);
  }
  if (!vocabulary_id.empty()) {
    ASSIGN_OR_RETURN(const Vocabulary vocabulary, vocabularies_.Find(app_id, vocabulary_id));
    return FromVocabulary(vocabulary, engine);
  }
  ASSIGN_OR_RETURN(const std::optional<Vocabulary> standard, vocabularies_.FindDefault(app_id));
  if (!standard) return std::shared_ptr<const HotWords>();
  return FromVocabulary(*standard, engine);
}

}  // namespace lethe
