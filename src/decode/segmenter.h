#pragma once

// Where speech begins and ends: probabilities of speech in, segments out.

#include <deque>
#include <optional>
#include <vector>

#include "base/units.h"

namespace lethe {

struct SegmenterOptions {
  float onset = 0.5f;            // speech begins at a window above this ...
  float offset = 0.3f;           // ... and goes on while windows stay above this
  Millis min_speech{60};         // less above `onset` is a click
  Millis trailing_silence{600};  // a longer pause ends a segment
  Millis padding{400};           // added on both sides, so that soft beginnings and ends are heard
  Millis max_length{14'000};     // longer speech is cut where speech is least likely
  // Voice activity is sure that somebody speaks in a segment with a window above this. Noise now
  // and then reaches `onset`, seldom this; speech nearly always does.
  float sure = 0.8f;
  // In a stream that is no longer than this a segment is taken for speech anyway: voice activity
  // starts without memory and needs some windows to become sure, and who sends half a second of
  // sound sends a word.
  Millis settling{1'000};
  // A stream in which nothing reached `onset` may still hold a very short or quiet word: the part
  // around its highest window becomes a segment if that window is above this.
  float faint_onset = 0.25f;
};

/// A stretch of a stream to be transcribed, in samples from the beginning of the stream.
struct SpeechSpan {
  SampleIndex start = 0;
  SampleIndex end = 0;
  bool certain = false;  // voice activity is sure that somebody speaks
  bool cut = false;      // it was too long: speech goes on where it ends
  bool operator==(const SpeechSpan&) const = default;
};

/// Options under which more, or less, is taken for noise: every threshold moved by the same step in
/// log-odds, about 1.1 for each unit.
///
/// Units: noise_threshold in [-2, 2]; 0 changes nothing, 2 makes the onset 0.9, -2 makes it 0.1
SegmenterOptions WithNoiseThreshold(SegmenterOptions options, float noise_threshold);

/// Follows one stream, window by window. Spans come in order and do not overlap.
///
/// Hysteresis, minimum speech, padding and the cut at the least likely speech: what is not said in
/// SegmenterOptions is not decided here.
class Segmenter {
 public:
  Segmenter(const SegmenterOptions& options, int window_samples);

  /// Takes the next window's probability; returns the spans that are now complete.
  std::vector<SpeechSpan> Push(float probability);

  /// Ends the stream after `total_samples`; returns what was still open.
  std::vector<SpeechSpan> Finish(SampleIndex total_samples);

  /// Whether a stretch is open; clicks open one too.
  bool in_speech() const { return in_speech_; }

  /// The stretch that is being spoken, up to now, once it is too long for a click: a span that
  /// begins there will come.
  std::optional<SpeechSpan> Open() const;

  /// The next span, if nothing more is said: known as soon as all of its padding is, which is
  /// before `trailing_silence` is over.
  std::optional<SpeechSpan> Expected() const;

  /// What becomes of a stream in which nothing reaches the onset (SegmenterOptions::faint_onset),
  /// as far as is known: a span around the highest window. Nothing once there was a segment.
  std::optional<SpeechSpan> Faint() const;

  /// Nothing before this sample will be part of a span any more: the audio may go. But for a
  /// Faint() that ends before now: whoever wants it copies it, for the end of the stream may be
  /// far.
  SampleIndex KeepFrom() const;

 private:
  SpeechSpan UpTo(SampleIndex end) const;
  // Enough for a segment; a click is not.
  bool IsSpeech() const { return loud_windows_ >= Windows(options_.min_speech); }
  bool IsLoud(float probability) const {
    return probability >= (continues_ ? options_.offset : options_.onset);
  }
  void Close(SampleIndex last_speech_end, std::vector<SpeechSpan>* spans);
  void CutIfTooLong(std::vector<SpeechSpan>* spans);
  SampleIndex At(std::int64_t window) const { return window * window_samples_; }
  std::int64_t Windows(Millis time) const;

  const SegmenterOptions options_;
  const int window_samples_;
  std::int64_t windows_ = 0;  // so far
  SampleIndex previous_end_ = 0;
  bool in_speech_ = false;
  SampleIndex start_ = 0;          // of the open segment, padded
  std::int64_t first_window_ = 0;  // of the open segment
  std::int64_t last_speech_ = 0;   // the last window above offset
  bool continues_ = false;         // it goes on behind a cut, so somebody was speaking
  int loud_windows_ = 0;           // windows of it above onset; behind a cut, above offset
  float peak_ = 0;
  std::deque<float> open_;  // probabilities since first_window_
  bool any_segment_ = false;
  float faint_peak_ = 0;
  std::int64_t faint_window_ = 0;
};

}  // namespace lethe
