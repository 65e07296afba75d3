#include "text/internal/english/number_run.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace lethe::internal {
namespace {

using Kind = SpokenNumber::Kind;

// "oh" begins a number only where as many digits follow as no exclamation has.
constexpr std::size_t kLeastDigitsBehindOh = 5;

bool IsOneDigit(const SpokenNumber& number) {
  return number.kind == Kind::kDigit && number.digits.size() == 1;
}

}  // namespace

NumberRun::NumberRun(const NumberContext& context, std::size_t at, bool continued)
    : context_(context) {
  while (at < context.size() && (numbers_.empty() || !context.BreaksAt(at))) {
    std::optional<SpokenNumber> number = context.ReadNumberAt(at);
    if (!number) break;
    at = number->end;
    const bool ends = number->kind == Kind::kOrdinal;
    numbers_.push_back(*std::move(number));
    if (ends) break;
  }
  next_ = at;
  // "oh" is a zero with digits on both sides, or in front and nothing behind.
  while (!empty() && numbers_.back().kind == Kind::kOh && !context.BreaksAt(end_atom())) {
    numbers_.pop_back();
  }
  if (!empty() && numbers_.front().kind == Kind::kOh && !continued &&
      DigitsAt(0).digits < kLeastDigitsBehindOh) {
    numbers_.resize(1);
    next_ = end_atom();
  }
}

NumberRun::Digits NumberRun::DigitsAt(std::size_t j) const {
  Digits found;
  for (; j < size(); ++j, ++found.numbers) {
    const SpokenNumber& number = numbers_[j];
    if ((number.kind != Kind::kDigit && number.kind != Kind::kOh) || number.vague) break;
    found.digits += number.digits.size();
  }
  return found;
}

bool NumberRun::IsCounting(std::size_t j, std::size_t count) const {
  for (std::size_t i = j + 1; i < j + count; ++i) {
    const bool next = numbers_[i].value == numbers_[i - 1].value + 1;
    if (!next || numbers_[i].digits.size() != 1) return false;
  }
  return count > 1 && numbers_[j].digits.size() == 1;
}

bool NumberRun::IsDialled() const {
  for (std::size_t j = 0; j < size();) {
    const Digits found = DigitsAt(j);
    if (found.digits >= 3 && !IsCounting(j, found.numbers)) return true;
    j += std::max<std::size_t>(found.numbers, 1);
  }
  return false;
}

std::size_t NumberRun::YearAt(std::size_t j) const {
  if (j + 1 >= size() || !numbers_[j].is_two_digits() || numbers_[j].value > 20) return 0;
  const std::int64_t century = numbers_[j].value;
  // Before 1300, "ten sixty six", something has to announce it.
  if (century < 13 && !IsBeforeYear(context_.KeyBefore(numbers_[j].begin))) return 0;
  const SpokenNumber& second = numbers_[j + 1];
  if (second.kind == Kind::kDecade) return century >= 13 ? 2 : 0;
  if (second.kind == Kind::kOh) return j + 2 < size() && IsOneDigit(numbers_[j + 2]) ? 3 : 0;
  if (!second.is_two_digits() || context_.HasUnitAt(second.end)) return 0;
  return IsGuessAt(j) ? 0 : 2;
}

bool NumberRun::IsPairOfTwoDigits(std::size_t j) const {
  return j + 1 < size() && numbers_[j].is_two_digits() && numbers_[j + 1].is_two_digits();
}

/// "fifteen twenty minutes", "twenty thirty people", "forty fifty": about so many.
bool NumberRun::IsGuessAt(std::size_t j) const {
  if (!IsPairOfTwoDigits(j)) return false;
  const std::int64_t first = numbers_[j].value;
  const std::int64_t second = numbers_[j + 1].value;
  const bool round = second < 20 || second % 10 == 0;
  // 1920 is said too often, and "nineteen, twenty people" too seldom.
  if (second <= first || second > first + 10 || !round || first == 19) return false;
  if (IsCountNoun(context_.KeyAt(numbers_[j + 1].end)) || size() > 2) return true;
  return first != 20 && !IsBeforeYear(context_.KeyBefore(numbers_[j].begin));
}

std::size_t NumberRun::TimeAtEnd() const {
  const std::size_t n = size();
  const SpokenNumber& last = numbers_.back();
  const bool half_day = context_.IsHalfDayAt(end_atom());
  const bool at = IsBeforeTime(context_.KeyBefore(begin_atom())) && context_.PausesAt(end_atom());
  const bool oh_minutes = n >= 3 && numbers_[n - 2].kind == Kind::kOh && IsOneDigit(last);
  if (oh_minutes && IsHour(numbers_[n - 3]) && (half_day || (at && n == 3))) return 3;
  const bool minutes = n >= 2 && last.is_two_digits() && last.value < 60;
  if (minutes && IsHour(numbers_[n - 2]) && (half_day || (at && n == 2))) return 2;
  return context_.IsTimeUnitAt(end_atom()) && IsHour(last) ? 1 : 0;
}

bool NumberRun::IsAmbiguousAt(std::size_t j) const {
  if (j + 1 >= size()) return false;
  const SpokenNumber& first = numbers_[j];
  const SpokenNumber& second = numbers_[j + 1];
  if (SharesScale(first, second)) return true;  // "two three hundred"
  // "eleven thirty", "fifteen twenty"
  if (size() == 2 && IsPairOfTwoDigits(j) && (IsGuessAt(j) || IsHour(first))) return true;
  // "five thirty", "two fifty": a time, a sum or a room.
  return IsOneDigit(first) && second.is_two_digits() && YearAt(j + 1) == 0;
}

bool NumberRun::IsFractionAt(std::size_t j) const {
  return j + 1 < size() && numbers_[j].kind == Kind::kDigit &&
         numbers_[j + 1].kind == Kind::kOrdinal && !context_.IsMonthBefore(numbers_[j].begin);
}

bool NumberRun::IsLabelled() const {
  return IsLabel(context_.KeyBefore(begin_atom())) && context_.PausesAt(end_atom());
}

bool IsHour(const SpokenNumber& number) {
  return (IsOneDigit(number) || number.is_two_digits()) && number.value >= 1 && number.value <= 12;
}

bool SharesScale(const SpokenNumber& number, const SpokenNumber& next) {
  return (number.kind == Kind::kDigit || number.is_two_digits()) && number.value < next.multiplied;
}

}  // namespace lethe::internal
