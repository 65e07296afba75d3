#pragma once

// One segment's samples to its text: what a worker does.

#include <memory>
#include <span>
#include <vector>

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
  UtteranceTranscriber(const SpeechModel& model, const HearingOptions& hearing);

  /// The segment of an utterance; its text is empty when nothing was said.
  Segment Transcribe(const Utterance& utterance, const StreamOptions& options);

 private:
  // What was understood, and where the decoder looked meanwhile.
  struct Hypothesis {
    std::vector<int> tokens;
    std::vector<float> log_probabilities;
    std::vector<float> attention;  // [tokens + 1, frames], only when words are wanted
    int frames = 0;
    SampleIndex lead = 0;  // samples of silence put before the utterance
  };

  // Decodes samples that begin with `lead` samples of silence.
  void Hear(std::span<const float> samples, SampleIndex lead, bool certain, bool words,
            Hypothesis* hypothesis);
  std::vector<Word> TimeWords(const Utterance& utterance) const;

  const SpeechModel& model_;
  const HearingOptions hearing_;
  const std::unique_ptr<SpeechModelState> state_;
  GreedySearch search_;
  Hypothesis best_, other_;
  std::vector<float> surrounded_;  // the utterance with silence around it
};

}  // namespace lethe
