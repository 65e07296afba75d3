#pragma once

// What may be written down about a call: names that stand in our source, numbers, times, yes and
// no. Text that a caller sent has no way in: there is no constructor for it.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/units.h"

namespace lethe {

/// A word of ours: a string literal, or one of a list of such.
class Label {
 public:
  template <std::size_t n>
  consteval Label(const char (&text)[n]) : text_(text, n - 1) {}  // NOLINT: as literals are

  /// The label that a text is equal to; "other" if there is none.
  static Label OneOf(std::string_view text, std::span<const Label> known) {
    for (const Label label : known) {
      if (label.text_ == text) return label;
    }
    return Label("other");
  }

  std::string_view text() const { return text_; }

  bool operator==(const Label&) const = default;

 private:
  std::string_view text_;  // lives as long as the program
};

struct Fact {
  template <std::integral Value>
  Fact(Label fact, Value number) : name(fact), value(static_cast<std::int64_t>(number)) {}
  Fact(Label fact, bool yes) : name(fact), value(yes) {}
  Fact(Label fact, Label word) : name(fact), value(word) {}
  Fact(Label fact, Millis time) : name(fact), value(time) {}
  Fact(Label, const std::string&) = delete;
  Fact(Label, std::string_view) = delete;

  bool operator==(const Fact&) const = default;

  Label name;
  std::variant<std::int64_t, bool, Label, Millis> value;
};

using Facts = std::vector<Fact>;

/// How long something took.
inline Millis MillisSince(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begun);
}

}  // namespace lethe
