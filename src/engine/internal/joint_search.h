#pragma once

// A beam search over one or two hearings of an utterance, and the decoder's sequences it takes.

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "decode/beam_search.h"
#include "model/speech_model.h"

namespace lethe {

/// One search at a time; what it needs is kept for the next.
///
/// Thread: one
class JointSearch {
 public:
  static constexpr int kMaxHearings = 2;
  /// Rows in a pass of the decoder, at most.
  static constexpr int MaxRows(int hearings, int width) { return hearings * width; }

  explicit JointSearch(const SpeechModel& model) : model_(model) {}

  bool busy() const { return busy_; }

  /// Begins over one or two encodings of the same utterance, which forget their tokens. They have
  /// to stay until End(). With a margin, the decoder makes the mean of two itself and only what may
  /// be the most probable is exact; otherwise every logit of both is.
  void Begin(const GreedyOptions& options, std::span<SpeechSequence* const> hearings,
             const BeamSearch::Options& beam);

  int num_rows() const { return num_hearings_ * search_.num_live(); }
  void AddRows(std::vector<DecoderRow>* rows) const;

  /// Takes what a pass gave for its rows, `first_row` and on. True when it is complete.
  bool Take(SpeechModelWorker* worker, int first_row);

  /// The most probable texts, the best first; none where every beginning led nowhere.
  std::span<const BeamSearch::Hypothesis> found() const { return search_.found(); }

  /// Whether it was with a margin, over two.
  bool joined() const { return joined_; }

  /// What was heard is forgotten.
  void End();

 private:
  using Hearings = std::array<SpeechSequence*, kMaxHearings>;  // the second may be null

  void Follow();

  const SpeechModel& model_;
  bool busy_ = false;
  int num_hearings_ = 0;
  bool joined_ = false;  // a pass gives the mean of two hearings
  BeamSearch search_;
  std::vector<std::unique_ptr<SpeechSequence>> copies_;
  // What each live hypothesis has been written to, and what is free.
  std::vector<Hearings> held_, next_, free_;
};

}  // namespace lethe
