#pragma once

// The grammar of English numbers: the longest one that begins at a word.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "text/internal/english/number_atoms.h"

namespace lethe::internal {

struct SpokenNumber {
  enum class Kind {
    kOh,        // a zero, if digits are around it
    kDigit,     // zero to nine; several after "double" or "triple"
    kCardinal,  // ten and above
    kDecimal,
    kOrdinal,
    kDecade,   // "eighties"
    kWritten,  // in digits already
  };

  Kind kind = Kind::kDigit;
  std::size_t begin = 0;       // atoms, "a" of "a hundred and two" included
  std::size_t digits_end = 0;  // of what digits stand for; a scale that is kept may follow
  std::size_t end = 0;
  std::int64_t value = 0;       // the whole part of a decimal
  std::int64_t multiplied = 0;  // 3, of a round "three hundred" or "three thousand"
  std::string digits;           // as they are written: "12,000", "2.5", "77"
  bool half = false;            // "and a half"
  bool vague = false;           // "several hundred and fifty", "one hundredth": stays in words

  /// "million" stays a word: "3 million".
  bool has_scale() const { return digits_end < end; }
  /// Ten to ninety-nine, as one would say half of a year.
  bool is_two_digits() const { return kind == Kind::kCardinal && value < 100 && !has_scale(); }
};

/// Reads a number that begins at an atom; it never continues past punctuation.
std::optional<SpokenNumber> ReadNumber(std::span<const Atom> atoms, std::size_t at);

/// "percent", "per cent" or "%" at an atom: how many atoms it has; 0 if it is not there.
std::size_t PercentAt(std::span<const Atom> atoms, std::size_t at);

}  // namespace lethe::internal
