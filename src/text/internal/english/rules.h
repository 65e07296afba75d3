#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "text/internal/language_rules.h"

namespace lethe::internal {

/// What there is to know of English, and further profanities.
/// Errors: kInvalidArgument for a profanity that is empty or has spaces.
Result<std::shared_ptr<const LanguageRules>> MakeEnglishRules(
    const std::vector<std::string>& profanities);

}  // namespace lethe::internal
