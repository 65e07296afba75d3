#pragma once

// Utterances on their way through a model together: what one thread of the engine decodes.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "decode/greedy_search.h"
#include "decode/hot_word_search.h"
#include "engine/engine.h"
#include "model/speech_model.h"

namespace lethe {

/// A stretch of a stream, waiting to be transcribed.
struct Utterance {
  SampleIndex start = 0;
  std::vector<float> samples;
  bool certain = true;  // voice activity is sure that somebody speaks
};

/// Decodes up to kMaxUtterances together. The batch is chosen anew for every pass of the decoder: a
/// finished utterance leaves and a waiting one enters without anybody draining. The weights are
/// read once a pass, whatever the number of utterances, and reading them is most of a pass' time.
///
/// An utterance the model is unsure of is heard a second time (HearingOptions). Its first answer is
/// the draft of the second: the decoder verifies its tokens in one pass and goes on from the first
/// that changed.
///
/// Thread: one
/// Source: iteration-level scheduling, Yu et al., "Orca", OSDI 2022
class UtteranceBatch {
 public:
  static constexpr int kMaxUtterances = 8;

  /// Takes the finished segment of an utterance; its text is empty when nothing was said.
  using Done = std::function<void(Segment)>;

  UtteranceBatch(const SpeechModel& model, const HearingOptions& hearing);
  ~UtteranceBatch();

  bool empty() const { return live_ == 0; }
  bool full() const { return live_ == kMaxUtterances; }

  /// Encodes an utterance and adds it; the batch must not be full.
  void Add(Utterance utterance, const StreamOptions& options, Done done);

  /// One pass of the decoder over all utterances; calls Done for those that are complete by it.
  void Step();

 private:
  struct Hypothesis {
    std::vector<int> tokens;
    std::vector<float> log_probabilities;
    std::vector<float> attention;  // [tokens + 1, frames], only when words are wanted
    int frames = 0;
    SampleIndex lead = 0;  // samples of silence put before the utterance
    float confidence = 0;
    float score = 0;  // confidence, and what the hot words in it are worth
  };
  // An utterance's place in the batch.
  struct Slot {
    bool live = false;
    Utterance utterance;
    StreamOptions options;
    Done done;
    std::unique_ptr<SpeechSequence> sequence;
    GreedySearch search;
    // With hot words: the greedy answer is complete, and corrections are tried in passes of these
    // tokens; or the corrected answer goes through the decoder once more, to see where it looks.
    HotWordSearch hot_words;
    enum class Phase { kGreedy, kTrials, kReview } phase = Phase::kGreedy;
    std::vector<int> trial;
    std::size_t reviewed = 0;  // tokens, the begin token included
    Hypothesis now, first;
    bool second_hearing = false;
    // The last token is known to be right, the draft behind it is to be verified from `draft_at`
    // on.
    int last_token = 0;
    std::vector<int> draft;
    std::size_t draft_at = 0;
    int first_row = 0, num_rows = 0;  // in this pass
  };

  // Begins to decode samples that start with `lead` samples of silence.
  void Hear(Slot* slot, std::span<const float> samples, SampleIndex lead);
  void AddRows(Slot* slot);
  // Takes what the pass gave for a slot; true when its hypothesis is complete.
  bool TakeRows(Slot* slot);
  bool TakeTrialRows(Slot* slot);
  // Plans the next pass of trials or of the review; true when there is none.
  bool PlanTrial(Slot* slot);
  void HearAgain(Slot* slot);
  void Finish(Slot* slot);
  std::vector<Word> TimeWords(const Slot& slot, const Hypothesis& hypothesis) const;

  const SpeechModel& model_;
  const HearingOptions hearing_;
  const std::unique_ptr<SpeechModelWorker> worker_;
  std::vector<Slot> slots_;
  int live_ = 0;
  std::vector<DecoderRow> rows_;
  std::vector<float> surrounded_;  // an utterance with silence around it
};

}  // namespace lethe
