#pragma once

// A beam search over two hearings of an utterance, and the decoder's sequences it takes.

#include <array>
#include <memory>
#include <vector>

#include "decode/beam_search.h"
#include "model/speech_model.h"

namespace lethe {

/// One search at a time; what it needs is kept for the next.
///
/// Thread: one
class JointSearch {
 public:
  static constexpr int kWidth = 4;
  /// Rows in a pass of the decoder, at most.
  static constexpr int kMaxRows = 2 * kWidth;

  explicit JointSearch(const SpeechModel& model) : model_(model) {}

  bool busy() const { return busy_; }

  /// Begins over two encodings of the same utterance, which forget their tokens. They have to stay
  /// until End().
  void Begin(const GreedyOptions& options, SpeechSequence* first, SpeechSequence* second);

  int num_rows() const { return 2 * search_.num_live(); }
  void AddRows(std::vector<DecoderRow>* rows) const;

  /// Takes what a pass gave for its rows, `first_row` and on. True when it is complete.
  bool Take(SpeechModelWorker* worker, int first_row);

  /// The tokens of the most probable text, unless every beginning led nowhere.
  bool found() const { return search_.found(); }
  std::span<const int> best() const { return search_.best(); }

  void End() { busy_ = false; }

 private:
  using Hearings = std::array<SpeechSequence*, 2>;

  void Follow();

  const SpeechModel& model_;
  bool busy_ = false;
  BeamSearch search_;
  std::vector<std::unique_ptr<SpeechSequence>> copies_;
  // What each live hypothesis has been written to, and what is free.
  std::vector<Hearings> held_, next_, free_;
};

}  // namespace lethe
