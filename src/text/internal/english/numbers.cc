#include "text/internal/english/numbers.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>

#include "text/internal/english/number_atoms.h"
#include "text/internal/english/number_context.h"
#include "text/internal/english/number_run.h"
#include "text/internal/english/spoken_number.h"

namespace lethe::internal {
namespace {

using Kind = SpokenNumber::Kind;

/// Decides run by run what is in digits, and how.
class Writer {
 public:
  Writer(const std::vector<Token>& tokens, std::span<const Atom> atoms, bool formulas)
      : context_(tokens, atoms), atoms_(atoms), formulas_(formulas) {}

  std::vector<Rewrite> Write() {
    for (std::size_t at = 0; at < atoms_.size();) {
      // A pause within a number that is said digit by digit is a comma, if anything.
      const bool continued = dialled_ && last_number_end_ == at &&
                             (!atoms_[at].breaks_before || atoms_[at].comma_before);
      NumberRun run(context_, at, continued);
      if (run.empty()) {
        at = std::max(at + 1, run.next());
        continue;
      }
      if (run.begin_atom() == multiplied_) run[0].vague = true;
      end_ = run.end_atom();
      WriteRun(run, continued && run.DigitsAt(0).digits >= 2);
      last_number_end_ = end_;
      at = std::max(end_, run.next());
    }
    return std::move(rewrites_);
  }

 private:
  void Put(std::size_t begin, std::size_t end, std::string text) {
    rewrites_.push_back({begin, end, std::move(text)});
  }

  void WriteRun(const NumberRun& run, bool continued) {
    dialled_ = continued || run.IsDialled();
    if (WriteIdiom(run) || WritePointPercent(run) || IsClockPhrase(run)) return;
    // "nineteen ninety nine dollars": who knows where the number with the unit begins.
    if (run.size() > 1 && (context_.PercentAt(end_) > 0 || !context_.CurrencyAt(end_).empty())) {
      return;
    }
    if (formulas_ && IsJoinedBefore(run[0])) {
      const std::size_t operand = OperandBegin(run[0]);
      const Operator op = context_.OperatorBefore(operand);
      Put(operand - op.length, operand, std::string(op.sign));
    }
    const std::size_t untimed = run.size() - run.TimeAtEnd();
    for (std::size_t j = 0; j < untimed;) {
      if (const std::size_t digits = WriteDigits(run, j, continued)) {
        j += digits;
      } else if (const std::size_t year = run.YearAt(j)) {
        WriteYear(run, j, year);
        j += year;
      } else if (!dialled_ && run.IsAmbiguousAt(j)) {
        if (run.IsLabelled() && run.size() == 2) {
          Put(run[j].begin, run[j + 1].end, run[j].digits + run[j + 1].digits);
        }
        j += 2;
      } else if (!dialled_ && run.IsFractionAt(j)) {
        j += 2;
      } else {
        WriteOne(run, j++);
      }
    }
    if (untimed < run.size()) WriteTime(run, untimed);
  }

  // ---- Several numbers together ----

  bool WriteIdiom(const NumberRun& run) {
    if (run.size() != 2 || context_.HasUnitAt(end_)) return false;
    const auto are = [&](std::string_view first, std::string_view second) {
      return run[0].digits == first && run[1].digits == second && !run[1].has_scale();
    };
    const char* text = nullptr;
    if (are("24", "7")) text = "24/7";
    if (are("20", "20") && context_.KeyAt(end_) == "vision") text = "20/20";
    if (are("50", "50")) text = "50-50";
    if (are("9", "11") && context_.KeyBefore(run.begin_atom()) != "at") text = "9/11";
    if (text == nullptr || run[0].kind == Kind::kWritten || run[1].kind == Kind::kWritten) {
      return false;
    }
    Put(run.begin_atom(), run.end_atom(), text);
    return true;
  }

