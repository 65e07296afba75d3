#include "text/internal/english/fillers.h"

#include <unordered_set>
#include <utility>

#include "text/internal/dropping.h"

namespace lethe::internal {
namespace {

using Words = std::unordered_set<std::string_view>;

bool AllOf(std::string_view text, char letter) {
  return text.find_first_not_of(letter) == std::string_view::npos;
}

/// um, uhh, erm, hmm, mm and the like, of any length.
bool IsHesitation(std::string_view key) {
  if (key.size() < 2) return false;
  const std::string_view rest = key.substr(1);
  switch (key[0]) {
    case 'u':
      return AllOf(rest, 'h') || AllOf(rest, 'm') || rest == "hm" || rest == "hmm";
    case 'e':
      return rest == "r" || (rest.starts_with("rm") && AllOf(rest.substr(1), 'm')) ||
             (rest.starts_with("hm") && AllOf(rest.substr(1), 'm'));
    case 'h':
    case 'm':
      return AllOf(rest, 'm');
    default:
      return false;
  }
}

bool EndsWithDigit(const Token* token) {
  return token != nullptr && !token->core.empty() && IsDigit(token->core.back());
}

void DropHesitations(std::vector<Token>* tokens) {
  Dropping out(tokens->size());
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    Token& token = (*tokens)[i];
    const std::string_view next =
        i + 1 < tokens->size() ? std::string_view((*tokens)[i + 1].key) : "";
    bool filler = IsHesitation(token.key);
    if (token.core == "ER" || (token.key == "mm" && EndsWithDigit(out.Previous()))) filler = false;
    // An answer or an exclamation in two words: uh huh, mm hmm, uh oh.
    if (token.trail.empty() && (token.key == "uh" || token.key == "mm") &&
        (next == "huh" || next == "oh" || next == "hmm" || next == "hm")) {
      out.Keep(std::move(token));
      if (next != "oh") out.Keep(std::move((*tokens)[++i]));
      continue;
    }
    if (filler) {
      out.Drop(token);
    } else {
      out.Keep(std::move(token));
    }
  }
  *tokens = out.Take();
}

/// Decides on fillers that are words as well, from where they stand and how they are set off.
class StrictReader {
 public:
  explicit StrictReader(std::vector<Token>* tokens) : tokens_(*tokens), out_(tokens->size()) {}

  std::vector<Token> Read() {
    for (std::size_t at = 0; at < tokens_.size();) {
      const std::size_t length = FillerAt(at);
      for (std::size_t i = 0; i < length; ++i) out_.Drop(tokens_[at++]);
      if (length == 0) out_.Keep(std::move(tokens_[at++]));
    }
    return out_.Take();
  }

 private:
  const Token* Next(std::size_t at) const { return at < tokens_.size() ? &tokens_[at] : nullptr; }
  std::string_view KeyOf(std::size_t at) const {
    return at < tokens_.size() ? std::string_view(tokens_[at].key) : "";
  }
  std::string_view Before() const {
    return out_.Previous() == nullptr ? "" : std::string_view(out_.Previous()->key);
  }
  static bool IsPause(const Token& token) { return token.mark == Mark::kComma || token.paused; }
  bool AfterComma() const { return out_.Previous() != nullptr && IsPause(*out_.Previous()); }

  /// How many words from there on are a filler; 0 if none.
  std::size_t FillerAt(std::size_t at) const {
    const Token& token = tokens_[at];
    const Token* second = Next(at + 1);
    const bool comma = IsPause(token);
    if (token.key == "well") {
      const bool set_off = comma || (token.trail.empty() && IsSubject(at + 1));
      return set_off && out_.AtSentenceStart() ? 1 : 0;
    }
    if (token.key == "so") return comma && out_.AtSentenceStart() ? 1 : 0;
    if (token.key == "like") {
      static const Words openings = {"and", "but", "so", "or", "just"};
      const bool set_off = AfterComma() || out_.AtSentenceStart() || openings.contains(Before());
      return comma && set_off ? 1 : 0;
    }
    if (second == nullptr || !token.trail.empty() || !second->lead.empty()) return 0;
    const bool between = AfterComma() && IsPause(*second);
    if (second->key == "of" && (token.key == "sort" || token.key == "kind")) return between ? 2 : 0;
    const bool i_mean = token.key == "i" && second->key == "mean";
    if (!i_mean && (token.key != "you" || second->key != "know")) return 0;
    const bool at_end = second->mark == Mark::kSentence && AfterComma();
    if (between || at_end || (IsPause(*second) && !IsGoverned())) return 2;
    return i_mean && out_.AtSentenceStart() && second->trail.empty() && IsNewClause(at + 2) ? 2 : 0;
  }

  /// "if you know", "what I mean": the words before make it part of what is said.
  bool IsGoverned() const {
    static const Words governing = {
        "if",   "do",      "did",    "does",   "don't",      "didn't",    "would", "should",
        "can",  "could",   "will",   "as",     "that",       "what",      "how",   "when",
        "than", "because", "though", "unless", "whether",    "let",       "who",   "whom",
        "know", "all",     "one",    "people", "everything", "everyone",  "until", "once",
        "see",  "think",   "say",    "which",  "something",  "everybody", "not",   "since",
        "the",  "where",   "why",    "things", "someone",    "something"};
    return governing.contains(Before());
  }

  /// Whom a clause is about: "Well we went", and not "Well done".
  bool IsSubject(std::size_t at) const {
    static const Words subjects = {
        "i",     "you",   "he",    "she",   "it",      "we",     "they",   "this", "that",
        "there", "i'm",   "i've",  "i'd",   "i'll",    "you're", "you've", "he's", "she's",
        "it's",  "we're", "we've", "we'll", "they're", "that's", "there's"};
    return subjects.contains(KeyOf(at));
  }

  /// "I mean it's fine", and not "I mean it", "I mean you".
  bool IsNewClause(std::size_t at) const {
    const std::string_view key = KeyOf(at);
    return IsSubject(at) && (key == "i" || key.find('\'') != std::string_view::npos);
  }

  std::vector<Token>& tokens_;
  Dropping out_;
};

}  // namespace

void DropEnglishFillers(bool strict, std::vector<Token>* tokens) {
  DropHesitations(tokens);
  if (strict) *tokens = StrictReader(tokens).Read();
}

}  // namespace lethe::internal
