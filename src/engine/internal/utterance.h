#pragma once

// One segment's samples to its text: what a worker does.

#include <memory>
#include <span>

#include "decode/greedy_search.h"
#include "engine/engine.h"
#include "model/speech_model.h"

namespace lethe {

/// A stretch of a stream, waiting to be transcribed.
struct Utterance {
  SampleIndex start = 0;
  std::vector<float> samples;
  bool certain = true;  // voice activity is sure that somebody speaks
};

/// Owns the working memory of one worker.
class UtteranceTranscriber {
 public:
  explicit UtteranceTranscriber(const SpeechModel& model);

  /// The segment of an utterance; its text is empty when nothing was said.
  Segment Transcribe(const Utterance& utterance, const StreamOptions& options);

 private:
  std::vector<Word> TimeWords(const Utterance& utterance);

  const SpeechModel& model_;
  std::unique_ptr<SpeechModelState> state_;
  GreedySearch search_;
  std::vector<float> attention_;  // [tokens, frames] of the hypothesis
};

}  // namespace lethe
