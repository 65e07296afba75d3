#pragma once

// What somebody may have meant who mistyped a name.

#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// Those of `names` that `typed` is at most a third of its letters away from (inserted, left out,
/// exchanged, two neighbours swapped) or begins, the nearest first, at most three.
std::vector<std::string> NearestNames(std::string_view typed,
                                      const std::vector<std::string>& names);

}  // namespace lethe
