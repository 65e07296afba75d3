#include "audio/speech_reader.h"

#include <algorithm>
#include <utility>

namespace lethe {

SpeechReader::SpeechReader(std::unique_ptr<AudioSource> source, Resampler resampler,
                           ChannelMode mode, int channels, size_t input_frames)
    : source_(std::move(source)),
      resampler_(std::move(resampler)),
      mode_(mode),
      channels_(channels),
      input_frames_(input_frames) {}

Result<SpeechReader> SpeechReader::Open(std::unique_ptr<AudioSource> source, ChannelMode mode) {
  const AudioFormat& format = source->format();
  const int channels = mode == ChannelMode::kSplit ? format.channels : 1;
  ASSIGN_OR_RETURN(Resampler resampler, Resampler::Create(format.sample_rate, channels));
  const auto input_frames = static_cast<size_t>(std::clamp(format.sample_rate / 2, 1, 16'384));
  return SpeechReader(std::move(source), std::move(resampler), mode, channels, input_frames);
}

Status SpeechReader::Fill() {
  while (true) {
    ASSIGN_OR_RETURN(const size_t n, resampler_.Pull(ready_));
    if (n > 0 || ended_) return OkStatus();
    RETURN_IF_ERROR(Feed());
  }
}

namespace {

void TakeChannel(std::span<const float> samples, size_t channels, size_t channel,
                 std::span<float> taken) {
  for (size_t i = 0; i < taken.size(); ++i) taken[i] = samples[i * channels + channel];
}

// The mean of the channels. Where they cancel each other, as with a cable whose wires are swapped,
// the loudest of them.
void Mix(std::span<const float> samples, size_t channels, std::span<float> mixed) {
  constexpr double kCancelled = 0.01;  // of the loudest channel's power
  std::vector<double> powers(channels, 0.0);
  double power = 0;
  for (size_t i = 0; i < mixed.size(); ++i) {
    float sum = 0.0F;
    for (size_t channel = 0; channel < channels; ++channel) {
      const float sample = samples[i * channels + channel];
      sum += sample;
      powers[channel] += double{sample} * sample;
    }
    mixed[i] = sum / static_cast<float>(channels);
    power += double{mixed[i]} * mixed[i];
  }
  const auto loudest = std::max_element(powers.begin(), powers.end());
  if (power < kCancelled * *loudest) {
    TakeChannel(samples, channels, static_cast<size_t>(loudest - powers.begin()), mixed);
  }
}

}  // namespace

Status SpeechReader::Feed() {
  const auto in_channels = static_cast<size_t>(source_->format().channels);
  input_.resize(input_frames_ * in_channels);
  ASSIGN_OR_RETURN(const size_t n, source_->Read(input_));
  if (n == 0) {
    ended_ = true;
    resampler_.Finish();
    return OkStatus();
  }
  std::span<const float> samples = std::span<const float>(input_).first(n);
  if (static_cast<size_t>(channels_) != in_channels) {
    mixed_.resize(n / in_channels);
    if (mode_ == ChannelMode::kFirst) {
      TakeChannel(samples, in_channels, 0, mixed_);
    } else {
      Mix(samples, in_channels, mixed_);
    }
    samples = mixed_;
  }
  resampler_.Push(samples);
  return OkStatus();
}

Result<size_t> SpeechReader::Read(std::vector<std::vector<float>>& block) {
  static_assert(Resampler::kMaxPull <= kMaxBlock);
  RETURN_IF_ERROR(Fill());
  const auto channels = static_cast<size_t>(channels_);
  const size_t n = ready_.size() / channels;
  block.resize(channels);
  for (size_t channel = 0; channel < channels; ++channel) {
    block[channel].resize(n);
    for (size_t i = 0; i < n; ++i) block[channel][i] = ready_[i * channels + channel];
  }
  return n;
}

}  // namespace lethe
