#pragma once

// Between words and numbers: hyphens are taken apart ("twenty-five" is two atoms), and what was
// read is put back into words.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/internal/number_words.h"
#include "text/internal/token.h"

namespace lethe::internal {

/// A piece of a word that may be part of a number.
struct Atom {
  std::size_t token = 0;
  std::string key;                     // in lower case
  std::string text;                    // as it was written; empty if the atom is a whole word
  const NumberWord* number = nullptr;  // if it is one
  bool breaks_before = false;          // punctuation: nothing in front belongs to it
  bool comma_before = false;           // and that punctuation is a comma alone
  bool written = false;                // a number in digits already: 5, 1,000, 2.5
};

/// Atoms of all words, in order; each word has at least one. The first part of a hyphenated word
/// that cannot belong to a number ends its list and holds the rest of it: "25-year-old" is "25" and
/// "year-old". A number's possessive ('s) goes to the token's trail.
std::vector<Atom> MakeAtoms(std::vector<Token>* tokens);

/// Atoms [begin, end) are written as `text`.
struct Rewrite {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

/// Puts rewrites, in order and not overlapping, in place of their atoms. A token's parts keep their
/// hyphens; a rewrite over several tokens makes them one.
std::vector<Token> ApplyRewrites(std::vector<Token> tokens, std::span<const Atom> atoms,
                                 std::span<const Rewrite> rewrites);

}  // namespace lethe::internal