  /// "point five percent". Other points are no numbers: "at this point five percent".
  bool WritePointPercent(const NumberRun& run) {
    const std::size_t percent = context_.PercentAt(end_);
    if (percent == 0 || context_.KeyBefore(run.begin_atom()) != "point") return false;
    const std::string_view before = context_.KeyBefore(run.begin_atom() - 1);
    static const std::unordered_set<std::string_view> amounts = {"",      "by",   "of",
                                                                 "about", "only", "than"};
    if (!amounts.contains(before)) return false;
    std::string digits = "0.";
    for (std::size_t j = 0; j < run.size(); ++j) {
      if (run[j].kind != Kind::kDigit && run[j].kind != Kind::kOh) return true;  // stays in words
      digits += run[j].digits;
    }
    end_ += percent;
    Put(run.begin_atom() - 1, end_, digits + "%");
    return true;
  }

  /// "twenty past five", "ten to six".
  bool IsClockPhrase(const NumberRun& run) const {
    const std::int64_t minutes = run[0].value;
    const std::string_view behind = context_.KeyAt(end_);
    if (run.size() != 1 || (behind != "to" && behind != "past") ||
        (minutes != 10 && minutes != 20 && minutes != 25)) {
      return false;
    }
    const std::optional<SpokenNumber> hour = context_.NumberAt(end_ + 1);
    return hour && hour->kind == Kind::kDigit && IsHour(*hour) && !context_.HasUnitAt(hour->end);
  }

  void WriteTime(const NumberRun& run, std::size_t j) {
    std::string text = run[j].digits;
    if (run.size() - j == 2) text += ":" + run[j + 1].digits;
    if (run.size() - j == 3) text += ":0" + run[j + 2].digits;
    Put(run[j].begin, run.end_atom(), std::move(text));
  }

  /// Digits said one by one, three or more; two behind a label. Returns how many numbers they are.
  std::size_t WriteDigits(const NumberRun& run, std::size_t j, bool continued) {
    const NumberRun::Digits found = run.DigitsAt(j);
    const bool labelled = found.numbers == run.size() && run.IsLabelled();
    if (found.numbers < 2 || found.digits < (labelled ? 2U : 3U)) return 0;
    if (run.IsCounting(j, found.numbers) && !labelled && !continued) return found.numbers;
    std::string text;
    for (std::size_t i = j; i < j + found.numbers; ++i) text += run[i].digits;
    Put(run[j].begin, run[j + found.numbers - 1].end, std::move(text));
    return found.numbers;
  }

  /// "nineteen | eighty four", "nineteen | oh | five", "nineteen | eighties".
  void WriteYear(const NumberRun& run, std::size_t j, std::size_t count) {
    const SpokenNumber& last = run[j + count - 1];
    std::string text = run[j].digits;
    if (last.kind == Kind::kDecade) {
      text += std::to_string(last.value) + "s";
    } else {
      text += (count == 3 ? "0" : "") + last.digits;
    }
    Put(run[j].begin, last.end, std::move(text));
  }

  // ---- One number ----

  void WriteOne(const NumberRun& run, std::size_t j) {
    const SpokenNumber& number = run[j];
    const bool first = j == 0;
    const bool last = j + 1 == run.size();
    if (number.vague || number.kind == Kind::kOh || number.kind == Kind::kDecade) return;
    if (number.kind == Kind::kOrdinal) return WriteOrdinal(number);
    if (last) {
      const std::optional<SpokenNumber> range = context_.RangeEnd(number.end);
      if (range && SharesScale(number, *range)) {
        multiplied_ = number.end + 1;
        return;
      }
      if (WriteDecade(number) || WritePercent(number) || WriteMoney(number)) return;
    }
    // "five foot ten"
    const std::string_view before = context_.KeyBefore(number.begin);
    if ((before == "foot" || before == "feet") && number.value < 12) return;

    const bool joined = first && IsJoinedBefore(number);
    const bool negated =
        first && (OperandBegin(number) < number.begin || (!joined && IsNegated(number)));
    if (number.kind == Kind::kWritten && !negated) return;
    const bool digits = dialled_ || negated || joined || IsInDigits(number) ||
                        (last && IsJoinedBehind(number)) || (last && IsRanged(number)) ||
                        (first && IsDateOrLabel(run)) || IsHyphenated(run, j);
    if (!digits) return;
    std::string text = negated ? "-" : "";
    if (last && number.kind != Kind::kWritten) text += RangeCurrency(number);
    Put(negated ? number.begin - 1 : number.begin, number.digits_end, text + Digits(number));
  }

