#pragma once

// What the decoder wrote for an utterance, and the segment that becomes of it.

#include <span>
#include <string>
#include <vector>

#include "base/units.h"
#include "engine/internal/request.h"
#include "model/speech_model.h"

namespace lethe {

struct Hypothesis {
  std::vector<int> tokens;
  std::vector<float> log_probabilities;
  std::vector<float> attention;  // [tokens + 1, frames], only when words are wanted
  int frames = 0;
  SampleIndex lead = 0;  // samples of silence put before the utterance
  float confidence = 0;
  double log_probability = 0;  // its end included
};

/// The sum of logarithms of probability, and the geometric mean of the probabilities; 0 of none.
double SumOf(std::span<const float> log_probabilities);
float Confidence(std::span<const float> log_probabilities);

/// What tokens are written as: trimmed, hot words as the caller wrote them.
std::string WrittenText(const SpeechModel& model, const Request& request,
                        std::span<const int> tokens);

/// The segment of a complete hypothesis, with words where they were asked for; without
/// alternatives.
Segment SegmentOf(const SpeechModel& model, const Request& request, const Hypothesis& hypothesis);

}  // namespace lethe
