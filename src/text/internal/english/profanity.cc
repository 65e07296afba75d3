#include "text/internal/english/profanity.h"

#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "text/internal/dropping.h"

namespace lethe::internal {
namespace {

enum class Class {
  kExact,
  kNoun,  // -s, 's
  kVerb,  // also -es, -ed, -er, -ing, -y and the like
  kName,  // a noun that is a name when it has a capital
};

// What is offensive wherever it stands. Words with an everyday meaning (cock, prick, hell, bloody)
// are missing on purpose: a caller who wants them masked adds them.
const std::unordered_map<std::string_view, Class>& Stems() {
  static const std::unordered_map<std::string_view, Class> stems = {
      {"shit", Class::kVerb},       {"shitt", Class::kVerb},      {"bullshit", Class::kVerb},
      {"bullshitt", Class::kVerb},  {"horseshit", Class::kNoun},  {"dipshit", Class::kNoun},
      {"shithead", Class::kNoun},   {"shithole", Class::kNoun},   {"piss", Class::kVerb},
      {"bitch", Class::kVerb},      {"bastard", Class::kNoun},    {"damn", Class::kVerb},
      {"dammit", Class::kExact},    {"damnit", Class::kExact},    {"goddamn", Class::kVerb},
      {"goddammit", Class::kExact}, {"goddamnit", Class::kExact}, {"ass", Class::kNoun},
      {"asses", Class::kExact},     {"arse", Class::kNoun},       {"asshole", Class::kNoun},
      {"arsehole", Class::kNoun},   {"jackass", Class::kNoun},    {"jackasses", Class::kExact},
      {"dumbass", Class::kNoun},    {"dumbasses", Class::kExact}, {"badass", Class::kNoun},
      {"dick", Class::kName},       {"dickhead", Class::kNoun},   {"cunt", Class::kNoun},
      {"twat", Class::kNoun},       {"wank", Class::kVerb},       {"bollocks", Class::kExact},
      {"slut", Class::kNoun},       {"slutty", Class::kExact},    {"whore", Class::kNoun},
      {"cocksucker", Class::kNoun}, {"douchebag", Class::kNoun},  {"fag", Class::kNoun},
      {"faggot", Class::kNoun},     {"nigger", Class::kNoun},     {"nigga", Class::kNoun},
      {"kike", Class::kNoun},
  };
  return stems;
}

constexpr std::array<std::string_view, 10> kEndings = {"s",   "es",   "ed", "er", "ers",
                                                       "ing", "ings", "in", "y",  "ier"};

bool IsStem(std::string_view word, bool capital) {
  const auto found = Stems().find(word);
  return found != Stems().end() && !(found->second == Class::kName && capital);
}

/// One word without hyphens, in lookup form and without a possessive.
bool IsProfane(std::string_view word, bool capital, const std::unordered_set<std::string>& more) {
  // No English word holds it innocently.
  if (word.find("fuck") != std::string_view::npos) return true;
  if (IsStem(word, capital) || more.contains(std::string(word))) return true;
  if (word.ends_with('s') && more.contains(std::string(word.substr(0, word.size() - 1)))) {
    return true;
  }
  for (const std::string_view ending : kEndings) {
    if (!word.ends_with(ending)) continue;
    const std::string_view stem = word.substr(0, word.size() - ending.size());
    if (!IsStem(stem, capital)) continue;
    const Class kind = Stems().at(stem);
    if (kind == Class::kVerb || (kind != Class::kExact && ending == "s")) return true;
  }
  return false;
}

std::string_view WithoutPossessive(std::string_view key) {
  if (key.ends_with("'s")) key.remove_suffix(2);
  return key;
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// An asterisk for each letter; `masked` is cut where its lookup form was.
std::string Asterisks(std::string_view masked) {
  std::string out;
  for (const char c : masked) {
    if (!IsContinuation(c)) out += '*';
  }
  return out;
}

/// The core with its profane parts masked; nothing if it has none.
std::optional<std::string> Masked(const Token& token, const std::unordered_set<std::string>& more) {
  if (token.key.empty()) return std::nullopt;
  if (more.contains(token.key)) return Asterisks(token.core);  // may hold hyphens itself
  bool found = false;
  std::string out;
  std::string_view rest = token.core;
  while (true) {
    const std::size_t end = rest.find('-');
    const std::string_view part = rest.substr(0, end);
    const std::string key = LookupKey(part);
    const std::string_view word = WithoutPossessive(key);
    if (!word.empty() && IsProfane(word, IsUpper(part[0]), more)) {
      // Keys change the length of nothing but apostrophes, and those stand behind the word.
      found = true;
      out += Asterisks(part.substr(0, word.size()));
      out += part.substr(word.size());
    } else {
      out += part;
    }
    if (end == std::string_view::npos) break;
    out += '-';
    rest.remove_prefix(end + 1);
  }
  return found ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

void FilterEnglishProfanity(ProfanityFilter filter, const std::unordered_set<std::string>& more,
                            std::vector<Token>* tokens) {
  Dropping out(tokens->size());
  for (Token& token : *tokens) {
    std::optional<std::string> masked = Masked(token, more);
    if (!masked) {
      out.Keep(std::move(token));
    } else if (filter == ProfanityFilter::kDrop) {
      out.Drop(token);
    } else {
      token.core = *std::move(masked);
      token.key = LookupKey(token.core);
      out.Keep(std::move(token));
    }
  }
  *tokens = out.Take();
}

}  // namespace lethe::internal
