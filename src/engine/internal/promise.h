#pragma once

// What of a partial will not change any more.

#include <span>
#include <vector>

#include "model/tokenizer.h"

namespace lethe {

/// Follows the guesses at one part of an utterance, and promises the beginning of it once it has
/// been the same for some guesses, the model is sure of it, and it is some way behind the newest
/// token: there the model still changes its mind. What is promised holds: later answers are made to
/// begin with it.
///
/// Source: local agreement, Liu, Spanakis and Niehues 2020, arXiv:2005.11185, with four guesses and
///         a margin, since a promise here cannot be taken back
class Promise {
 public:
  /// Takes the next guess; false, and nothing is taken, if it does not begin with what is promised.
  /// More is promised only if it `may_promise`.
  bool Add(std::span<const int> tokens, std::span<const float> log_probabilities,
           const Tokenizer& tokenizer, bool may_promise = true);
  /// Takes a guess of which nothing is promised.
  void SetGuess(std::span<const int> tokens);
  void Clear();

  /// The last guess.
  std::span<const int> guess() const { return guess_; }
  /// Whole words.
  std::span<const int> promised() const { return std::span(guess_).first(promised_); }

 private:
  std::vector<int> guess_;
  std::vector<int> same_for_;  // guesses, for each token of the last
  std::size_t promised_ = 0;
};

}  // namespace lethe
