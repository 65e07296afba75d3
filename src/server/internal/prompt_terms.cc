#include "server/internal/prompt_terms.h"

#include <algorithm>
#include <optional>

#include "base/trim.h"
#include "service/word_lists.h"

namespace lethe::server_internal {
namespace {

constexpr std::size_t kMostBytes = 4096;
constexpr std::size_t kMostWords = 3;

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
// Bytes of other scripts are letters.
bool IsLetter(char c) { return IsUpper(c) || IsLower(c) || static_cast<unsigned char>(c) >= 0x80; }

bool EndsSentence(char c) { return c == '.' || c == '?' || c == '!' || c == ':'; }

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = Trim(text)).empty()) {
    const auto end =
        static_cast<std::size_t>(std::find_if(text.begin(), text.end(), IsSpace) - text.begin());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::string_view WithoutMarks(std::string_view word) {
  const auto inner = [](char c) { return IsLetter(c) || IsDigit(c) || c == '+' || c == '#'; };
  while (!word.empty() && !inner(word.front())) word.remove_prefix(1);
  while (!word.empty() && !inner(word.back())) word.remove_suffix(1);
  return word;
}

class Terms {
 public:
  void Add(std::string_view term) {
    if (terms_.size() >= kMaxPromptTerms) return;
    if (CheckHotWord(term, kPromptTermWeight) != HotWordProblem::kNone) return;
    if (std::none_of(term.begin(), term.end(), IsLetter)) return;
    if (std::find(terms_.begin(), terms_.end(), term) == terms_.end()) terms_.emplace_back(term);
  }
  std::vector<std::string> Take() { return std::move(terms_); }

 private:
  std::vector<std::string> terms_;
};

// The pieces of a list; nothing if it is none.
std::optional<std::vector<std::string>> ReadList(std::string_view text) {
  while (text.ends_with('.')) text.remove_suffix(1);
  Terms terms;
  std::size_t num_pieces = 0, num_names = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",;\n"), text.size());
    std::string_view piece = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    // "Glossary: first, second"
    if (const std::size_t colon = piece.find(": "); num_pieces == 0 && colon < piece.size()) {
      piece = Trim(piece.substr(colon + 2));
    }
    if (piece.empty()) continue;
    if (Words(piece).size() > kMostWords || piece.find_first_of("?!") != std::string_view::npos ||
        piece.find(". ") != std::string_view::npos || piece.ends_with("..")) {
      return std::nullopt;
    }
    ++num_pieces;
    const auto named = [](char c) { return IsUpper(c) || IsDigit(c); };
    if (std::any_of(piece.begin(), piece.end(), named)) ++num_names;
    terms.Add(piece);
  }
  if (num_pieces < 2 || num_names * 2 < num_pieces) return std::nullopt;
  return terms.Take();
}

enum class Look { kPlain, kCapitalised, kSpecial };

Look LookOf(std::string_view word) {
  if (word == "I" || word.starts_with("I'")) return Look::kPlain;
  const bool letter = std::any_of(word.begin(), word.end(), IsLetter);
  const bool special =
      word.size() > 1 && letter &&
      std::any_of(word.begin() + 1, word.end(), [](char c) { return IsUpper(c) || IsDigit(c); });
  if (special) return Look::kSpecial;
  return !word.empty() && IsUpper(word.front()) && word.size() > 1 ? Look::kCapitalised
                                                                   : Look::kPlain;
}

}  // namespace

std::vector<std::string> TermsOfPrompt(std::string_view prompt) {
  if (prompt.size() > kMostBytes) {
    prompt.remove_prefix(prompt.size() - kMostBytes);
    const auto space = std::find_if(prompt.begin(), prompt.end(), IsSpace);
    prompt.remove_prefix(static_cast<std::size_t>(space - prompt.begin()));
  }
  prompt = Trim(prompt);
  if (auto list = ReadList(prompt)) return *std::move(list);
  Terms terms;
  std::string run;
  std::size_t run_words = 0;
  const auto end_run = [&] {
    if (run_words > 0) terms.Add(run);
    run.clear();
    run_words = 0;
  };
  bool sentence_begins = true;
  for (const std::string_view raw : Words(prompt)) {
    const std::string_view word = WithoutMarks(raw);
    const Look look = LookOf(word);
    const bool name = look == Look::kSpecial || (look == Look::kCapitalised && !sentence_begins);
    if (!name || run_words >= kMostWords) end_run();
    if (name) {
      run += (run.empty() ? "" : " ") + std::string(word);
      ++run_words;
    }
    // A mark behind a word ends what belongs together.
    if (word.empty() || word.data() + word.size() != raw.data() + raw.size()) end_run();
    sentence_begins = EndsSentence(raw.back()) ||
                      (raw.size() > 1 && raw.back() == '"' && EndsSentence(raw[raw.size() - 2]));
  }
  end_run();
  return terms.Take();
}

void AppendPromptTerms(std::string_view prompt, std::size_t count, std::string* list) {
  for (const std::string& term : TermsOfPrompt(prompt)) {
    if (++count > kMaxInlineHotWords) break;
    *list += (list->empty() ? "" : ",") + term + "|" + std::to_string(kPromptTermWeight);
  }
}

}  // namespace lethe::server_internal
