#pragma once

// The few most probable beginnings, side by side: where greedy search is unsure.

#include <cstddef>
#include <span>
#include <vector>

#include "decode/greedy_search.h"
#include "kernels/kernels.h"

namespace lethe {

/// One utterance, heard once or in two ways; a token's logarithm of probability is the mean of
/// both. What is wanted is the most probable text, the end included; nothing makes up for length.
///
///   search.Begin(options, 4);
///   do {
///     ... for each live hypothesis i, whose last token is token(i):
///     search.Take(kernels, i, logits, other logits);
///   } while (search.Advance());   // then hypothesis j goes on from what was parents()[j]
///   search.best()
///
/// Thread: one; reusable
/// Source: Graves 2012, "Sequence transduction with recurrent neural networks", arXiv:1211.3711,
///         sec. 2.4, without its prefixes
class BeamSearch {
 public:
  /// Guards and promises are those of greedy search; a hypothesis that repeats itself is dropped.
  void Begin(const GreedyOptions& options, int width);

  /// Hypotheses that go on, the most probable first; at the beginning an empty one.
  int num_live() const { return static_cast<int>(live_.size()); }
  /// The last token of one of them, which has one.
  int token(int hypothesis) const {
    return live_[static_cast<std::size_t>(hypothesis)].tokens.back();
  }

  /// Takes the logits behind a hypothesis, and those of the other hearing or none. Changes them.
  /// Shapes: logits [vocabulary], other [vocabulary] or [0]
  void Take(const KernelTable& kernels, int hypothesis, std::span<float> logits,
            std::span<float> other);

  /// When all were taken: goes on to the next token. False when the search is complete.
  bool Advance();
  std::span<const int> parents() const { return parents_; }

  /// Whether a hypothesis was completed, and the most probable of these, without its end.
  bool found() const { return complete_; }
  std::span<const int> best() const { return best_.tokens; }

 private:
  struct Hypothesis {
    std::vector<int> tokens;
    double sum = 0;
  };
  // A hypothesis and one token more.
  struct Candidate {
    double sum = 0;
    int parent = 0;
    int token = 0;
  };

  void Complete(Hypothesis hypothesis);

  GreedyOptions options_;
  std::size_t width_ = 0;
  std::vector<Hypothesis> live_, next_;
  std::vector<Candidate> candidates_;  // the best so far, best first
  std::vector<int> parents_;
  Hypothesis best_;
  bool complete_ = false;
};

}  // namespace lethe
