#pragma once

// Leaving words out of sentences.

#include <cstddef>
#include <string>
#include <vector>

#include "text/internal/token.h"

namespace lethe::internal {

/// Builds a list of words out of another, word by word, while some are left out, and passes on what
/// a dropped word carried for its sentence: the end, the capital, half a pair of quotes.
class Dropping {
 public:
  explicit Dropping(std::size_t num_tokens) { kept_.reserve(num_tokens); }

  void Keep(Token token);
  void Drop(const Token& token);

  /// Whether nothing of the current sentence was kept so far.
  bool AtSentenceStart() const { return sentence_begin_ == kept_.size(); }
  /// The last word kept of the current sentence; null at its start.
  const Token* Previous() const { return AtSentenceStart() ? nullptr : &kept_.back(); }

  std::vector<Token> Take() { return std::move(kept_); }

 private:
  void MoveMarks(const Token& token);
  void MoveQuotes(const Token& token);

  std::vector<Token> kept_;
  std::size_t sentence_begin_ = 0;  // of kept_
  bool capital_ = false;            // the sentence's next word is its first
  std::string opened_;              // quotes and brackets whose first word was dropped
};

}  // namespace lethe::internal
