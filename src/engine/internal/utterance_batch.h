#pragma once

// Utterances on their way through a model together: what one shard of the engine decodes.

#include <functional>
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

/// Decodes up to kMaxUtterances together. The batch is chosen anew for every pass of the decoder: a
/// finished utterance leaves and a waiting one enters without anybody draining. The weights are
/// read once a pass, whatever the number of utterances, and reading them is most of a pass' time.
///
/// An utterance the model is unsure of is heard a second time (HearingOptions). What both hearings
/// together find most probable is searched for with a beam, and then written once more into the
/// second, as a draft: for times, hot words and probabilities.
///
/// Where alternatives are wanted, that search gives them too. An answer that was sure has none, so
/// one is made for it, over its only hearing. It takes no joint search from anybody, and of a
/// pass' rows what the answers of others leave.
///
/// Thread: one
/// Source: iteration-level scheduling, Yu et al., "Orca", OSDI 2022
class UtteranceBatch {
 public:
  static constexpr int kMaxUtterances = 10;

  UtteranceBatch(const SpeechModel& model, const HearingOptions& hearing);
  ~UtteranceBatch();

  bool empty() const { return live_ == 0; }

  /// Whether somebody waits for one of them: all but what live streams pour.
  bool HoldsAwaited() const;

  /// Whether a request of this priority may be added. The less urgent leave some places free for
  /// the more urgent, and nobody comes long before they can be encoded: a shard takes what it can
  /// do, the rest is there for others, and a partial is taken with the newest audio.
  bool HasRoom(Priority priority) const;

  /// Whether one more may be added, were it out of its turn: for who has been waiting too long.
  bool HasPlace() const { return live_ < kMaxUtterances; }

  /// Adds a request; the batch must have a place for it.
  void Add(Request request);

  /// Encodes an utterance, the most urgent first, then takes all that are encoded through one pass
  /// of the decoder, and answers those that are complete. While something more urgent is being
  /// decoded, the less urgent are encoded, and recordings decoded, only now and then.
  ///
  /// `interrupt` is asked after every layer of the encoder. When it says true, Step() returns and
  /// goes on the next time: so that who owns the batch can add something more urgent.
  void Step(const std::function<bool()>& interrupt);

 private:
  enum class State { kFree, kEncoding, kDecoding };
  // An utterance's place in the batch.
  struct Slot {
    State state = State::kFree;
    std::uint64_t order = 0;  // of arrival
    Request request;
    std::unique_ptr<SpeechSequence> sequence, first_hearing;
    GreedySearch search;
    // With hot words: the greedy answer is complete, and corrections are tried in passes of these
    // tokens; or the corrected answer goes through the decoder once more, to see where it looks.
    HotWordSearch hot_words;
    // Between the hearings there is a joint search, or a wait for one; behind a sure answer, a
    // search of its own for alternatives.
    enum class Phase { kGreedy, kTrials, kReview, kJoint } phase = Phase::kGreedy;
    JointSearch* joint = nullptr;
    std::unique_ptr<JointSearch> own_search;
    std::vector<BeamSearch::Hypothesis> alternatives;  // found by either
    int passed_over = 0;                               // joint searches that went to who came later
    std::vector<int> trial;
    std::size_t reviewed = 0;  // tokens, the begin token included
    Hypothesis now;
    std::vector<int> found;  // what the second hearing has to write
    bool second_hearing = false;
    // The last token is known to be right, the draft behind it is to be verified from `draft_at`
    // on.
    int last_token = 0;
    std::vector<int> draft;
    std::size_t draft_at = 0;
    int first_row = 0, num_rows = 0;  // in this pass
  };

  // True when it was interrupted.
  bool Encode(const std::function<bool()>& interrupt);
  Slot* NextToEncode(bool by_urgency);
  int CountSlots(State state) const;
  Priority MostUrgentDecoding() const;
  bool TakesPart(const Slot& slot) const;
  // Begins to decode samples that start with `lead` samples of silence.
  void Hear(Slot* slot, std::span<const float> samples, SampleIndex lead);
  void BeginSearch(Slot* slot);
  void TakeWishes();
  void Pass();
  // Chooses who takes part in a pass; returns the rows that are left.
  int ChooseParts();
  static int LeastRows(const Slot& slot);
  void AddRows(Slot* slot, int spare);
  // Takes what the pass gave for a slot; true when its hypothesis is complete.
  bool TakeRows(Slot* slot);
  bool TakeTrialRows(Slot* slot);
  // Plans the next pass of trials or of the review; true when there is none.
  bool PlanTrial(Slot* slot);
  void HearAgain(Slot* slot);
  GreedyOptions SearchOptions(const Slot& slot) const;
  // Gives joint searches to those that came first.
  void AssignJointSearches();
  Slot* NextForJointSearch();
  static bool WaitsForJointSearch(const Slot& slot);
  // Looks for what else a complete answer may have been.
  void SearchAlternatives(Slot* slot);
  // Takes what a search found, and goes on with it.
  void EndSearch(Slot* slot);
  // Lets the second hearing write what was found.
  void WriteFound(Slot* slot);
  bool WantsSecondHearing(const Slot& slot) const;
  void Finish(Slot* slot);
  void Free(Slot* slot);
  std::vector<Alternative> Alternatives(const Slot& slot, const Segment& answer) const;

  const SpeechModel& model_;
  const HearingOptions hearing_;
  const std::unique_ptr<SpeechModelWorker> worker_;
  std::vector<Slot> slots_;
  std::vector<JointSearch> joint_;
  int live_ = 0;
  std::uint64_t next_order_ = 0;
  std::int64_t passes_ = 0;
  std::vector<Slot*> taking_part_;  // in this pass
  std::vector<DecoderRow> rows_;
  std::vector<float> surrounded_;  // an utterance with silence around it
};

}  // namespace lethe
