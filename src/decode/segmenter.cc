#include "decode/segmenter.h"

#include <algorithm>
#include <cmath>

namespace lethe {

SegmenterOptions WithNoiseThreshold(SegmenterOptions options, float noise_threshold) {
  const float step = std::log(9.0f) / 2 * noise_threshold;
  for (float* p : {&options.onset, &options.offset, &options.sure, &options.faint_onset}) {
    *p = 1 / (1 + (1 - *p) / *p * std::exp(-step));
  }
  return options;
}

Segmenter::Segmenter(const SegmenterOptions& options, int window_samples)
    : options_(options), window_samples_(window_samples) {}

std::int64_t Segmenter::Windows(Millis time) const {
  return (MillisToSamples(time) + window_samples_ - 1) / window_samples_;
}

std::vector<SpeechSpan> Segmenter::Push(float probability) {
  std::vector<SpeechSpan> spans;
  const std::int64_t window = windows_++;
  if (!in_speech_) {
    if (probability > faint_peak_) {
      faint_peak_ = probability;
      faint_window_ = window;
    }
    if (probability < options_.onset) return spans;
    in_speech_ = true;
    start_ = std::max(previous_end_, At(window) - MillisToSamples(options_.padding));
    first_window_ = window;
    continues_ = false;
    loud_windows_ = 0;
    peak_ = 0;
    open_.clear();
  }
  open_.push_back(probability);
  peak_ = std::max(peak_, probability);
  if (IsLoud(probability)) ++loud_windows_;
  if (probability >= options_.offset) last_speech_ = window;
  if (window - last_speech_ >= Windows(options_.trailing_silence)) {
    Close(At(last_speech_ + 1), &spans);
  } else {
    CutIfTooLong(&spans);
  }
  return spans;
}

void Segmenter::Close(SampleIndex last_speech_end, std::vector<SpeechSpan>* spans) {
  in_speech_ = false;
  if (!IsSpeech()) return;
  spans->push_back(UpTo(last_speech_end + MillisToSamples(options_.padding)));
  previous_end_ = spans->back().end;
  any_segment_ = true;
}

SpeechSpan Segmenter::UpTo(SampleIndex end) const {
  return {.start = start_, .end = std::min(end, At(windows_)), .certain = peak_ >= options_.sure};
}

std::optional<SpeechSpan> Segmenter::Open() const {
  if (!in_speech_ || !IsSpeech()) return std::nullopt;
  return UpTo(At(windows_));
}

std::optional<SpeechSpan> Segmenter::Expected() const {
  const SampleIndex end = At(last_speech_ + 1) + MillisToSamples(options_.padding);
  if (!Open() || end > At(windows_)) return std::nullopt;
  return UpTo(end);
}

void Segmenter::CutIfTooLong(std::vector<SpeechSpan>* spans) {
  if (At(windows_) - start_ < MillisToSamples(options_.max_length)) return;
  // The least likely window of the second half, judged with its neighbours: a single window may dip
  // in the middle of a word.
  const std::int64_t count = static_cast<std::int64_t>(open_.size());
  std::int64_t best = count / 2;
  float lowest = 4.0f;
  for (std::int64_t i = count / 2; i + 1 < count; ++i) {
    const float around = open_[i - 1] + 2 * open_[i] + open_[i + 1];
    if (around <= lowest) {
      lowest = around;
      best = i;
    }
  }
  const SampleIndex cut = At(first_window_ + best) + window_samples_ / 2;
  spans->push_back({.start = start_, .end = cut, .certain = peak_ >= options_.sure, .cut = true});
  previous_end_ = start_ = cut;
  any_segment_ = true;
  open_.erase(open_.begin(), open_.begin() + best);
  first_window_ += best;
  peak_ = *std::max_element(open_.begin(), open_.end());
  continues_ = true;
  loud_windows_ = static_cast<int>(
      std::count_if(open_.begin(), open_.end(), [this](float p) { return IsLoud(p); }));
}

std::vector<SpeechSpan> Segmenter::Finish(SampleIndex total_samples) {
  std::vector<SpeechSpan> spans;
  if (in_speech_) Close(At(last_speech_ + 1), &spans);
  for (SpeechSpan& span : spans) {
    // The tail that filled no window belongs to the last span if that reached the end.
    if (span.end >= At(windows_)) span.end = total_samples;
    if (total_samples <= MillisToSamples(options_.settling)) span.certain = true;
  }
  if (std::optional<SpeechSpan> faint = Faint()) {
    faint->end = std::min(total_samples, faint->end);
    spans.push_back(*faint);
  }
  return spans;
}

std::optional<SpeechSpan> Segmenter::Faint() const {
  if (any_segment_ || faint_peak_ < options_.faint_onset) return std::nullopt;
  const SampleIndex padding = 2 * MillisToSamples(options_.padding);
  return SpeechSpan{.start = std::max<SampleIndex>(0, At(faint_window_) - padding),
                    .end = At(faint_window_ + 1) + padding};
}

SampleIndex Segmenter::KeepFrom() const {
  const SampleIndex padding = MillisToSamples(options_.padding);
  SampleIndex from = in_speech_ ? start_ : std::max(previous_end_, At(windows_) - padding);
  // As long as there was no segment the next window may be a faint peak, or the last one is.
  if (!any_segment_) {
    from = std::min(from, At(windows_) - 2 * padding);
    const std::optional<SpeechSpan> faint = Faint();
    if (faint && faint->end > At(windows_)) from = std::min(from, faint->start);
  }
  return std::max<SampleIndex>(0, from);
}

}  // namespace lethe
