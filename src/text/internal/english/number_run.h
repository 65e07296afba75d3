#pragma once

// Numbers said one behind the other. Only together can they be understood: "nineteen | eighty four"
// is a year, "five | five | five" a telephone's.

#include <cstddef>
#include <vector>

#include "text/internal/english/number_context.h"
#include "text/internal/english/spoken_number.h"

namespace lethe::internal {

/// The numbers that follow each other from a position on; it may have none. Places j are of numbers
/// in it.
class NumberRun {
 public:
  /// `continued` says that a run of digits said one by one ended right here.
  NumberRun(const NumberContext& context, std::size_t at, bool continued);

  bool empty() const { return numbers_.empty(); }
  std::size_t size() const { return numbers_.size(); }
  SpokenNumber& operator[](std::size_t j) { return numbers_[j]; }
  const SpokenNumber& operator[](std::size_t j) const { return numbers_[j]; }

  std::size_t begin_atom() const { return numbers_.front().begin; }
  std::size_t end_atom() const { return numbers_.back().end; }
  /// Where to look for the next run: what was tried and does not belong to this one is passed over.
  std::size_t next() const { return next_; }

  /// How many digits are said one by one from j on, and by how many numbers.
  struct Digits {
    std::size_t digits = 0;
    std::size_t numbers = 0;
  };
  Digits DigitsAt(std::size_t j) const;
  /// Three digits or more, and no counting ("one two three").
  bool IsDialled() const;
  bool IsCounting(std::size_t j, std::size_t count) const;

  /// How many numbers are a year or a decade; 0: it is none.
  std::size_t YearAt(std::size_t j) const;
  /// How many numbers at the end are a time of day: the hour, perhaps minutes.
  std::size_t TimeAtEnd() const;

  /// Two numbers that could be read in several ways.
  bool IsAmbiguousAt(std::size_t j) const;
  /// "one third", "three tenth": not the ordinal.
  bool IsFractionAt(std::size_t j) const;
  /// "page five", "room three twelve".
  bool IsLabelled() const;

 private:
  bool IsGuessAt(std::size_t j) const;
  bool IsPairOfTwoDigits(std::size_t j) const;

  const NumberContext& context_;
  std::vector<SpokenNumber> numbers_;
  std::size_t next_ = 0;
};

/// One to twelve.
bool IsHour(const SpokenNumber& number);

/// "two or three hundred", "ten to fifteen thousand": the first means hundreds or thousands too.
bool SharesScale(const SpokenNumber& number, const SpokenNumber& next);

}  // namespace lethe::internal
