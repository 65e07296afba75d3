#include "decode/hot_words.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/encoding.h"
#include "base/trim.h"
#include "decode/internal/word_bytes.h"
#include "text/sound.h"

namespace lethe {
namespace {

constexpr std::size_t kShownLetters = 40;

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string Capitalised(std::string_view text, bool every_word) {
  std::string capital(text);
  for (std::size_t i = 0; i < capital.size(); ++i) {
    if (i == 0 || (every_word && capital[i - 1] == ' ')) capital[i] = Upper(capital[i]);
  }
  return capital;
}

// One space between words, none at the ends.
std::string Tidy(std::string_view text) {
  std::string tidy;
  for (const char c : Trim(text)) {
    if (!IsSpace(c)) {
      tidy.push_back(c);
    } else if (tidy.back() != ' ') {
      tidy.push_back(' ');
    }
  }
  return tidy;
}

// Characters of a UTF-8 text, or -1.
int CountLetters(std::string_view text) {
  int count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return -1;
    for (std::size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0) != 0x80) return -1;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      return -1;
    }
    i += length;
  }
  return count;
}

// The entry in a message: short, and whole characters.
std::string Show(std::string_view text) {
  std::string shown;
  std::size_t letters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0) == 0x80;
    if (!continues && ++letters > kShownLetters) return "'" + shown + "...'";
    shown.push_back(byte < 0x20 || byte == 0x7F ? '?' : c);
  }
  return "'" + shown + "'";
}

std::string ShowLossy(std::string_view text) {
  std::string ascii(text);
  for (char& c : ascii) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return Show(ascii);
}

bool IsWeight(int weight) {
  return (weight >= 1 && weight <= kForcedHotWordWeight) || weight == kHomophoneHotWordWeight;
}

constexpr std::string_view kWeights = "the weight is a whole number from 1 to 11, or 100";

// Tidies a word, or says what is wrong with it.
Result<HotWord> Check(const HotWord& word) {
  HotWord good{.phrase = Tidy(word.phrase), .weight = word.weight};
  if (good.phrase.empty()) return InvalidArgument("a hot word is empty");
  const int letters = CountLetters(good.phrase);
  if (letters < 0) {
    return InvalidArgument("a hot word is no UTF-8 text: " + ShowLossy(good.phrase));
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(good.phrase.begin(), good.phrase.end(), control)) {
    return InvalidArgument("a hot word holds control characters: " + Show(good.phrase));
  }
  if (static_cast<std::size_t>(letters) > kMaxHotWordLetters) {
    return InvalidArgument("a hot word has more than " + std::to_string(kMaxHotWordLetters) +
                           " characters: " + Show(good.phrase));
  }
  if (std::none_of(good.phrase.begin(), good.phrase.end(), IsWordByte)) {
    return InvalidArgument("a hot word has no letter or digit: " + Show(good.phrase));
  }
  if (!IsWeight(good.weight)) {
    return InvalidArgument(std::string(kWeights) + ": " + Show(good.phrase) + " has " +
                           std::to_string(good.weight));
  }
  return good;
}

Status TooMany(std::size_t count) {
  return InvalidArgument("more than " + std::to_string(kMaxHotWords) +
                         " hot words: " + std::to_string(count));
}

}  // namespace

Result<HotWord> ParseHotWord(std::string_view text) {
  HotWord word;
  const std::size_t bar = text.rfind('|');
  word.phrase = text.substr(0, bar);
  if (bar != std::string_view::npos) {
    const std::string_view number = Trim(text.substr(bar + 1));
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), word.weight);
    if (number.empty() || error != std::errc() || end != number.data() + number.size()) {
      return InvalidArgument(std::string(kWeights) + ": " + ShowLossy(text));
    }
  }
  return Check(word);
}

Result<std::vector<HotWord>> ParseHotWordList(std::string_view text) {
  std::vector<HotWord> words;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    Result<HotWord> word = ParseHotWord(line);
    if (!word.ok()) return word.status().WithContext("line " + std::to_string(number));
    words.push_back(*std::move(word));
    if (words.size() > kMaxHotWords) {
      return InvalidArgument("line " + std::to_string(number) + ": more than " +
                             std::to_string(kMaxHotWords) + " hot words");
    }
  }
  return words;
}

