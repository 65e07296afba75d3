#pragma once

// Where a reader pauses.

#include <string_view>

namespace lethe::internal {

enum class PhraseEnd {
  kNone,
  kPhrase,    // a comma, a colon, a semicolon
  kSentence,  // a full stop, a question, an exclamation
};

/// What ends behind a word, quotes and brackets after it aside. `next` is the word that follows,
/// empty if there is none: what goes on in lower case was no end ("5 p.m. we left"), nor is the
/// full stop of a title or an initial before a name ("Mr. Dashwood", "J. Austen").
PhraseEnd EndBehind(std::string_view word, std::string_view next);

}  // namespace lethe::internal
