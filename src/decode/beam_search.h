#pragma once

// The few most probable beginnings, side by side: where greedy search is unsure.

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "decode/greedy_search.h"
#include "kernels/kernels.h"

namespace lethe {

/// One utterance, heard once or in two ways; a token's logarithm of probability is the mean of
/// both. What is wanted is the most probable text, the end included, or several; nothing makes up
/// for length.
///
///   search.Begin(options, {.width = 4});
///   do {
///     ... for each live hypothesis i, whose last token is token(i):
///     search.Take(kernels, i, logits, other logits);
///   } while (search.Advance());   // then hypothesis j goes on from what was parents()[j]
///   search.found()
///
/// How many texts are wanted changes neither the most probable one nor what is kept alive: a search
/// for more of them only goes on for longer.
///
/// Thread: one; reusable
/// Source: Graves 2012, "Sequence transduction with recurrent neural networks", arXiv:1211.3711,
///         sec. 2.4, without its prefixes
class BeamSearch {
 public:
  struct Options {
    int width = 0;   // hypotheses that go on
    int wanted = 1;  // texts, at most 2 * width
    // What is less probable than the best by more than this logarithm neither goes on nor ends.
    double margin = std::numeric_limits<double>::infinity();
  };
  struct Hypothesis {
    std::vector<int> tokens;  // without the end
    double sum = 0;  // of logarithms of probability, the end's included when it is complete
    // The same, of its tokens alone and in one hearing: the other one where there are two.
    double written = 0;
  };

  /// Guards and promises are those of greedy search; a hypothesis that repeats itself is dropped.
  void Begin(const GreedyOptions& options, const Options& beam);

  /// Hypotheses that go on, the most probable first; at the beginning an empty one.
  int num_live() const { return static_cast<int>(live_.size()); }
  /// The token that may not come next, and the promised one that must, or -1; for DecoderRow.
  int Forbidden() const;
  int Promised() const;
  /// The last token of one of them, which has one.
  int token(int hypothesis) const {
    return live_[static_cast<std::size_t>(hypothesis)].tokens.back();
  }

  /// Takes the logits behind a hypothesis, and those of the other hearing or none. Changes them.
  /// Of those further below the largest than `margin` nothing has to be right but that they are.
  /// Shapes: logits [vocabulary], other [vocabulary] or [0]
  void Take(const KernelTable& kernels, int hypothesis, std::span<float> logits,
            std::span<float> other);

  /// When all were taken: goes on to the next token. False when the search is complete.
  bool Advance();
  std::span<const int> parents() const { return parents_; }

  /// The hypotheses that were completed, the most probable first: those that were wanted, and what
  /// was found on the way, at most 2 * width; fewer where every beginning led nowhere, or far from
  /// the most probable one.
  std::span<const Hypothesis> found() const { return found_; }

 private:
  // A hypothesis and one token more.
  struct Candidate {
    double sum = 0;
    int parent = 0;
    int token = 0;
    float written = 0;  // of the token
  };

  void Complete(Hypothesis hypothesis);
  bool FoundAllWanted() const;

  GreedyOptions options_;
  std::size_t width_ = 0;
  std::size_t wanted_ = 1;
  double margin_ = 0;
  std::vector<Hypothesis> live_, next_;
  std::vector<Candidate> candidates_;  // the best so far, best first
  std::vector<int> parents_;
  std::vector<Hypothesis> found_;
  bool settled_ = false;  // nothing can become more probable than the first found
};

}  // namespace lethe
