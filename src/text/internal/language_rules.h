#pragma once

// What post-processing has to know of a language.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/internal/token.h"
#include "text/post_processor.h"

namespace lethe::internal {

/// Each function rewrites a list of words in time that grows linearly with it, and keeps the order
/// of their ranges. Constant once made; any thread.
class LanguageRules {
 public:
  virtual ~LanguageRules() = default;

  /// Cuts a text into words; for a language without spaces, wherever its words can be told apart.
  virtual std::vector<std::string> Split(std::string_view text) const = 0;
  virtual std::string Join(std::span<const PostWord> words) const = 0;

  virtual void DropFillers(bool strict, std::vector<Token>* tokens) const = 0;
  virtual void FilterProfanity(ProfanityFilter filter, std::vector<Token>* tokens) const = 0;
  virtual void WriteNumbers(bool formulas, std::vector<Token>* tokens) const = 0;
};

}  // namespace lethe::internal
