#pragma once

// The ear of a stream: samples in, stretches of speech out.

#include <memory>
#include <span>
#include <vector>

#include "decode/segmenter.h"
#include "engine/internal/offset_removal.h"
#include "engine/internal/request.h"
#include "model/voice_activity.h"

namespace lethe {

/// A span, how much of the stream had to be heard to know it, and of which stretch it is.
struct HeardSpan : SpeechSpan {
  SampleIndex known_at = 0;
  std::int64_t stretch = 0;
};

/// Runs voice activity detection over a stream and holds the audio that may still be part of a
/// span. It holds no more than the longest span and a few seconds, however long the stream.
///
/// Thread: one at a time
class Listener {
 public:
  /// Samples that Push() takes at most: a second, so that the audio held stays small.
  static constexpr std::size_t kMaxPush = kSampleRate;

  /// How memory for audio grows: by the second, so that thousands of streams hold what they need
  /// and not twice that; or to twice as much, so that a recording's is moved a few times only.
  enum class Growth { kBySecond, kDoubling };

  Listener(const VoiceActivityModel& voice_activity, const SegmenterOptions& segmenter,
           Growth growth);

  /// Takes the next samples; returns the spans that are now complete. Their audio may be copied
  /// until the next call.
  std::vector<HeardSpan> Push(std::span<const float> samples);

  /// Ends the stream; returns what was still open.
  std::vector<HeardSpan> Finish();

  /// Copies a span's audio, and what voice activity said of it.
  Utterance Copy(const SpeechSpan& span) const;

  const Segmenter& segmenter() const { return segmenter_; }
  /// How many stretches of speech were opened: the number of the segmenter's open one.
  std::int64_t stretches() const { return stretches_; }
  /// Samples that are held now.
  std::size_t held_samples() const { return audio_.size() + faint_.samples.size(); }
  SampleIndex total() const { return start_ + static_cast<SampleIndex>(audio_.size()); }

 private:
  void Append(std::span<const float> samples);
  SpeechWindows CopyWindows(SampleIndex start, SampleIndex end) const;
  void KeepFaint();
  void Forget(SampleIndex from);

  const Growth growth_;
  const int window_samples_;
  OffsetRemoval offset_removal_;
  const std::unique_ptr<VoiceActivityState> voice_activity_;
  Segmenter segmenter_;
  std::vector<float> audio_;  // from start_ on
  SampleIndex start_ = 0;
  Utterance faint_;                   // the segmenter's, once all of it was heard
  std::vector<float> probabilities_;  // of the windows before windows_ that touch audio_
  SampleIndex windows_ = 0;           // heard so far
  std::int64_t stretches_ = 0;
};

}  // namespace lethe
