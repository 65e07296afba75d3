#include "text/internal/english/spoken_number.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace lethe::internal {
namespace {

using Kind = SpokenNumber::Kind;

constexpr std::int64_t kMillion = 1'000'000;

std::string WithCommas(std::int64_t value) {
  const std::string digits = std::to_string(value);
  std::string grouped;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

class Reader {
 public:
  Reader(std::span<const Atom> atoms, std::size_t begin)
      : atoms_(atoms), begin_(begin), at_(begin) {}

  std::optional<SpokenNumber> Read() {
    const Atom& head = atoms_[begin_];
    number_.begin = begin_;
    if (head.key == "oh" || head.key == "o") {
      ++at_;
      return Finished(Kind::kOh, "0");
    }
    if (head.key == "double" || head.key == "triple")
      return ReadRepeated(head.key == "double" ? 2 : 3);
    if (head.written) return ReadWritten();
    if (head.number == nullptr) return std::nullopt;
    if (head.number->form == NumberForm::kPlural) {
      ++at_;
      number_.value = head.number->value;
      return Finished(Kind::kDecade, "");
    }
    if (head.number->kind == NumberKind::kMultiplier) {
      if (!ReadImplicitOne()) return std::nullopt;
    } else {
      ReadSmall(&group_);
    }
    ReadScales();
    // "million | one one": what should have continued it is a number of its own.
    if (continued_one_ && at_ == begin_ + 1) return std::nullopt;
    return Classified();
  }

 private:
  // The atom some places ahead, if nothing parts it from what was read.
  const Atom* Ahead(std::size_t places = 0) const {
    const std::size_t at = at_ + places;
    if (at >= atoms_.size()) return nullptr;
    for (std::size_t i = std::max(at_, begin_ + 1); i <= at; ++i) {
      if (atoms_[i].breaks_before && i != crossed_comma_) return nullptr;
    }
    return &atoms_[at];
  }
  bool AheadIs(std::string_view key, std::size_t places = 0) const {
    const Atom* atom = Ahead(places);
    return atom != nullptr && atom->key == key;
  }
  const NumberWord* NumberAhead(std::size_t places = 0) const {
    const Atom* atom = Ahead(places);
    return atom == nullptr ? nullptr : atom->number;
  }
  const NumberWord* ScaleAhead(std::size_t places = 0) const {
    const NumberWord* word = NumberAhead(places);
    return word != nullptr && word->kind == NumberKind::kMultiplier ? word : nullptr;
  }
  static bool IsDigitWord(const NumberWord* word) {
    return word != nullptr && word->kind == NumberKind::kDigit &&
           word->form == NumberForm::kCardinal;
  }
  std::string_view Before(std::size_t places = 1) const {
    if (begin_ < places) return "";
    for (std::size_t i = begin_ - places + 1; i <= begin_; ++i) {
      if (atoms_[i].breaks_before) return "";
    }
    return atoms_[begin_ - places].key;
  }

  std::optional<SpokenNumber> Finished(Kind kind, std::string digits) {
    number_.kind = kind;
    number_.digits = std::move(digits);
    if (number_.digits_end == 0) number_.digits_end = at_;
    number_.end = at_;
    return std::move(number_);
  }

  std::optional<SpokenNumber> ReadRepeated(std::size_t times) {
    ++at_;
    const NumberWord* digit = NumberAhead();
    const bool oh = AheadIs("oh") || AheadIs("o");
    if (!IsDigitWord(digit) && !oh) return std::nullopt;
    ++at_;
    number_.value = oh ? 0 : digit->value;
    return Finished(Kind::kDigit, std::string(times, static_cast<char>('0' + number_.value)));
  }

  std::optional<SpokenNumber> ReadWritten() {
    const std::string& text = atoms_[begin_].key;
    for (const char c : std::string_view(text).substr(0, text.find('.'))) {
      if (IsDigit(c)) number_.value = number_.value * 10 + (c - '0');
    }
    ++at_;
    const NumberWord* scale = ScaleAhead();
    if (scale == nullptr || scale->form != NumberForm::kCardinal)
      return Finished(Kind::kWritten, text);
    const bool group = text.size() <= 3 && text[0] != '0' && text.find('.') == std::string::npos;
    if (group && scale->value < kMillion) {
      group_ = number_.value;
      ReadScales();
      return Classified();
    }
    number_.digits_end = at_++;
    return Finished(Kind::kWritten, text);
  }

  /// "hundred and fifty" with or without an "a" in front; a round "a hundred" is no number but for
  /// a unit behind it.
  bool ReadImplicitOne() {
    const NumberWord* scale = atoms_[begin_].number;
    if (scale->form != NumberForm::kCardinal) return false;
    at_ = begin_ + 1;
    const NumberWord* next = NumberAhead(AheadIs("and") ? 1 : 0);
    const bool continues = next != nullptr && next->form != NumberForm::kPlural &&
                           (next->kind == NumberKind::kMultiplier
                                ? scale->value == 100 && next->value > 100 && !AheadIs("and")
                                : next->value > 0);
    const bool has_unit = PercentAt(atoms_, at_) > 0 || AheadIs("dollars") || AheadIs("euros");
    const bool after_a = Before() == "a";
    at_ = begin_;
    const bool round = has_unit && after_a;
    if (!continues && !round) return false;
    continued_one_ = !round;
    group_ = 1;
    const std::string_view before = after_a ? Before(2) : Before();
    number_.vague = before == "half" || before == "several" || before == "few" ||
                    before == "many" || before == "couple" ||
                    (!before.empty() && before.find_first_of("0123456789") != before.npos);
    if (after_a) --number_.begin;
    return true;
  }

  /// One to ninety-nine, or an ordinal below a hundred; zero only by itself.
  bool ReadSmall(std::int64_t* value) {
    const NumberWord* first = NumberAhead();
    if (first == nullptr || first->kind == NumberKind::kMultiplier ||
        first->form == NumberForm::kPlural) {
      return false;
    }
    *value = first->value;
    ordinal_ = first->form == NumberForm::kOrdinal;
    ++at_;
    const NumberWord* second = NumberAhead();
    if (first->kind != NumberKind::kTens || ordinal_ || second == nullptr ||
        second->kind != NumberKind::kDigit || second->value == 0) {
      return true;
    }
    if (second->form == NumberForm::kOrdinal) {
      // "a twenty second break" lasts twenty seconds.
      const std::string_view before = Before();
      const bool duration = second->value == 2 && (before == "a" || before == "every" ||
                                                   before == "each" || before == "per");
      if (duration) return true;
      ordinal_ = true;
    }
    *value += second->value;
    ++at_;
    return true;
  }

  /// "one thousand, two hundred": the comma parts nothing where a smaller scale follows.
  void CrossComma(std::int64_t scale) {
    if (at_ >= atoms_.size() || !atoms_[at_].comma_before) return;
    const std::size_t before = crossed_comma_;
    crossed_comma_ = at_;
    const NumberWord* first = NumberAhead();
    std::size_t places = 1;
    if (first != nullptr && first->kind == NumberKind::kTens && IsDigitWord(NumberAhead(1))) {
      places = 2;
    }
    const NumberWord* next = ScaleAhead(places);
    if (first == nullptr || first->form != NumberForm::kCardinal ||
        first->kind == NumberKind::kMultiplier || first->value == 0 || next == nullptr ||
        next->form != NumberForm::kCardinal || next->value >= scale) {
      crossed_comma_ = before;
    }
  }

  /// [and] a number below `limit` that continues the one read so far.
  bool ReadRest(std::int64_t limit, std::int64_t* value) {
    const std::size_t before = at_;
    const bool conjunction = AheadIs("and");
    if (conjunction) ++at_;
    const NumberWord* word = NumberAhead();
    const bool second = word != nullptr && word->form == NumberForm::kOrdinal && word->value == 2;
    // "eight hundred | five five five"
    const bool dialled = !conjunction && IsDigitWord(word) && IsDigitWord(NumberAhead(1));
    if (!dialled && !(conjunction && second) && ReadSmall(value) && *value > 0 && *value < limit) {
      return true;
    }
    at_ = before;
    ordinal_ = false;
    return false;
  }

  void ReadScales() {
    std::int64_t last = std::numeric_limits<std::int64_t>::max();
    bool hundred = false;  // of the group
    while (!ordinal_) {
      const NumberWord* scale = ScaleAhead();
      if (scale == nullptr || group_ == 0) break;
      const bool fits = scale->value == 100
                            ? !hundred && group_ < 100 && (group_ < 10 || group_ % 10 != 0)
                            : scale->value < last;
      if (!fits) break;
      // "three million" and nothing behind it keeps its million.
      ++at_;
      ++num_scales_;
      ordinal_ = scale->form == NumberForm::kOrdinal;
      std::int64_t rest = 0;
      if (scale->value == 100) {
        in_hundreds_ = group_ > 10 && total_ == 0;
        hundred = true;
        group_ *= 100;
        if (!ordinal_ && ReadRest(100, &rest)) group_ += rest;
      } else {
        in_hundreds_ = false;
        round_ = total_ == 0 && scale->value >= kMillion ? group_ : 0;
        total_ += group_ * scale->value;
        last = scale->value;
        group_ = 0;
        hundred = false;
        if (!ordinal_) CrossComma(scale->value);
        if (!ordinal_ && ReadRest(scale->value, &rest)) {
          group_ = rest;
          round_ = 0;
        }
      }
    }
  }

  std::optional<SpokenNumber> Classified() {
    const std::int64_t value = total_ + group_;
    number_.value = value;
    if (ordinal_) {
      const bool power = value >= 100 &&
                         std::to_string(value).find_first_not_of("10") == std::string::npos &&
                         num_scales_ == 1 && atoms_[begin_].key == "one";
      if (power && Before() != "the") number_.vague = true;  // a fraction: one hundredth
      return Finished(Kind::kOrdinal, WithCommas(value) + std::string(OrdinalEnding(value)));
    }
    if (round_ != 0) {
      number_.digits_end = at_ - 1;
      number_.value = round_;
      return Finished(Kind::kCardinal, std::to_string(round_));
    }
    if (num_scales_ == 1 && group_ % 100 == 0 && total_ % 1000 == 0 && value > 0) {
      number_.multiplied = total_ > 0 && group_ == 0 ? total_ / 1000 : group_ / 100;
    }
    // Years and what is counted in hundreds have no comma: 2019, 1500.
    const bool year = total_ == 2000 && group_ > 0 && group_ < 100;
    const std::string digits = year || in_hundreds_ ? std::to_string(value) : WithCommas(value);
    if (const std::string fraction = ReadFraction(); !fraction.empty()) {
      return Decimal(digits + fraction);
    }
    return Finished(value < 10 ? Kind::kDigit : Kind::kCardinal, digits);
  }

  std::optional<SpokenNumber> Decimal(std::string digits) {
    if (const NumberWord* scale = ScaleAhead();
        scale != nullptr && scale->form == NumberForm::kCardinal) {
      number_.digits_end = at_++;
    }
    return Finished(Kind::kDecimal, std::move(digits));
  }

  /// ".5" of "point five" or "and a half"; a version may have several points.
  std::string ReadFraction() {
    if (AheadIs("and") && AheadIs("a", 1) && AheadIs("half", 2)) {
      at_ += 3;
      number_.half = true;
      return ".5";
    }
    std::string fraction;
    // "at one point five people left"
    if (total_ + group_ == 1 && Before() == "at") return fraction;
    while (AheadIs("point")) {
      const std::size_t before = at_++;
      std::string digits;
      while (true) {
        const NumberWord* word = NumberAhead();
        if (IsDigitWord(word)) {
          digits += static_cast<char>('0' + word->value);
        } else if (AheadIs("oh") || AheadIs("o")) {
          digits += '0';
        } else {
          break;
        }
        ++at_;
      }
      std::int64_t value = 0;
      if (digits.empty() && ReadSmall(&value)) {
        // "point third", "point twenty first" are no fractions.
        if (!ordinal_) digits = std::to_string(value);
        ordinal_ = false;
      }
      if (digits.empty()) {
        at_ = before;
        break;
      }
      fraction += '.';
      fraction += digits;
    }
    return fraction;
  }

  const std::span<const Atom> atoms_;
  const std::size_t begin_;
  std::size_t at_;
  SpokenNumber number_;
  std::size_t crossed_comma_ = std::numeric_limits<std::size_t>::max();
  std::int64_t total_ = 0;
  std::int64_t group_ = 0;
  std::int64_t round_ = 0;  // times a million or more is all there is
  int num_scales_ = 0;
  bool continued_one_ = false;  // "hundred" is one hundred only together with what follows
  bool ordinal_ = false;
  bool in_hundreds_ = false;
};

}  // namespace

std::size_t PercentAt(std::span<const Atom> atoms, std::size_t at) {
  if (at >= atoms.size() || atoms[at].breaks_before) return 0;
  if (atoms[at].key == "percent" || atoms[at].key == "%") return 1;
  return atoms[at].key == "per" && at + 1 < atoms.size() && !atoms[at + 1].breaks_before &&
                 atoms[at + 1].key == "cent"
             ? 2
             : 0;
}

std::optional<SpokenNumber> ReadNumber(std::span<const Atom> atoms, std::size_t at) {
  return Reader(atoms, at).Read();
}

}  // namespace lethe::internal
