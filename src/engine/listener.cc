#include "engine/internal/listener.h"

#include <algorithm>

namespace lethe {
namespace {

constexpr std::size_t kBlock = kSampleRate;

}  // namespace

Listener::Listener(const VoiceActivityModel& voice_activity, const SegmenterOptions& segmenter,
                   Growth growth)
    : growth_(growth),
      window_samples_(voice_activity.window_samples()),
      voice_activity_(voice_activity.NewState()),
      segmenter_(segmenter, voice_activity.window_samples()) {}

std::vector<HeardSpan> Listener::Push(std::span<const float> samples) {
  LETHE_CHECK(samples.size() <= kMaxPush);
  Forget(segmenter_.KeepFrom());
  Append(samples);
  const std::span<float> heard = std::span(audio_).last(samples.size());
  offset_removal_.Remove(heard);
  const std::size_t known = probabilities_.size();
  voice_activity_->Push(heard, &probabilities_);
  std::vector<HeardSpan> spans;
  for (const float probability : std::span(probabilities_).subspan(known)) {
    ++windows_;
    const bool was_open = segmenter_.in_speech();
    for (const SpeechSpan& span : segmenter_.Push(probability)) {
      spans.push_back({span, windows_ * window_samples_, stretches_});
    }
    if (!was_open && segmenter_.in_speech()) ++stretches_;
  }
  KeepFaint();
  return spans;
}

// It may be needed at the end of the stream, which may be days away.
void Listener::KeepFaint() {
  const std::optional<SpeechSpan> faint = segmenter_.Faint();
  if (!faint) {
    faint_ = {};
  } else if (faint->end <= windows_ * window_samples_ &&
             (faint_.samples.empty() || faint_.start != faint->start)) {
    faint_ = Copy(*faint);
  }
}

std::vector<HeardSpan> Listener::Finish() {
  std::vector<HeardSpan> spans;
  for (const SpeechSpan& span : segmenter_.Finish(total())) {
    spans.push_back({span, total(), stretches_});
  }
  return spans;
}

Utterance Listener::Copy(const SpeechSpan& span) const {
  const SampleIndex end = std::min(span.end, total());
  const bool kept = !faint_.samples.empty() && span.start == faint_.start &&
                    end - span.start == static_cast<SampleIndex>(faint_.samples.size());
  if (kept) return faint_;
  LETHE_CHECK(span.start >= start_);
  Utterance utterance{.start = span.start,
                      .samples = {},
                      .certain = span.certain,
                      .speech = CopyWindows(span.start, end)};
  if (end > span.start) {
    utterance.samples.assign(audio_.begin() + (span.start - start_),
                             audio_.begin() + (end - start_));
  }
  return utterance;
}

SpeechWindows Listener::CopyWindows(SampleIndex start, SampleIndex end) const {
  const SampleIndex first = std::min(start / window_samples_, windows_);
  const SampleIndex last =
      std::clamp((end + window_samples_ - 1) / window_samples_, first, windows_);
  const auto from = probabilities_.end() - (windows_ - first);
  return {first * window_samples_, window_samples_, {from, from + (last - first)}};
}

void Listener::Append(std::span<const float> samples) {
  const std::size_t size = audio_.size() + samples.size();
  if (size > audio_.capacity()) {
    const std::size_t blocks = (size + kBlock - 1) / kBlock * kBlock;
    audio_.reserve(growth_ == Growth::kDoubling ? std::max(blocks, 2 * audio_.capacity()) : blocks);
  }
  audio_.insert(audio_.end(), samples.begin(), samples.end());
}

// Drops audio before `from`, when enough has gathered to be worth the move.
void Listener::Forget(SampleIndex from) {
  const SampleIndex count = std::min(from - start_, static_cast<SampleIndex>(audio_.size()));
  if (count < static_cast<SampleIndex>(kBlock)) return;
  audio_.erase(audio_.begin(), audio_.begin() + count);
  start_ += count;
  const SampleIndex held = windows_ - start_ / window_samples_;
  probabilities_.erase(probabilities_.begin(), probabilities_.end() - held);
  const std::size_t spare = growth_ == Growth::kDoubling ? audio_.size() + 8 * kBlock : 4 * kBlock;
  if (audio_.capacity() > audio_.size() + spare) audio_.shrink_to_fit();
}

}  // namespace lethe
