#pragma once

// The most probable token, again and again, with the guards this needs.

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/kernels.h"

namespace lethe {

struct GreedyOptions {
  int end_token = 0;
  int max_tokens = 0;
  // Somebody spoke, so the first token may not be the end. Moonshine sometimes ends at once on
  // audible speech; forbidding that takes its word error rate from 12.3 % to 8.7 % on the test
  // recordings.
  bool forbid_empty = true;
  // The hypothesis begins with these, whatever the model says: somebody was told that they will not
  // change. Held until the last Choose().
  std::span<const int> promised = {};
  // Behind what was promised comes the end: the hypothesis is known.
  bool promised_whole = false;
};

/// How many tokens are left when copies at the end are dropped, of a hypothesis that runs in
/// circles; all of them mostly. One that is `at_limit`, stopped by max_tokens, is taken to do so
/// sooner.
std::size_t UnrepeatedTokens(std::span<const int> tokens, bool at_limit);

/// One utterance's hypothesis. Reusable; allocates only in Begin().
class GreedySearch {
 public:
  void Begin(const GreedyOptions& options);

  /// The token that may not come next, or -1; for DecoderRow.
  int Forbidden() const;

  /// Takes the logits of the next token (and may change them). Returns the token, or end_token when
  /// the hypothesis is complete: the model said so, it has max_tokens, or it began to repeat
  /// itself. While there are promised tokens, it returns these.
  ///
  /// Shapes: logits [vocabulary]
  int Choose(const KernelTable& kernels, std::span<float> logits);

  /// Takes a token that somebody else chose, with the guards of Choose(). Returns the token, or
  /// end_token when the hypothesis is complete.
  int Take(int token, float log_probability);

  /// Of the last Choose(): the logarithm of the sum of all exp(logit), the end's included only
  /// where it was allowed.
  float log_sum() const { return log_sum_; }

  /// Of the end behind them; 0 where a guard ended them.
  float end_log_probability() const { return end_log_probability_; }

  /// The tokens without the end token, and the natural logarithm of each one's probability.
  std::span<const int> tokens() const { return tokens_; }
  std::span<const float> log_probabilities() const { return log_probabilities_; }
  /// True when the hypothesis was stopped because it repeated itself; the copies are gone.
  bool repeated() const { return repeated_; }
  /// True when the model said that it is complete, and no guard had to.
  bool ended() const { return ended_; }

 private:
  bool DropRepetition(bool at_limit);

  GreedyOptions options_;
  std::vector<int> tokens_;
  std::vector<float> log_probabilities_;
  float log_sum_ = 0;
  float end_log_probability_ = 0;
  bool repeated_ = false, ended_ = false;
};

}  // namespace lethe
