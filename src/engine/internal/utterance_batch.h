#pragma once

// Utterances on their way through a model together: what one shard of the engine decodes.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/internal/joint_search.h"
#include "engine/internal/recognition.h"
#include "engine/internal/request.h"
#include "model/speech_model.h"

namespace lethe {

/// Decodes up to kMaxUtterances together. The batch is chosen anew for every pass of the decoder: a
/// finished utterance leaves at once, and a live one enters. Recordings enter by turns: when few of
/// them are left, all that wait and have room are encoded. The weights are read once a pass,
/// whatever the number of utterances, and reading them is most of a pass' time.
///
/// What an utterance goes through is its Recognition's. The batch decides whose turn it is: who is
/// encoded, who takes part in a pass, and who gets one of the few joint searches between hearings.
/// A search for alternatives takes no joint search from anybody, and of a pass' rows what the
/// answers of others leave.
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
  /// of the decoder, and answers those that are complete; when it was a recording's and another
  /// may follow, the pass is left to a later step. While something more urgent is being decoded,
  /// the less urgent are encoded, and recordings decoded, only now and then.
  ///
  /// `interrupt` is asked after every layer of the encoder. When it says true, Step() returns and
  /// goes on the next time: so that who owns the batch can add something more urgent.
  void Step(const std::function<bool()>& interrupt);

 private:
  using State = Recognition::State;
  // An utterance's place in the batch.
  struct Slot {
    Recognition recognition;
    std::uint64_t order = 0;  // of arrival
    int passed_over = 0;      // joint searches that went to who came later
  };

  // True when it was interrupted.
  bool Encode(const std::function<bool()>& interrupt);
  Slot* NextToEncode(bool by_urgency);
  int CountSlots(State state) const;
  bool MayBegin(Priority priority) const;
  Priority MostUrgentDecoding() const;
  bool TakesPart(const Slot& slot) const;
  void TakeWishes();
  void Pass();
  // Chooses who takes part in a pass; returns the rows that are left.
  int ChooseParts();
  // Gives joint searches to those that came first.
  void AssignJointSearches();
  Slot* NextForJointSearch();

  const std::unique_ptr<SpeechModelWorker> worker_;
  std::vector<float> surrounded_;  // an utterance with silence around it
  std::vector<Slot> slots_;
  std::vector<JointSearch> joint_;
  int live_ = 0;
  std::array<bool, kPriorities> filling_ = {};  // until nobody of this priority waits
  std::uint64_t next_order_ = 0;
  std::int64_t passes_ = 0;
  std::vector<Slot*> taking_part_;  // in this pass
  std::vector<DecoderRow> rows_;
};

}  // namespace lethe
