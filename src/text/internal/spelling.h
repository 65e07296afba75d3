#pragma once

// British spellings of common words as American ones.

#include <string>
#include <string_view>

namespace lethe::internal {

std::string AmericanSpelling(std::string_view word);

}  // namespace lethe::internal
