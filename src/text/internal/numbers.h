#pragma once

// Spelled numbers as digits.

#include <string>
#include <vector>

namespace lethe::internal {

/// Writes every number with digits: cardinals, ordinals ("22nd"), decades ("20s"), decimals, digit
/// by digit ("one oh five"), years ("nineteen eighty four"), percent ("10%") and money ("$5.20").
///
/// Words are lower case without apostrophes; numbers in digits are words of the forms 7, 1000, 3.5,
/// $7, 7th, 7s, 7%.
std::vector<std::string> NumbersToDigits(const std::vector<std::string>& words);

}  // namespace lethe::internal
