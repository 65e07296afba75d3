#include "service/internal/phrase_ends.h"

#include <algorithm>
#include <array>

namespace lethe::internal {
namespace {

constexpr auto kSentenceMarks =
    std::to_array<std::string_view>({".", "!", "?", "…", "。", "！", "？"});
constexpr auto kPhraseMarks =
    std::to_array<std::string_view>({",", ";", ":", "，", "；", "：", "、"});
constexpr auto kClosing =
    std::to_array<std::string_view>({"\"", "'", ")", "]", "”", "’", "」", "』", "）", "》"});
// A name follows. What may as well end a sentence (Jr., etc.) is not here.
constexpr auto kTitles = std::to_array<std::string_view>(
    {"Mr.", "Mrs.", "Ms.", "Messrs.", "Dr.", "St.", "Prof.", "Rev.", "Hon.", "Gov.", "Sen.", "Rep.",
     "Gen.", "Col.", "Maj.", "Capt.", "Lt.", "Sgt.", "vs."});

template <std::size_t n>
bool EndsInOneOf(std::string_view word, const std::array<std::string_view, n>& marks,
                 std::size_t* length = nullptr) {
  for (const std::string_view mark : marks) {
    if (!word.ends_with(mark)) continue;
    if (length != nullptr) *length = mark.size();
    return true;
  }
  return false;
}

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

// "J." and "J.R.", though not "I."
bool IsInitial(std::string_view word) {
  if (word == "I." || word.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < word.size(); i += 2) {
    if (!IsUpper(word[i]) || word[i + 1] != '.') return false;
  }
  return true;
}

bool GoesOn(std::string_view word, std::string_view next) {
  if (next.empty()) return false;
  if (next[0] >= 'a' && next[0] <= 'z') return true;
  const std::size_t begin = std::min(word.find_first_not_of("\"'(["), word.size());
  word.remove_prefix(begin);
  return std::find(kTitles.begin(), kTitles.end(), word) != kTitles.end() ||
         (IsInitial(word) && IsUpper(next[0]));
}

}  // namespace

PhraseEnd EndBehind(std::string_view word, std::string_view next) {
  for (std::size_t length = 0; EndsInOneOf(word, kClosing, &length);) word.remove_suffix(length);
  if (EndsInOneOf(word, kPhraseMarks)) return PhraseEnd::kPhrase;
  if (!EndsInOneOf(word, kSentenceMarks)) return PhraseEnd::kNone;
  return word.ends_with('.') && GoesOn(word, next) ? PhraseEnd::kNone : PhraseEnd::kSentence;
}

}  // namespace lethe::internal
