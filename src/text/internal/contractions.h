#pragma once

// Contractions, titles and fillers.

#include <string>
#include <vector>

namespace lethe::internal {

/// Spells out contractions ("we'll" = "we will", "she's been" = "she has been") and titles ("mr" =
/// "mister") and drops fillers. Words are lower case, an apostrophe is part of its word.
std::vector<std::string> ExpandContractions(const std::vector<std::string>& words);

}  // namespace lethe::internal
