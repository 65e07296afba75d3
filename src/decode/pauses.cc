#include "decode/pauses.h"

#include <algorithm>

namespace lethe {
namespace {

// Found on recordings with known times of words (docs/measurements.md, "When a word was said"): a
// window is speech from here on, voice activity is that sure two windows behind a beginning, and a
// pause within a word is less than five windows long.
constexpr float kSpeech = 0.5f;
constexpr SampleIndex kLateWindows = 2;
constexpr SampleIndex kPauseWindows = 5;

/// Windows [first, last).
struct WindowSpan {
  SampleIndex first = 0;
  SampleIndex last = 0;
  SampleIndex count() const { return last - first; }
};

class Pauses {
 public:
  explicit Pauses(const SpeechWindows& windows)
      : windows_(windows), size_(windows.window_samples) {}

  // The windows of `word` from the first to the last with speech; none where there is no speech.
  WindowSpan Speech(const SampleSpan& word) const {
    WindowSpan span{(word.start - windows_.start) / size_,
                    (word.end - windows_.start + size_ - 1) / size_};
    while (span.first < span.last && !IsSpeech(span.first)) ++span.first;
    while (span.first < span.last && !IsSpeech(span.last - 1)) --span.last;
    return span;
  }

  WindowSpan LongestPause(const WindowSpan& speech) const {
    WindowSpan longest, pause{speech.first, speech.first};
    for (SampleIndex i = speech.first; i < speech.last; ++i) {
      if (IsSpeech(i)) {
        pause.first = i + 1;
      } else if (pause.last = i + 1; pause.count() > longest.count()) {
        longest = pause;
      }
    }
    return longest;
  }

  SampleIndex At(SampleIndex window) const { return windows_.start + window * size_; }

 private:
  bool IsSpeech(SampleIndex window) const {
    return window >= static_cast<SampleIndex>(windows_.probabilities.size()) ||
           windows_.probabilities[window] >= kSpeech;
  }

  const SpeechWindows& windows_;
  const SampleIndex size_;
};

// A word with a pause in it keeps its longer side; who touches the other side gets it.
void Divide(const Pauses& pauses, std::span<SampleSpan> words, std::size_t index) {
  SampleSpan& word = words[index];
  const WindowSpan speech = pauses.Speech(word);
  const WindowSpan pause = pauses.LongestPause(speech);
  if (pause.count() < kPauseWindows) return;
  const SampleSpan silence{pauses.At(pause.first), pauses.At(pause.last)};
  if (pause.first - speech.first >= speech.last - pause.last) {
    if (index + 1 < words.size() && words[index + 1].start == word.end) {
      words[index + 1].start = silence.end;
    }
    word.end = silence.start;
  } else {
    if (index > 0 && words[index - 1].end == word.start) words[index - 1].end = silence.start;
    word.start = silence.end;
  }
}

void Trim(const Pauses& pauses, SampleSpan* word) {
  const WindowSpan speech = pauses.Speech(*word);
  if (speech.count() == 0) return;
  const SampleIndex start = pauses.At(speech.first);
  if (start > word->start) {
    word->start = std::max(word->start, pauses.At(speech.first - kLateWindows));
  }
  word->end = std::min(word->end, pauses.At(speech.last));
}

}  // namespace

void TakeOutPauses(const SpeechWindows& windows, std::span<SampleSpan> words) {
  if (windows.window_samples <= 0) return;
  const Pauses pauses(windows);
  for (std::size_t i = 0; i < words.size(); ++i) Divide(pauses, words, i);
  for (SampleSpan& word : words) {
    if (word.start < word.end) Trim(pauses, &word);
  }
}

}  // namespace lethe