Result<std::shared_ptr<const HotWords>> HotWords::Make(std::span<const HotWord> words,
                                                       const TokenCodec& codec) {
  if (words.size() > kMaxHotWords) return TooMany(words.size());
  auto list = std::make_shared<HotWords>();
  list->kinds_ = codec.kinds;
  for (const HotWord& given : words) {
    ASSIGN_OR_RETURN(const HotWord word, Check(given));
    const int weight = std::min(word.weight, kForcedHotWordWeight);
    const auto [at, added] =
        list->by_text_.emplace(ToLowerAscii(word.phrase), static_cast<int>(list->words_.size()));
    if (!added) {
      Word& known = list->words_[static_cast<std::size_t>(at->second)];
      known.weight = std::max(known.weight, weight);
      continue;
    }
    const int count = 1 + static_cast<int>(std::count(word.phrase.begin(), word.phrase.end(), ' '));
    list->max_words_ = std::max(list->max_words_, count);
    list->words_.push_back({.phrase = word.phrase,
                            .sound = SoundOf(word.phrase),
                            .weight = weight,
                            .ends_in_letter = IsWordByte(word.phrase.back())});
  }
  for (std::size_t i = 0; i < list->words_.size(); ++i) {
    const std::string& phrase = list->words_[i].phrase;
    // A word without a sound is never searched for; it may still be respelled.
    if (list->words_[i].sound.empty()) continue;
    const std::string lower = ToLowerAscii(phrase);
    // Many are the same.
    const std::set<std::string> forms = {phrase, lower, Capitalised(lower, false),
                                         Capitalised(lower, true), Capitalised(phrase, false)};
    std::set<std::vector<int>> ways;
    for (const std::string& form : forms) {
      ways.insert(codec.encode(" " + form));
      ways.insert(codec.encode(form));
    }
    for (const std::vector<int>& tokens : ways) {
      if (!tokens.empty()) list->spellings_.push_back({static_cast<int>(i), tokens});
    }
  }
  auto& spellings = list->spellings_;
  std::stable_sort(spellings.begin(), spellings.end(), [](const Spelling& a, const Spelling& b) {
    return a.tokens.front() < b.tokens.front();
  });
  for (std::size_t i = 0; i < spellings.size(); ++i) {
    const int token = spellings[i].tokens.front();
    if (list->starts_.empty() || list->starts_.back().token != token) {
      list->starts_.push_back({.token = token, .begin = static_cast<int>(i)});
    }
    Start& start = list->starts_.back();
    start.end = static_cast<int>(i) + 1;
    start.weight =
        std::max(start.weight, list->words_[static_cast<std::size_t>(spellings[i].word)].weight);
  }
  return std::shared_ptr<const HotWords>(std::move(list));
}

int HotWords::Find(std::string_view text) const {
  const auto found = by_text_.find(ToLowerAscii(text));
  return found == by_text_.end() ? -1 : found->second;
}

void HotWords::Respell(std::string* text) const {
  const std::size_t n = text->size();
  const auto inside = [&](std::size_t i) { return i < n && IsWordByte((*text)[i]); };
  for (std::size_t begin = 0; begin < n; ++begin) {
    if (IsSpace((*text)[begin]) || (begin > 0 && inside(begin - 1))) continue;
    // The longest phrase that ends where a word does.
    int spaces = 0;
    std::size_t best_end = 0;
    int best = -1;
    for (std::size_t end = begin + 1; end <= n && spaces < max_words_; ++end) {
      if (inside(end - 1) && inside(end)) continue;
      if (end < n && IsSpace((*text)[end])) ++spaces;
      const int word = Find(std::string_view(*text).substr(begin, end - begin));
      if (word >= 0) best = word, best_end = end;
    }
    if (best < 0) continue;
    text->replace(begin, best_end - begin, words_[static_cast<std::size_t>(best)].phrase);
    begin = best_end - 1;
  }
}

}  // namespace lethe
