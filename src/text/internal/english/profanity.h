#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "text/internal/token.h"
#include "text/post_processor.h"

namespace lethe::internal {

/// Drops or masks profanities: those of our list, and `more`, in their lookup form.
void FilterEnglishProfanity(ProfanityFilter filter, const std::unordered_set<std::string>& more,
                            std::vector<Token>* tokens);

}  // namespace lethe::internal