  /// Wherever it stands. Lone halves keep their words, "two and a half"; "2.5" is what millions
  /// want.
  static bool IsInDigits(const SpokenNumber& number) {
    return number.has_scale() || number.kind == Kind::kCardinal ||
           (number.kind == Kind::kDecimal && (!number.half || number.value >= 10));
  }

  std::string Digits(const SpokenNumber& number) const {
    // "in two thousand"
    const bool year = number.digits == "2,000" && context_.PausesAt(number.end) &&
                      IsBeforeYear(context_.KeyBefore(number.begin));
    return year ? "2000" : number.digits;
  }

  void WriteOrdinal(const SpokenNumber& number) {
    const std::string_view before = context_.KeyBefore(number.begin);
    // "Louis the Fourteenth"
    const std::string& core = context_.TokenOf(number.begin).core;
    if (before == "the" && core.size() > 1 && IsUpper(core[0]) && IsLower(core[1])) return;
    const bool date = number.value <= 31 &&
                      (context_.IsMonthBefore(number.begin) ||
                       (context_.KeyAt(number.end) == "of" && context_.IsMonthAt(number.end + 1)));
    if (!date && (number.value < 10 || before == "a")) return;  // "a tenth of it"
    Put(number.begin, number.end, number.digits);
  }

  /// "eighteen hundreds", "twenty tens"; other plurals ("ten thousands") stay in words.
  bool WriteDecade(const SpokenNumber& number) {
    static const std::unordered_set<std::string_view> plurals = {
        "tens", "hundreds", "thousands", "millions", "billions", "trillions"};
    const std::string_view key = context_.KeyAt(end_);
    if (!plurals.contains(key)) return false;
    const bool century = number.is_two_digits() && number.value >= 13 && number.value <= 20;
    if (century && (key == "tens" || key == "hundreds")) {
      Put(number.begin, ++end_, number.digits + (key == "tens" ? "10s" : "00s"));
    }
    return true;
  }

  bool WritePercent(const SpokenNumber& number) {
    const std::size_t percent = context_.PercentAt(end_);
    if (percent == 0 || number.has_scale()) return false;
    end_ += percent;
    Put(number.begin, end_, number.digits + "%");
    return true;
  }

  bool WriteMoney(const SpokenNumber& number) {
    const std::string_view sign = context_.CurrencyAt(end_);
    if (sign.empty()) return false;
    std::string amount(sign);
    amount += number.digits;
    ++end_;
    if (number.has_scale()) {
      Put(number.begin, number.digits_end, std::move(amount));
      Put(number.digits_end, end_, atoms_[number.digits_end].key);
      return true;
    }
    // Money has two decimals: $2.50
    const std::size_t point = amount.find('.');
    if (point == std::string::npos) {
      amount += CentsBehind();
    } else if (point + 2 == amount.size()) {
      amount += '0';
    }
    Put(number.begin, end_, std::move(amount));
    return true;
  }

  /// ".20" of "and twenty cents"; moves end_ behind it.
  std::string CentsBehind() {
    const std::size_t at = context_.KeyAt(end_) == "and" ? end_ + 1 : end_;
    const std::optional<SpokenNumber> cents = context_.NumberAt(at);
    const bool small = cents && (cents->is_two_digits() || cents->kind == Kind::kDigit) &&
                       cents->digits.size() <= 2 && cents->value > 0;
    if (!small) return "";
    const std::string_view unit = context_.KeyAt(cents->end);
    const bool named = unit == "cents" || unit == "cent";
    // "twenty dollars fifty"
    const bool bare = at == end_ && cents->is_two_digits() && context_.PausesAt(cents->end);
    if (!named && !bare) return "";
    end_ = cents->end + (named ? 1 : 0);
    return (cents->value < 10 ? ".0" : ".") + std::to_string(cents->value);
  }

  // ---- What makes a small number one in digits ----

