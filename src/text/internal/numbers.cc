#include "text/internal/numbers.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "text/internal/number_words.h"

namespace lethe::internal {
namespace {

using Kind = NumberKind;
using Form = NumberForm;

bool IsInteger(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsDecimal(std::string_view word) {
  const std::size_t point = word.find('.');
  return point != std::string_view::npos && IsInteger(word.substr(0, point)) &&
         IsInteger(word.substr(point + 1));
}

// Larger numbers in digits are left as they stand: 999'999 trillion still fits 64 bits.
constexpr std::size_t kMaxDigitsForArithmetic = 6;

/// "2.5" times 1'000'000 is "2500000"; `multiplier` is a power of ten.
std::string Shifted(std::string_view decimal, std::int64_t multiplier) {
  const std::size_t point = decimal.find('.');
  std::string digits(decimal.substr(0, point));
  std::string fraction(decimal.substr(point + 1));
  for (; multiplier > 1; multiplier /= 10) {
    digits += fraction.empty() ? '0' : fraction.front();
    if (!fraction.empty()) fraction.erase(0, 1);
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fraction.empty() ? digits : digits + "." + fraction;
}

/// A reader of the longest number that begins at a position.
class NumberReader {
 public:
  NumberReader(const std::vector<std::string>& words, std::size_t begin)
      : words_(words), at_(begin) {}

  std::size_t position() const { return at_; }

  /// One written number with its unit, or nothing (and the position is meaningless).
  std::optional<std::string> Read() {
    std::string sign;
    std::string_view head = Word(0);
    for (const std::string_view symbol : {"$", "£", "€", "¢"}) {
      if (head.starts_with(symbol)) {
        sign = symbol;
        head.remove_prefix(symbol.size());
      }
    }
    std::string number;
    if (IsDecimal(head)) {
      number = head;
      ++at_;
    } else if (!ReadRun(head, number)) {
      return std::nullopt;
    }
    if (complete_) return sign + number + suffix_;
    ReadFraction(number);
    if (const NumberWord* next = FindNumberWord(Word(0));
        next != nullptr && next->kind == Kind::kMultiplier && next->form == Form::kCardinal &&
        IsDecimal(number)) {
      number = Shifted(number, next->value);
      ++at_;
    }
    if (!sign.empty()) return sign + number;
    return WithUnit(number);
  }

 private:
  std::string_view Word(std::size_t ahead) const {
    return at_ + ahead < words_.size() ? std::string_view(words_[at_ + ahead]) : "";
  }

  /// Integers said one after the other: "nineteen" "eighty four", "one" "oh" "five", "double
  /// seven".
  bool ReadRun(std::string_view head, std::string& digits) {
    while (!complete_) {
      const std::string_view word = digits.empty() ? head : Word(0);
      if (word == "double" && FindDigit(Word(1))) {
        digits += std::string(2, static_cast<char>('0' + FindNumberWord(Word(1))->value));
        at_ += 2;
      } else if (!digits.empty() && (word == "oh" || word == "o") && StartsNumber(Word(1))) {
        digits += '0';
        ++at_;
      } else if ((!digits.empty() && IsTensThenOrdinal()) || !ReadCardinal(word, digits)) {
        break;
      }
    }
    return !digits.empty();
  }

  static bool FindDigit(std::string_view word) {
    const NumberWord* found = FindNumberWord(word);
    return found != nullptr && found->kind == Kind::kDigit && found->form == Form::kCardinal;
  }

  static bool StartsNumber(std::string_view word) {
    const NumberWord* found = FindNumberWord(word);
    return IsInteger(word) || (found != nullptr && found->form == Form::kCardinal);
  }

  /// "nineteen | twenty first": an ordinal does not continue a run of digits.
  bool IsTensThenOrdinal() const {
    const NumberWord* first = FindNumberWord(Word(0));
    if (first == nullptr) return false;
    if (first->form == Form::kOrdinal) return true;
    const NumberWord* second = FindNumberWord(Word(1));
    return first->kind == Kind::kTens && second != nullptr && second->form == Form::kOrdinal &&
           second->kind == Kind::kDigit;
  }

  void Finish(Form form, std::int64_t value) {
    complete_ = form != Form::kCardinal;
    if (form == Form::kOrdinal) suffix_ = OrdinalEnding(value);
    if (form == Form::kPlural) suffix_ = "s";
  }

  /// Below a hundred in words ("twenty two"), or any integer in digits that arithmetic may touch.
  bool ReadSmall(std::string_view word, std::int64_t& value, Form& form) {
    form = Form::kCardinal;
    if (IsInteger(word)) {
      if (word.size() > kMaxDigitsForArithmetic || (word.size() > 1 && word[0] == '0'))
        return false;
      value = 0;
      for (const char digit : word) value = value * 10 + (digit - '0');
      ++at_;
      return true;
    }
    const NumberWord* first = FindNumberWord(word);
    if (first == nullptr || first->kind == Kind::kMultiplier) return false;
    value = first->value;
    form = first->form;
    ++at_;
    const NumberWord* second = FindNumberWord(Word(0));
    if (first->kind == Kind::kTens && form == Form::kCardinal && second != nullptr &&
        second->kind == Kind::kDigit && second->value > 0) {
      value += second->value;
      form = second->form;
      ++at_;
    }
    return true;
  }

  /// What follows a multiplier m: [and] a number below m. Nothing is taken if there is none.
  bool ReadRest(std::int64_t below, std::int64_t& value, Form& form) {
    const std::size_t before = at_;
    if (Word(0) == "and") ++at_;
    const NumberWord* word = FindNumberWord(Word(0));
    const bool lone_ordinal_after_and =
        at_ > before && word != nullptr && word->form == Form::kOrdinal && word->value == 2;
    if (!lone_ordinal_after_and && ReadSmall(Word(0), value, form) && value < below && value > 0) {
      return true;
    }
    at_ = before;
    return false;
  }

  /// One number with its hundreds and thousands; appends its digits.
  bool ReadCardinal(std::string_view word, std::string& digits) {
    std::int64_t group = 0;
    Form form = Form::kCardinal;
    const NumberWord* head = FindNumberWord(word);
    if (head != nullptr && head->kind == Kind::kMultiplier) {
      group = 1;  // "hundred" alone
    } else if (!ReadSmall(word, group, form)) {
      if (!IsInteger(word)) return false;
      digits += word;
      ++at_;
      return true;
    }
    std::int64_t total = 0;
    std::int64_t last = INT64_MAX;
    while (form == Form::kCardinal) {
      const NumberWord* next = FindNumberWord(Word(0));
      if (next == nullptr || next->kind != Kind::kMultiplier || group == 0) break;
      const std::int64_t multiplier = next->value;
      if (multiplier == 100 ? group >= 100 : multiplier >= last) break;
      ++at_;
      form = next->form;
      std::int64_t rest = 0;
      if (multiplier == 100) {
        group *= 100;
        if (form == Form::kCardinal && ReadRest(100, rest, form)) group += rest;
      } else {
        total += group * multiplier;
        last = multiplier;
        group = 0;
        if (form == Form::kCardinal && ReadRest(multiplier, rest, form)) group = rest;
      }
    }
    total += group;
    digits += std::to_string(total);
    Finish(form, total);
    return true;
  }

  /// "point five", "and a half".
  void ReadFraction(std::string& number) {
    if (!IsInteger(number)) return;
    if (Word(0) == "and" && Word(1) == "a" && Word(2) == "half") {
      number += ".5";
      at_ += 3;
      return;
    }
    if (Word(0) != "point") return;
    std::string fraction;
    const std::size_t before = at_++;
    for (;; ++at_) {
      const NumberWord* word = FindNumberWord(Word(0));
      if (IsInteger(Word(0))) {
        fraction += Word(0);
      } else if (Word(0) == "oh" || Word(0) == "o") {
        fraction += '0';
      } else if (word != nullptr && word->form == Form::kCardinal &&
                 word->kind != Kind::kMultiplier) {
        std::int64_t value = 0;
        Form form = Form::kCardinal;
        ReadSmall(Word(0), value, form);
        fraction += std::to_string(value);
        --at_;
        if (form != Form::kCardinal) break;
      } else {
        break;
      }
    }
    if (fraction.empty()) {
      at_ = before;
    } else {
      number += "." + fraction;
    }
  }

  std::string WithUnit(const std::string& number) {
    static const std::unordered_map<std::string_view, std::string_view> money = {
        {"dollar", "$"}, {"dollars", "$"}, {"pound", "£"}, {"pounds", "£"},
        {"euro", "€"},   {"euros", "€"},   {"cent", "¢"},  {"cents", "¢"}};
    if (Word(0) == "percent" || Word(0) == "%") {
      ++at_;
      return number + "%";
    }
    if (Word(0) == "per" && Word(1) == "cent") {
      at_ += 2;
      return number + "%";
    }
    if (const auto sign = money.find(Word(0)); sign != money.end()) {
      ++at_;
      return std::string(sign->second) + number;
    }
    return number;
  }

  const std::vector<std::string>& words_;
  std::size_t at_;
  bool complete_ = false;  // an ordinal or a plural: nothing continues it
  std::string suffix_;
};

/// "$5" "and" "¢20" is one amount.
bool JoinCents(std::vector<std::string>& words, const std::string& cents) {
  if (!cents.starts_with("¢")) return false;
  const std::string_view digits = std::string_view(cents).substr(std::string_view("¢").size());
  if (!IsInteger(digits) || digits.size() > 2 || words.empty()) return false;
  const std::size_t amount = words.back() == "and" ? words.size() - 2 : words.size() - 1;
  if (amount >= words.size()) return false;  // "and" was the only word
  std::string& whole = words[amount];
  for (const std::string_view sign : {"$", "£", "€"}) {
    if (!whole.starts_with(sign) || !IsInteger(std::string_view(whole).substr(sign.size()))) {
      continue;
    }
    whole += digits.size() == 1 ? ".0" : ".";
    whole += digits;
    words.resize(amount + 1);
    return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> NumbersToDigits(const std::vector<std::string>& words) {
  std::vector<std::string> written;
  written.reserve(words.size());
  bool after_integer = false;
  for (std::size_t i = 0; i < words.size();) {
    NumberReader reader(words, i);
    const std::optional<std::string> number = reader.Read();
    if (!number) {
      after_integer = false;
      written.push_back(words[i++]);
      continue;
    }
    i = reader.position();
    if (JoinCents(written, *number)) {
      after_integer = false;
    } else if (after_integer && IsInteger(*number)) {
      written.back() += *number;
    } else {
      written.push_back(*number);
      after_integer = IsInteger(*number);
    }
  }
  return written;
}

}  // namespace lethe::internal
