#include "text/normalizer.h"

#include <algorithm>

#include "text/internal/contractions.h"
#include "text/internal/fold.h"
#include "text/internal/numbers.h"
#include "text/internal/spelling.h"

namespace lethe {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
/// Letters of other scripts are bytes above ASCII here; signs among them were folded away.
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (static_cast<unsigned char>(c) >= 0x80); }

std::size_t CurrencyLength(std::string_view text) {
  for (const std::string_view sign : {"$", "£", "€", "¢"}) {
    if (text.starts_with(sign)) return sign.size();
  }
  return 0;
}

/// Cuts folded text into words: letters with their apostrophes, and numbers with what belongs to
/// them ("$1,000.50", "21st", "1980s", "50%", "9:00").
class WordCutter {
 public:
  explicit WordCutter(std::string_view text) : text_(text) {}

  std::vector<std::string> Cut() {
    while (at_ < text_.size()) {
      const std::size_t currency = CurrencyLength(text_.substr(at_));
      if (IsDigit(Char(currency))) {
        std::string sign(text_.substr(at_, currency));
        at_ += currency;
        TakeNumber(std::move(sign));
      } else if (currency > 0) {
        at_ += currency;
      } else if (IsLetter(Char(0)) || Char(0) == '\'') {
        TakeWord();
      } else {
        TakeSign();
      }
    }
    return std::move(words_);
  }

 private:
  char Char(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : ' ';
  }
  bool AfterWord() const {
    return at_ > 0 && (IsDigit(text_[at_ - 1]) || IsLetter(text_[at_ - 1]));
  }

  void TakeSign() {
    if (Char(0) == '%') words_.emplace_back("%");
    if (Char(0) == '&') words_.emplace_back("and");
    if (Char(0) == '-' && IsDigit(Char(1)) && !AfterWord()) words_.emplace_back("minus");
    ++at_;
  }

  void TakeWord() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (IsLetter(Char(0)) || Char(0) == '\'') &&
           CurrencyLength(text_.substr(at_)) == 0) {
      ++at_;
    }
    std::string_view word = text_.substr(begin, at_ - begin);
    while (word.ends_with('\'')) word.remove_suffix(1);
    while (word.starts_with("''")) word.remove_prefix(1);
    if (word.empty()) return;
    // "9 a.m." and "9 am" are one word each.
    if (word == "m" && words_.size() >= 2 && (words_.back() == "a" || words_.back() == "p")) {
      const std::string& before = words_[words_.size() - 2];
      if (IsDigit(before.back()) || before == "oclock") {
        words_.back() += 'm';
        return;
      }
    }
    words_.emplace_back(word);
  }

  void TakeNumber(std::string number) {
    const auto take_digits = [&] {
      while (IsDigit(Char(0))) number += text_[at_++];
    };
    take_digits();
    while (Char(0) == ',' && IsDigit(Char(1)) && IsDigit(Char(2)) && IsDigit(Char(3)) &&
           !IsDigit(Char(4))) {
      ++at_;
      take_digits();
    }
    if (Char(0) == '.' && IsDigit(Char(1))) {
      number += '.';
      ++at_;
      take_digits();
    } else if (Char(0) == ':' && Char(1) == '0' && Char(2) == '0' && !IsDigit(Char(3)) &&
               number.size() <= 2) {
      at_ += 3;
      words_.push_back(std::move(number));
      words_.emplace_back("oclock");
      return;
    }
    for (const std::string_view ending : {"st", "nd", "rd", "th", "s"}) {
      if (text_.substr(at_).starts_with(ending) && !IsLetter(Char(ending.size())) &&
          !IsDigit(Char(ending.size()))) {
        number += ending;
        at_ += ending.size();
        break;
      }
    }
    words_.push_back(std::move(number));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> NormalizeEnglish(std::string_view text) {
  const std::string folded = internal::DropBracketed(internal::FoldCharacters(text));
  std::vector<std::string> words =
      internal::NumbersToDigits(internal::ExpandContractions(WordCutter(folded).Cut()));
  // Signs that found no number, and "nine o'clock a.m.", which is "nine a.m.".
  std::vector<std::string> kept;
  kept.reserve(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "%") continue;
    if (words[i] == "oclock" && i + 1 < words.size()) {
      if (words[i + 1] == "am" || words[i + 1] == "pm" || words[i + 1] == "oclock") continue;
    }
    kept.push_back(internal::AmericanSpelling(words[i]));
  }
  return kept;
}

std::string NormalizedEnglishText(std::string_view text) {
  std::string joined;
  for (const std::string& word : NormalizeEnglish(text)) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

}  // namespace lethe
