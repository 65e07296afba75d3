#pragma once

// The English words numbers are made of.

#include <cstdint>
#include <string_view>

namespace lethe::internal {

enum class NumberKind { kDigit, kTeen, kTens, kMultiplier };
enum class NumberForm { kCardinal, kOrdinal, kPlural };

struct NumberWord {
  std::int64_t value;
  NumberKind kind;
  NumberForm form;
};

/// One word in lower case: "seven", "twentieth", "eighties", "thousand"; null if it is no number.
const NumberWord* FindNumberWord(std::string_view word);

/// "st", "nd", "rd" or "th".
std::string_view OrdinalEnding(std::int64_t value);

}  // namespace lethe::internal
