#pragma once

// From which age somebody may consent to the processing of their data by themselves, by country,
// with the law that says so. Below it a parent or guardian has to.
//
// The table holds countries whose law names an age. Where it names none, where it is being changed,
// or where we could not make sure, the country is left out, and the highest age that any of these
// laws asks for is asked for: kStrictestAge. It is no legal advice; who knows better asks for more.

#include <span>
#include <string_view>

namespace lethe {

inline constexpr int kStrictestAge = 18;

struct AgeOfConsent {
  std::string_view country;  // ISO 3166-1, two capital letters
  int years = kStrictestAge;
  std::string_view law;
};

/// By code, from A to Z.
std::span<const AgeOfConsent> AgesOfConsent();

/// Of a country that is not in the table: kStrictestAge, with a law that says so.
AgeOfConsent FindAgeOfConsent(std::string_view country);

}  // namespace lethe
