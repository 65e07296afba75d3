#include "text/internal/punctuation.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace lethe::internal {
namespace {

/// A trail without its full stops: points that stand alone at its end, but for quotes.
std::string WithoutFinalStop(std::string_view core, const std::string& trail) {
  if (MarkOf(core, ".") != Mark::kSentence) return trail;  // an abbreviation
  std::string end;                                         // what is kept, backwards in whole marks
  std::size_t at = trail.size();
  while (at > 0) {
    const std::string_view rest = std::string_view(trail).substr(0, at);
    const std::size_t length = std::max<std::size_t>(PunctuationAtEnd(rest), 1);
    const std::string_view mark = rest.substr(at - length);
    if (mark == "." && !rest.substr(0, at - 1).ends_with('.') && !end.starts_with('.')) {
      at -= length;
    } else if (!ClosersIn(mark).empty() || mark == "'" || mark == "\u2019") {
      end.append(mark.rbegin(), mark.rend());
      at -= length;
    } else {
      break;
    }
  }
  std::reverse(end.begin(), end.end());
  return trail.substr(0, at) + end;
}

bool IsSpelledAbbreviation(std::string_view core) {
  if (core.size() < 3 || core.find('.') == std::string_view::npos) return false;
  for (std::size_t i = 0; i < core.size(); ++i) {
    const bool letter = IsUpper(core[i]) || IsLower(core[i]);
    if (i % 2 == 0 ? !letter : core[i] != '.') return false;
  }
  return true;
}

bool StaysWithin(std::string_view mark) {
  return mark == "-" || mark == "'" || mark == "\u2019" || mark == "." || mark == "/";
}

/// A core without the punctuation inside it.
std::string Cleaned(const std::string& core) {
  std::string out;
  out.reserve(core.size());
  const bool spelled = IsSpelledAbbreviation(core);
  for (std::size_t at = 0; at < core.size();) {
    const std::size_t length = PunctuationAtStart(std::string_view(core).substr(at));
    if (length == 0) {
      out += core[at++];
      continue;
    }
    const std::string_view mark = std::string_view(core).substr(at, length);
    const std::size_t next = at + length;
    const bool in_number = at > 0 && IsDigit(core[at - 1]) && IsDigit(core[next]);
    const bool alone = at > 0 && PunctuationAtEnd(std::string_view(core).substr(0, at)) == 0 &&
                       PunctuationAtStart(std::string_view(core).substr(next)) == 0;
    if (spelled && mark == ".") {
      // Nothing: "pm".
    } else if (in_number || (alone && StaysWithin(mark)) || at == 0) {
      out += mark;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    at = next;
  }
  return out;
}

}  // namespace

void DropFinalStop(std::vector<Token>* tokens) {
  while (!tokens->empty()) {
    Token& last = tokens->back();
    std::string trail = WithoutFinalStop(last.core, last.trail);
    if (trail == last.trail) return;
    last.trail = std::move(trail);
    if (!last.Text().empty()) return;
    tokens->pop_back();  // a full stop by itself
  }
}

void DropAllPunctuation(std::vector<Token>* tokens) {
  std::size_t kept = 0;
  for (Token& token : *tokens) {
    if (token.core.empty()) continue;
    token.lead.clear();
    token.trail.clear();
    token.core = Cleaned(token.core);
    if (Token& place = (*tokens)[kept++]; &place != &token) place = std::move(token);
  }
  tokens->resize(kept);
}

}  // namespace lethe::internal