  /// "two plus two": an operator and a number stand in front, or behind.
  bool IsJoinedBefore(const SpokenNumber& number) const { return IsJoinedAt(OperandBegin(number)); }
  bool IsJoinedAt(std::size_t operand) const {
    const Operator op = context_.OperatorBefore(operand);
    return op.length > 0 && last_number_end_ + op.length == operand;
  }
  bool IsJoinedBehind(const SpokenNumber& number) const {
    const Operator op = context_.OperatorAt(number.end);
    const std::size_t operand = number.end + op.length;
    return op.length > 0 &&
           (context_.BeginsNumberAt(operand) ||
            (IsSign(context_.KeyAt(operand)) && context_.BeginsNumberAt(operand + 1)));
  }
  /// Its sign included, if an operator is in front: "equals minus fifteen".
  std::size_t OperandBegin(const SpokenNumber& number) const {
    const bool sign = IsSign(context_.KeyBefore(number.begin)) && IsJoinedAt(number.begin - 1);
    return sign ? number.begin - 1 : number.begin;
  }

  /// "minus five" where no number is in front, and a sign makes sense.
  bool IsNegated(const SpokenNumber& number) const {
    const std::string_view key = context_.KeyBefore(number.begin);
    if (!IsSign(key) || context_.IsTimeUnitAt(number.end)) return false;
    const std::string_view before = context_.KeyBefore(number.begin - 1);
    static const std::unordered_set<std::string_view> adjective = {"a", "the", "this", "that",
                                                                   "in"};
    return before.empty() ||
           (IsFunctionWord(before) && (key == "minus" || !adjective.contains(before)));
  }

  /// "five to twelve", "two or three percent", "between one and ten".
  bool IsRanged(const SpokenNumber& number) const {
    const std::string_view before = context_.KeyBefore(number.begin);
    const std::string_view behind = context_.KeyAt(number.end);
    const bool between = before == "between" && behind == "and";
    if (number.kind != Kind::kDigit || (behind != "to" && behind != "or" && !between) ||
        !context_.IsLargeNumberAt(number.end + 1)) {
      return false;
    }
    // "one or ten": a pronoun, unless something says otherwise.
    return number.value != 1 || between || before == "from" || before == "of" ||
           context_.HasUnitAt(context_.NumberAt(number.end + 1)->end);
  }

  /// The sign of the currency that a number shares with the one behind it: "five to ten dollars".
  std::string_view RangeCurrency(const SpokenNumber& number) const {
    const std::optional<SpokenNumber> range = context_.RangeEnd(number.end);
    return range && !range->vague ? context_.CurrencyAt(range->end) : "";
  }

  /// "thirty-three-four"
  bool IsHyphenated(const NumberRun& run, std::size_t j) const {
    return (j > 0 && context_.AreHyphenated(run[j].begin - 1, run[j].begin)) ||
           (j + 1 < run.size() && context_.AreHyphenated(run[j].end - 1, run[j].end));
  }

  /// "March three", "page five".
  bool IsDateOrLabel(const NumberRun& run) const {
    if (run[0].kind != Kind::kDigit) return false;
    if (run.size() == 1 && run.IsLabelled()) return true;
    return run[0].value > 0 && context_.IsMonthBefore(run.begin_atom()) &&
           (run.size() > 1 || context_.PausesAt(run.end_atom()));
  }

  const NumberContext context_;
  const std::span<const Atom> atoms_;
  const bool formulas_;
  std::size_t end_ = 0;              // of the run, its unit included
  std::size_t last_number_end_ = 0;  // of the run before
  bool dialled_ = false;             // that run was a telephone's number or the like
  // Where a number begins whose hundreds or thousands the one before shares.
  std::size_t multiplied_ = std::numeric_limits<std::size_t>::max();
  std::vector<Rewrite> rewrites_;
};

}  // namespace

void WriteEnglishNumbers(bool formulas, std::vector<Token>* tokens) {
  const std::vector<Atom> atoms = MakeAtoms(tokens);
  const std::vector<Rewrite> rewrites = Writer(*tokens, atoms, formulas).Write();
  *tokens = ApplyRewrites(std::move(*tokens), atoms, rewrites);
}

}  // namespace lethe::internal
