#pragma once

// What stands beside a number and tells what it is.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "text/internal/english/number_atoms.h"
#include "text/internal/english/spoken_number.h"
#include "text/internal/token.h"

namespace lethe::internal {

/// Articles, prepositions, pronouns, forms of "to be" and the like: behind a number, they say that
/// it counts nothing.
bool IsFunctionWord(std::string_view key);

/// "page", "flight", "version": their number is a name and has digits.
bool IsLabel(std::string_view key);

/// "in", "since", "year", "spring", "May": a year may follow.
bool IsBeforeYear(std::string_view key);

/// "at", "until": a time of day may follow.
bool IsBeforeTime(std::string_view key);

/// Something counted: "people", "minutes".
bool IsCountNoun(std::string_view key);

/// "minus", "negative".
bool IsSign(std::string_view key);

struct Operator {
  std::size_t length = 0;  // atoms; 0: none
  std::string_view sign;
};

/// The words of a transcript, asked from where a number stands. Positions are of atoms and may lie
/// behind the last one; nothing is seen across punctuation. It borrows what it looks at.
class NumberContext {
 public:
  NumberContext(const std::vector<Token>& tokens, std::span<const Atom> atoms)
      : tokens_(tokens), atoms_(atoms) {}

  std::size_t size() const { return atoms_.size(); }
  const Token& TokenOf(std::size_t at) const { return tokens_[atoms_[at].token]; }
  /// Nothing stands there, or punctuation in front of it.
  bool BreaksAt(std::size_t at) const { return at >= size() || atoms_[at].breaks_before; }
  std::string_view KeyAt(std::size_t at) const { return BreaksAt(at) ? "" : KeyOf(at); }
  std::string_view KeyBefore(std::size_t at) const {
    return at == 0 || BreaksAt(at) ? "" : KeyOf(at - 1);
  }
  /// Nothing that could be counted stands there.
  bool PausesAt(std::size_t at) const { return BreaksAt(at) || IsFunctionWord(KeyOf(at)); }

  std::optional<SpokenNumber> NumberAt(std::size_t at) const;
  /// The same where punctuation in front does not matter.
  std::optional<SpokenNumber> ReadNumberAt(std::size_t at) const { return ReadNumber(atoms_, at); }
  /// A first look, without reading it.
  bool BeginsNumberAt(std::size_t at) const;
  /// Whether the number there is in digits wherever it stands.
  bool IsLargeNumberAt(std::size_t at) const;

  Operator OperatorAt(std::size_t at) const;
  Operator OperatorBefore(std::size_t at) const;

  // Units.
  std::size_t PercentAt(std::size_t at) const { return internal::PercentAt(atoms_, at); }
  std::string_view CurrencyAt(std::size_t at) const;  // its sign; empty if there is none
  bool IsHalfDayAt(std::size_t at) const;             // a.m., p.m.
  bool IsTimeUnitAt(std::size_t at) const;            // o'clock as well
  bool HasUnitAt(std::size_t at) const;

  bool IsMonthAt(std::size_t at) const;
  bool IsMonthBefore(std::size_t at) const;  // "the" may stand between

  /// Two atoms of one hyphenated word.
  bool AreHyphenated(std::size_t at, std::size_t other) const {
    return atoms_[at].token == atoms_[other].token;
  }

  /// "to" or "or" and a number, as in "five to twelve".
  std::optional<SpokenNumber> RangeEnd(std::size_t at) const;

 private:
  std::string_view KeyOf(std::size_t at) const { return atoms_[at].key; }

  const std::vector<Token>& tokens_;
  const std::span<const Atom> atoms_;
};

}  // namespace lethe::internal
