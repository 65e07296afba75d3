#include "text/internal/dropping.h"

#include <utility>

namespace lethe::internal {

void Dropping::Keep(Token token) {
  if (!opened_.empty()) {
    token.lead.insert(0, opened_);
    opened_.clear();
  }
  if (capital_ && AtSentenceStart() && !token.core.empty() && IsLower(token.core[0])) {
    token.core[0] = static_cast<char>(token.core[0] - 'a' + 'A');
  }
  capital_ = false;
  const bool ends = token.mark == Mark::kSentence;
  kept_.push_back(std::move(token));
  if (ends) sentence_begin_ = kept_.size();
}

void Dropping::Drop(const Token& token) {
  if (AtSentenceStart() && !token.core.empty() && IsUpper(token.core[0])) capital_ = true;
  MoveMarks(token);
  MoveQuotes(token);
  if (token.mark == Mark::kSentence) {
    sentence_begin_ = kept_.size();
    capital_ = false;
  }
}

// The stronger mark stays; a comma on either side is there for the dropped word only when both are.
void Dropping::MoveMarks(const Token& token) {
  if (token.mark == Mark::kNone || AtSentenceStart()) return;
  Token& previous = kept_.back();
  if (token.mark == Mark::kComma) {
    if (previous.mark != Mark::kComma) return;
    previous.trail = ClosersIn(previous.trail);
    previous.mark = Mark::kNone;
    previous.paused = true;
  } else {
    if (previous.mark == Mark::kColon && token.mark == Mark::kColon) return;
    previous.trail = MarksIn(token.trail) + ClosersIn(previous.trail);
    previous.mark = token.mark;
  }
}

void Dropping::MoveQuotes(const Token& token) {
  opened_ += token.lead.empty() ? "" : ClosersIn(token.lead);
  const std::string closed = ClosersIn(token.trail);
  if (closed.empty()) return;
  if (!opened_.empty()) {
    opened_.clear();  // the pair held dropped words only
  } else if (!kept_.empty()) {
    kept_.back().trail += closed;
  }
}

}  // namespace lethe::internal
