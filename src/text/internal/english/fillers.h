#pragma once

#include <vector>

#include "text/internal/token.h"

namespace lethe::internal {

/// Leaves fillers out, as post_processor.h says which.
void DropEnglishFillers(bool strict, std::vector<Token>* tokens);

}  // namespace lethe::internal
