#include "text/internal/english/number_atoms.h"

#include <algorithm>
#include <utility>

namespace lethe::internal {
namespace {

/// 5, 1000, 1,000, 2.5: no more than 15 digits, so that their value fits arithmetic.
bool IsWrittenNumber(std::string_view core) {
  if (core.empty() || core.size() > 20 || !IsDigit(core[0]) || !IsDigit(core.back())) return false;
  const std::size_t point = std::min(core.find('.'), core.size());
  const std::string_view whole = core.substr(0, point);
  const bool grouped = whole.find(',') != std::string_view::npos;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const bool comma_place = grouped && (whole.size() - i) % 4 == 0 && i > 0;
    if (comma_place ? whole[i] != ',' : !IsDigit(whole[i])) return false;
  }
  for (const char c : core.substr(std::min(point + 1, core.size()))) {
    if (!IsDigit(c)) return false;
  }
  return core.size() <= 15;
}

bool CanBelongToNumber(std::string_view part) {
  return FindNumberWord(part) != nullptr || part == "and" || part == "point" || part == "oh";
}

void SplitPossessive(Token* token) {
  std::string_view stem = token->key;
  if (!stem.ends_with("'s") || stem.size() != token->core.size()) return;
  stem.remove_suffix(2);
  if (FindNumberWord(stem.substr(stem.rfind('-') + 1)) == nullptr) return;
  token->trail.insert(0, token->core.substr(stem.size()));
  token->core.resize(stem.size());
  token->key.resize(stem.size());
}

}  // namespace

std::vector<Atom> MakeAtoms(std::vector<Token>* tokens) {
  std::vector<Atom> atoms;
  atoms.reserve(tokens->size());
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    Token& token = (*tokens)[i];
    SplitPossessive(&token);
    bool breaks = !token.lead.empty() || (i > 0 && !(*tokens)[i - 1].trail.empty()) ||
                  token.core.empty() || (i > 0 && (*tokens)[i - 1].core.empty());
    const bool comma = token.lead.empty() && i > 0 && (*tokens)[i - 1].trail == ",";
    std::string_view rest = token.key;
    const bool compound = rest.find('-') != std::string_view::npos &&
                          rest.size() == token.core.size() &&
                          FindNumberWord(rest.substr(0, rest.find('-'))) != nullptr;
    while (true) {
      const std::size_t end = rest.find('-');
      const std::string_view part = compound ? rest.substr(0, end) : rest;
      const bool more = compound && end != std::string_view::npos && CanBelongToNumber(part);
      const std::string_view key = more ? part : rest;
      const std::size_t offset = token.key.size() - rest.size();
      atoms.push_back({.token = i,
                       .key = std::string(key),
                       .text = compound ? token.core.substr(offset, key.size()) : "",
                       .number = FindNumberWord(key),
                       .breaks_before = breaks,
                       .comma_before = breaks && comma,
                       .written = IsWrittenNumber(key)});
      if (!more) break;
      rest.remove_prefix(end + 1);
      breaks = false;
    }
  }
  return atoms;
}

namespace {

/// Atoms [begin, end) with their text; whole tokens unless it shares one with its neighbour.
struct Piece {
  std::size_t first_token;
  std::size_t last_token;  // of its last atom
  std::string text;
};

void Append(const Piece& piece, std::vector<Token>& tokens, std::vector<Token>* out,
            std::size_t* written_up_to) {
  const bool joined = piece.first_token < *written_up_to;  // the rest of a hyphenated word
  if (joined) {
    out->back().core += "-" + piece.text;
  } else {
    Token token = std::move(tokens[piece.first_token]);
    token.core = piece.text;
    out->push_back(std::move(token));
  }
  Token& back = out->back();
  if (piece.last_token >= *written_up_to && piece.last_token > piece.first_token) {
    back.trail = std::move(tokens[piece.last_token].trail);
    back.last = tokens[piece.last_token].last;
    back.mark = tokens[piece.last_token].mark;
  }
  back.key = LookupKey(back.core);
  *written_up_to = piece.last_token + 1;
}

}  // namespace

std::vector<Token> ApplyRewrites(std::vector<Token> tokens, std::span<const Atom> atoms,
                                 std::span<const Rewrite> rewrites) {
  if (rewrites.empty()) return tokens;
  std::vector<Token> out;
  out.reserve(tokens.size());
  std::size_t written_up_to = 0;  // tokens
  std::size_t next = 0;
  for (std::size_t at = 0; at < atoms.size();) {
    const std::size_t token = atoms[at].token;
    if (next < rewrites.size() && rewrites[next].begin == at) {
      const Rewrite& rewrite = rewrites[next++];
      Append({token, atoms[rewrite.end - 1].token, rewrite.text}, tokens, &out, &written_up_to);
      at = rewrite.end;
      continue;
    }
    if (atoms[at].text.empty()) {
      out.push_back(std::move(tokens[token]));
      written_up_to = token + 1;
    } else {
      Append({token, token, atoms[at].text}, tokens, &out, &written_up_to);
    }
    ++at;
  }
  return out;
}

}  // namespace lethe::internal
