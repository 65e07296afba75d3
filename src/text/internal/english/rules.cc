#include "text/internal/english/rules.h"

#include <unordered_set>
#include <utility>

#include "text/internal/english/fillers.h"
#include "text/internal/english/numbers.h"
#include "text/internal/english/profanity.h"

namespace lethe::internal {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

class EnglishRules final : public LanguageRules {
 public:
  explicit EnglishRules(std::unordered_set<std::string> profanities)
      : profanities_(std::move(profanities)) {}

  std::vector<std::string> Split(std::string_view text) const override {
    std::vector<std::string> words;
    while (true) {
      const std::size_t begin = text.find_first_not_of(kWhiteSpace);
      if (begin == std::string_view::npos) return words;
      text.remove_prefix(begin);
      const std::string_view word = text.substr(0, text.find_first_of(kWhiteSpace));
      words.emplace_back(word);
      text.remove_prefix(word.size());
    }
  }

  std::string Join(std::span<const PostWord> words) const override {
    std::string text;
    for (const PostWord& word : words) {
      if (!text.empty()) text += ' ';
      text += word.text;
    }
    return text;
  }

  void DropFillers(bool strict, std::vector<Token>* tokens) const override {
    DropEnglishFillers(strict, tokens);
  }
  void FilterProfanity(ProfanityFilter filter, std::vector<Token>* tokens) const override {
    FilterEnglishProfanity(filter, profanities_, tokens);
  }
  void WriteNumbers(bool formulas, std::vector<Token>* tokens) const override {
    WriteEnglishNumbers(formulas, tokens);
  }

 private:
  const std::unordered_set<std::string> profanities_;  // in lookup form
};

}  // namespace

Result<std::shared_ptr<const LanguageRules>> MakeEnglishRules(
    const std::vector<std::string>& profanities) {
  std::unordered_set<std::string> keys;
  for (const std::string& word : profanities) {
    // As it will be looked up: without the punctuation that a transcript attaches.
    const std::string key = MakeToken(word, 0).key;
    if (key.empty() || word.find_first_of(kWhiteSpace) != std::string::npos) {
      return InvalidArgument("a profanity is one word of at most 64 bytes; bytes given: " +
                             std::to_string(word.size()));
    }
    keys.insert(key);
  }
  return std::shared_ptr<const LanguageRules>(
      std::make_shared<const EnglishRules>(std::move(keys)));
}

}  // namespace lethe::internal
