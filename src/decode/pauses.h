#pragma once

// Words without the pauses between them.

#include <span>
#include <vector>

#include "base/units.h"

namespace lethe {

/// Samples [start, end) of a stream.
struct SampleSpan {
  SampleIndex start = 0;
  SampleIndex end = 0;
  bool operator==(const SampleSpan&) const = default;
};

/// What voice activity said of a stretch of a stream, window by window.
struct SpeechWindows {
  SampleIndex start = 0;  // of the first window, in the stream
  int window_samples = 0;
  std::vector<float> probabilities;  // [windows], that somebody speaks
};

/// Takes pauses out of the places of words. Attention says to which word a frame belongs, and has
/// to give every frame of a pause to one of its neighbours, now and then with a little of the next
/// word behind it: a word with a pause in it keeps its longer side, and its neighbour gets the
/// other.
///
/// `words` are in order, do not overlap and begin no earlier than the windows, before and after.
/// None becomes empty that was not; one without a window of speech stays as it is. What lies behind
/// the last window counts as speech.
void TakeOutPauses(const SpeechWindows& windows, std::span<SampleSpan> words);

}  // namespace lethe
