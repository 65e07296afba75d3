#pragma once

// Words a caller expects to be said: names, terms, products. The decoder prefers them where they
// sound like what was heard.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"

namespace lethe {

inline constexpr int kDefaultHotWordWeight = 10;
/// The strongest preference: taken wherever it sounds right and the model does not rule it out.
inline constexpr int kForcedHotWordWeight = 11;
/// In Chinese, "replace every homophone". English has no such rule of its own: it is taken as
/// kForcedHotWordWeight.
inline constexpr int kHomophoneHotWordWeight = 100;
inline constexpr std::size_t kMaxHotWords = 1000;
inline constexpr std::size_t kMaxHotWordLetters = 30;  // characters, spaces included

/// A word, or a phrase of several, written as it shall appear in the text.
struct HotWord {
  std::string phrase;
  int weight = kDefaultHotWordWeight;  // 1 (a hint) .. 10, kForced... or kHomophone...
};

/// Reads "phrase|weight" or "phrase".
/// Errors: kInvalidArgument, naming the entry, for what HotWords::Make() would refuse
Result<HotWord> ParseHotWord(std::string_view text);

/// Reads a list of hot words, one a line. Empty lines, and lines that begin with '#', are skipped.
/// Errors: kInvalidArgument, naming the line; more than kMaxHotWords
Result<std::vector<HotWord>> ParseHotWordList(std::string_view text);

/// What hot words need of a tokenizer.
struct TokenCodec {
  enum class Kind : std::uint8_t {
    kOther,          // a sign, a raw byte, a control token
    kBeginsWord,     // begins with a space
    kContinuesWord,  // begins with a letter or a digit: what was a word before it is none any more
  };
  /// The tokens of a text; empty if it cannot be written.
  std::function<std::vector<int>(std::string_view text)> encode;
  /// Of every token of the vocabulary.
  std::shared_ptr<const std::vector<Kind>> kinds;
};

/// A list of hot words, ready for searching: spelled in tokens in the ways a model may write them,
/// with how they sound.
///
/// Thread: constant once made; shared by any number of streams
class HotWords {
 public:
  struct Word {
    std::string phrase;
    std::string sound;            // SoundOf(phrase)
    int weight = 0;               // 1..kForcedHotWordWeight
    bool ends_in_letter = false;  // so a token that continues a word may not follow
  };
  /// One way of writing a word: as given, in lower case, capitalised; at the beginning of a text
  /// also without the space before it.
  struct Spelling {
    int word = 0;
    std::vector<int> tokens;
  };
  /// All spellings with the same first token: spellings()[begin, end).
  struct Start {
    int token = 0;
    int weight = 0;  // the largest
    int begin = 0, end = 0;
  };

  /// Makes a list. Of entries that differ in case only, the first is written and the largest weight
  /// holds.
  /// Errors: kInvalidArgument, naming the entry: an empty phrase, one without letters or digits,
  ///         longer than kMaxHotWordLetters, with control characters or bytes that are no UTF-8, a
  ///         weight that is none; more than kMaxHotWords
  static Result<std::shared_ptr<const HotWords>> Make(std::span<const HotWord> words,
                                                      const TokenCodec& codec);

  std::span<const Word> words() const { return words_; }
  std::span<const Spelling> spellings() const { return spellings_; }
  /// Sorted by token.
  std::span<const Start> starts() const { return starts_; }
  TokenCodec::Kind kind(int token) const { return (*kinds_)[static_cast<std::size_t>(token)]; }
  /// Words in the longest phrase.
  int max_words() const { return max_words_; }

  /// The word that is this text but for upper and lower case, or -1.
  int Find(std::string_view text) const;

  /// Writes every hot word in a text as the caller wrote it. The length of the text stays.
  void Respell(std::string* text) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::vector<Word> words_;
  std::vector<Spelling> spellings_;
  std::vector<Start> starts_;
  std::shared_ptr<const std::vector<TokenCodec::Kind>> kinds_;
  std::unordered_map<std::string, int, Hash, std::equal_to<>> by_text_;  // in lower case
  int max_words_ = 1;
};

}  // namespace lethe
