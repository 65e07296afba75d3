#include "text/internal/number_words.h"

#include <tuple>
#include <unordered_map>

namespace lethe::internal {
namespace {

const std::unordered_map<std::string_view, NumberWord>& NumberWords() {
  static const std::unordered_map<std::string_view, NumberWord> words = [] {
    std::unordered_map<std::string_view, NumberWord> all;
    std::int64_t value = 0;
    for (const std::string_view word :
         {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}) {
      all[word] = {value++, NumberKind::kDigit, NumberForm::kCardinal};
    }
    for (const std::string_view word :
         {"ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
          "eighteen", "nineteen"}) {
      all[word] = {value++, NumberKind::kTeen, NumberForm::kCardinal};
    }
    value = 1;
    for (const std::string_view word :
         {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"}) {
      all[word] = {value++, NumberKind::kDigit, NumberForm::kOrdinal};
    }
    for (const std::string_view word :
         {"tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth",
          "seventeenth", "eighteenth", "nineteenth"}) {
      all[word] = {value++, NumberKind::kTeen, NumberForm::kOrdinal};
    }
    value = 20;
    for (const auto& [cardinal, ordinal, plural] : {std::tuple{"twenty", "twentieth", "twenties"},
                                                    {"thirty", "thirtieth", "thirties"},
                                                    {"forty", "fortieth", "forties"},
                                                    {"fifty", "fiftieth", "fifties"},
                                                    {"sixty", "sixtieth", "sixties"},
                                                    {"seventy", "seventieth", "seventies"},
                                                    {"eighty", "eightieth", "eighties"},
                                                    {"ninety", "ninetieth", "nineties"}}) {
      all[cardinal] = {value, NumberKind::kTens, NumberForm::kCardinal};
      all[ordinal] = {value, NumberKind::kTens, NumberForm::kOrdinal};
      all[plural] = {value, NumberKind::kTens, NumberForm::kPlural};
      value += 10;
    }
    for (const auto& [cardinal, ordinal, multiplier] :
         {std::tuple{"hundred", "hundredth", std::int64_t{100}},
          {"thousand", "thousandth", std::int64_t{1'000}},
          {"million", "millionth", std::int64_t{1'000'000}},
          {"billion", "billionth", std::int64_t{1'000'000'000}},
          {"trillion", "trillionth", std::int64_t{1'000'000'000'000}}}) {
      all[cardinal] = {multiplier, NumberKind::kMultiplier, NumberForm::kCardinal};
      all[ordinal] = {multiplier, NumberKind::kMultiplier, NumberForm::kOrdinal};
    }
    return all;
  }();
  return words;
}

}  // namespace

const NumberWord* FindNumberWord(std::string_view word) {
  const auto found = NumberWords().find(word);
  return found == NumberWords().end() ? nullptr : &found->second;
}

std::string_view OrdinalEnding(std::int64_t value) {
  if (value % 100 / 10 == 1) return "th";
  switch (value % 10) {
    case 1:
      return "st";
    case 2:
      return "nd";
    case 3:
      return "rd";
    default:
      return "th";
  }
}

}  // namespace lethe::internal
