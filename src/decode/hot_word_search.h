#pragma once

// Where greedy search took something else for a hot word.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "decode/greedy_search.h"
#include "decode/hot_words.h"
#include "kernels/kernels.h"

namespace lethe {

struct HotWordChange;

/// Corrects one utterance's greedy hypothesis by hot words.
///
/// A bonus paid token by token cannot be taken back by a greedy search, and one half of a name is
/// enough to lead it astray. So nothing is added while it runs. This class listens, and when the
/// hypothesis is complete it tries the words whose first token was not too improbable at a place
/// that sounds like the word: the decoder is made to write the word there and goes on by itself,
/// until it is back on the hypothesis, which then stays as it was, or at the end. The word stays if
/// the model finds the whole less probable than before by no more than the word's bonus: shallow
/// fusion, with the bonus paid for complete words only.
///
///   search.Begin(words, options);
///   ... after each GreedySearch::Choose(): search.Listen(logits, greedy.log_sum(), token)
///   search.BeginTrials(greedy);
///   for (int keep; search.Next(4, &keep, &rows);) {
///     ... truncate the sequence to `keep` tokens, step through `rows`, and for the rows in order:
///     if (!search.Take(kernels, logits of the row)) break;
///   }
///   search.tokens() is the hypothesis
///
/// Thread:  one; reusable, and without allocations once its buffers have grown, but for the text of
///          a hypothesis, once for each
/// Source:  shallow fusion and contextual biasing as in Williams et al. 2018, "Contextual speech
///          recognition in end-to-end neural network systems using beam search"
/// Differs: no beam; alternatives come from sound and first tokens, and are scored whole
class HotWordSearch {
 public:
  using DecodeTokens = std::function<std::string(std::span<const int>)>;

  HotWordSearch() = default;
  explicit HotWordSearch(DecodeTokens decode) : decode_(std::move(decode)) {}

  /// Begins an utterance. `words` has to stay until the next Begin().
  void Begin(const HotWords& words, const GreedyOptions& options);

  /// Forgets the utterance.
  void Forget() { *this = HotWordSearch(std::move(decode_)); }

  /// Sees what greedy search chose, and out of what.
  void Listen(std::span<const float> logits, float log_sum, int token);

  /// Takes the complete greedy hypothesis.
  void BeginTrials(const GreedySearch& greedy);

  /// Plans a pass of the decoder: of its sequence's tokens, the begin token included, `keep` stay,
  /// and `rows` follow, at most `max_rows`. False when there is nothing more to try.
  bool Next(int max_rows, int* keep, std::vector<int>* rows);

  /// Takes the logits after the next row (and may change them). False when the rows behind it are
  /// of no use.
  bool Take(const KernelTable& kernels, std::span<float> logits);

  /// The hypothesis with the model's own log-probabilities; complete when Next() was false.
  std::span<const int> tokens() const { return base_.tokens; }
  std::span<const float> log_probabilities() const { return base_.log_probabilities; }
  /// Of the end behind it; 0 where a guard ended it.
  float end_log_probability() const { return base_.end; }
  /// What the hot words in it are worth, in natural logarithms of probability.
  float bonus() const;
  /// Whether it is another than the greedy one.
  bool changed() const { return changed_; }

 private:
  struct Hypothesis {
    std::vector<int> tokens;
    std::vector<float> log_probabilities;
    float end = 0;  // of the end token; 0 when a guard ended it
  };
  // A spelling may begin here.
  struct Heard {
    int position = 0;
    int start = 0;  // of HotWords::starts()
    float log_probability = 0;
  };
  // A word of the hypothesis.
  struct TextWord {
    int begin = 0, end = 0;  // tokens
    std::string sound;
    int hot_word = -1;  // the longest that begins here
    int hot_end = 0;    // the token behind it
  };
  struct Candidate {
    int spelling = 0;
    int begin = 0, replaced_end = 0;  // tokens of the hypothesis that sound like it
    float first = 0;                  // log-probability of the spelling's first token
    float bonus = 0;
    float gain = 0;
  };

  const HotWords::Spelling& spelling() const;
  const HotWords::Word& word() const;
  void Hear(int position, std::span<const float> logits, float log_sum);
  void ReadText();
  void ListCandidates();
  void ListAt(std::size_t text_word);
  bool Writes(const Candidate& candidate) const;
  bool Hopeless(const Candidate& candidate, int tokens, double sum) const;
  void BeginTrial(const Candidate& candidate, bool adopt);
  void GiveUp();
  int ChooseNext(const KernelTable& kernels, std::span<float> logits, float* log_probability);
  void FollowDraft(int token);
  // Where the hypothesis goes on as the trial ended last, or -1.
  int FindReturn() const;
  HotWordChange ChangeOfTrial(int base_end, int shared) const;
  void Judge(int base_end, int shared);
  void Adopt();

  DecodeTokens decode_;
  const HotWords* words_ = nullptr;
  GreedyOptions options_;
  int position_ = 0;
  std::vector<Heard> heard_;
  Hypothesis base_;
  float end_ = 0;
  bool changed_ = false;

  std::vector<double> base_sum_;  // [n + 2]: of the log-probabilities before a position
  std::vector<TextWord> text_;
  int cursor_ = 0;  // what is before was decided
  std::vector<Candidate> candidates_;
  std::size_t next_candidate_ = 0;
  std::vector<Candidate> gains_;

  // The trial under way.
  bool trying_ = false, adopting_ = false;
  Candidate now_;
  GreedySearch trial_;
  int fed_ = 0;       // tokens of the trial that the sequence has taken
  int shared_ = 0;    // tokens of the hypothesis that the sequence holds
  int rest_at_ = -1;  // what follows is the hypothesis from here on; -1: not back on it yet
  double sum_ = 0;
  std::vector<int> draft_;
  std::size_t draft_at_ = 0;
  std::vector<int> planned_;
  std::size_t planned_at_ = 0;
};

}  // namespace lethe
