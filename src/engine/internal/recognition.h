#pragma once

// One utterance on its way through a model, from its samples to its answer.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "decode/greedy_search.h"
#include "decode/hot_word_search.h"
#include "engine/engine.h"
#include "engine/internal/hypothesis.h"
#include "engine/internal/joint_search.h"
#include "engine/internal/request.h"
#include "model/speech_model.h"

namespace lethe {

/// Encodes an utterance and writes it with greedy search, which verifies a draft where there is
/// one; then tries hot words.
///
/// One the model is unsure of is heard a second time (HearingOptions), and the first answer is the
/// draft of that hearing. Where it says the same and is sure, that is the answer. Otherwise what
/// both hearings together find most probable is searched for with a beam, and then written once
/// more into the second, as a draft: for times, hot words and probabilities.
///
/// Where alternatives are wanted, they are searched for when the answer is known, over its one
/// hearing or both.
///
/// Its owner, who holds many of them, decides whose turn it is; state() says what the next step is:
///
///   kEncoding  EncodeMore()
///   kDecoding  AddRows(), a pass of the decoder, TakeRows(), and Finish() when that was true;
///              but BeginJointSearch() while WaitsForJointSearch()
///
/// Reusable; what it needs is kept for the next.
///
/// Thread: one
class Recognition {
 public:
  enum class State { kFree, kEncoding, kDecoding };

  /// Rows in a pass, at most, of a complete hypothesis that is searched for hot words, and of a
  /// joint search. Drafts and searches for alternatives take more, where rows are left.
  static constexpr int kMaxTrialRows = 3;
  static constexpr int kJointWidth = 4;
  static constexpr int kMaxJointRows = JointSearch::MaxRows(2, kJointWidth);

  /// With others of its thread it shares `worker`, which encodes it and takes its rows through the
  /// decoder, and `surrounded`, room for the samples with which a second hearing begins. Both and
  /// the model have to outlive it.
  Recognition(const SpeechModel& model, const HearingOptions& hearing, SpeechModelWorker* worker,
              std::vector<float>* surrounded);

  State state() const { return state_; }
  Priority priority() const { return request_.priority; }
  bool poured() const { return request_.poured; }
  bool wants_attention() const { return request_.words; }

  /// Begins to encode what is asked for; the one before must be over.
  void Begin(Request request);

  /// Follows what its caller wishes by now, who may want a partial only. False when nothing is
  /// wanted any more: then Drop() it.
  bool FollowWish();

  /// Encodes one layer further; false when that was the last, and it is decoded from now on.
  bool EncodeMore();

  /// Whether it takes part in no pass until it has a joint search.
  bool WaitsForJointSearch() const;
  /// Begins one that is not busy, over both hearings, and holds it until it is complete or the
  /// utterance is over.
  void BeginJointSearch(JointSearch* joint);
  bool HoldsJointSearch() const { return joint_ != nullptr && !own_search_; }
  /// Whether its answer is complete, and only alternatives are looked for.
  bool SearchesAlternatives() const { return own_search_ != nullptr; }

  /// Rows it cannot do without in the next pass.
  int LeastRows() const;
  /// Adds its rows for a pass: LeastRows(), and up to `spare` more to verify a draft. Returns how
  /// many more.
  int AddRows(int spare, std::vector<DecoderRow>* rows);
  /// Takes what the pass gave for its rows. True when the answer is complete, and nothing is left
  /// to look for. Otherwise the next is a pass, a joint search or, in a second hearing, encoding.
  bool TakeRows();

  /// Answers. It is free before the caller hears of it.
  void Finish();
  /// Becomes free, and answers nobody.
  void Drop();

 private:
  // With hot words: the greedy answer is complete, and corrections are tried in passes of `trial_`;
  // or the corrected answer goes through the decoder once more, to see where it looks.
  //
  // Between the hearings there may be a joint search, or a wait for one; behind an answer, a search
  // of its own for alternatives.
  enum class Phase { kGreedy, kTrials, kReview, kJoint };

  // Begins to encode samples that start with `lead` samples of silence.
  void Hear(std::span<const float> samples, SampleIndex lead);
  void HearAgain();
  bool WantsSecondHearing() const;
  bool IsSure() const;
  GreedyOptions SearchOptions() const;
  void BeginSearch();
  // Take what a pass gave for greedy search, or for trials and review; true when the hypothesis is
  // complete.
  bool TakeGreedyRows();
  bool TakeTrialRows();
  // Plans the next pass of trials or of the review; true when there is none.
  bool PlanTrial();
  void TakeAttention(int row);
  // Whether the second hearing comes to the first one's next token; and to its end, if it is sure.
  bool Agrees(int token) const;
  void Disagree();
  void SearchBoth(const BeamSearch::Options& beam);
  // Looks for what else a complete answer may have been.
  void SearchAlternatives();
  // Takes what a search found; true when it was for alternatives.
  bool EndSearch();
  void WeighBySecondHearing();
  // Lets the second hearing write what was found.
  void WriteFound();
  std::vector<Alternative> Alternatives(const Segment& answer) const;

  const SpeechModel& model_;
  const HearingOptions hearing_;
  SpeechModelWorker* const worker_;
  std::vector<float>* const surrounded_;

  State state_ = State::kFree;
  Request request_;
  std::unique_ptr<SpeechSequence> sequence_, first_hearing_;
  bool second_hearing_ = false;
  bool agreeing_ = false;  // the second hearing, with the first so far
  Hypothesis now_;

  Phase phase_ = Phase::kGreedy;
  GreedySearch search_;
  // The last token is known to be right, the draft behind it is to be verified from `draft_at_` on.
  int last_token_ = 0;
  std::vector<int> draft_;
  std::size_t draft_at_ = 0;

  HotWordSearch hot_words_;
  std::vector<int> trial_;
  std::size_t reviewed_ = 0;  // tokens, the begin token included

  JointSearch* joint_ = nullptr;
  std::unique_ptr<JointSearch> own_search_;
  std::vector<int> found_;  // what the second hearing has to write
  std::vector<BeamSearch::Hypothesis> alternatives_;

  int first_row_ = 0, num_rows_ = 0;  // in this pass
};

}  // namespace lethe
