#pragma once

#include <vector>

#include "text/internal/token.h"

namespace lethe::internal {

/// Writes spoken numbers with digits, as post_processor.h says which. With `formulas`, arithmetic
/// between numbers becomes signs.
void WriteEnglishNumbers(bool formulas, std::vector<Token>* tokens);

}  // namespace lethe::internal
