#include "text/post_processor.h"

#include <utility>

#include "text/internal/english/rules.h"
#include "text/internal/language_rules.h"
#include "text/internal/punctuation.h"
#include "text/internal/token.h"

namespace lethe {

bool PostOptions::ChangesNothing() const {
  return profanity == ProfanityFilter::kKeep && fillers == FillerFilter::kKeep &&
         punctuation == PunctuationFilter::kKeep && numbers == NumberFormat::kAsSpoken;
}

PostProcessor::PostProcessor(std::shared_ptr<const internal::LanguageRules> rules,
                             const PostOptions& options)
    : rules_(std::move(rules)), options_(options) {}

Result<PostProcessor> PostProcessor::ForLanguage(std::string_view language,
                                                 const PostOptions& options) {
  const std::string_view base = language.substr(0, language.find_first_of("-_"));
  if (base == "en") {
    ASSIGN_OR_RETURN(auto rules, internal::MakeEnglishRules(options.profanities));
    return PostProcessor(std::move(rules), options);
  }
  if (options.ChangesNothing()) return PostProcessor(nullptr, options);
  return Unimplemented(
      "profanities, fillers, punctuation and numbers are known for English only; leave them as "
      "they "
      "are for the language: " +
      std::string(language));
}

std::vector<PostWord> PostProcessor::Apply(std::span<const std::string> words) const {
  std::vector<PostWord> result;
  result.reserve(words.size());
  if (options_.ChangesNothing()) {
    for (std::size_t i = 0; i < words.size(); ++i) result.push_back({words[i], i, i + 1});
    return result;
  }
  std::vector<internal::Token> tokens;
  tokens.reserve(words.size());
  for (const std::string& word : words) {
    tokens.push_back(internal::MakeToken(word, tokens.size()));
  }
  if (options_.fillers != FillerFilter::kKeep) {
    rules_->DropFillers(options_.fillers == FillerFilter::kDropStrict, &tokens);
  }
  if (options_.profanity != ProfanityFilter::kKeep) {
    rules_->FilterProfanity(options_.profanity, &tokens);
  }
  if (options_.numbers != NumberFormat::kAsSpoken) {
    rules_->WriteNumbers(options_.numbers == NumberFormat::kFormulas, &tokens);
  }
  if (options_.punctuation == PunctuationFilter::kDropFinalStop) {
    internal::DropFinalStop(&tokens);
  } else if (options_.punctuation == PunctuationFilter::kDropAll) {
    internal::DropAllPunctuation(&tokens);
  }
  for (const internal::Token& token : tokens) {
    result.push_back({token.Text(), token.first, token.last});
  }
  return result;
}

std::string PostProcessor::ApplyToText(std::string_view text) const {
  if (options_.ChangesNothing()) return std::string(text);
  return Join(Apply(rules_->Split(text)));
}

std::string PostProcessor::Join(std::span<const PostWord> words) const {
  if (rules_ != nullptr) return rules_->Join(words);
  std::string text;
  for (const PostWord& word : words) text += (text.empty() ? "" : " ") + word.text;
  return text;
}

}  // namespace lethe
