#pragma once

// A recording as the models hear it: 16 kHz, channel by channel or mixed.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "audio/audio_source.h"
#include "audio/resampler.h"
#include "base/status.h"
#include "base/units.h"

namespace lethe {

enum class ChannelMode {
  kMix,    ///< one channel: the average of all; where they cancel out, the loudest
  kSplit,  ///< every channel on its own, as in two-sided telephone recordings
  kFirst,  ///< the first channel; the others are not looked at
};

/// Reads a recording at kSampleRate, in bounded memory.
/// Thread: one at a time
class SpeechReader {
 public:
  /// No more than this many samples per channel come out of one Read(): two seconds.
  static constexpr size_t kMaxBlock = 2 * kSampleRate;

  /// Errors: kInvalidArgument for a sample rate or channel count that cannot be
  static Result<SpeechReader> Open(std::unique_ptr<AudioSource> source, ChannelMode mode);

  /// Channels that come out: 1, or the recording's.
  int channels() const { return channels_; }
  const AudioFormat& format() const { return source_->format(); }
  /// As AudioSource::warning().
  std::string warning() const { return source_->warning(); }

  /// Replaces `block` by the next samples of each channel, all of one length.
  /// Shapes: block [channels()][n] f32, n <= kMaxBlock
  /// Errors: as AudioSource::Read()
  /// Returns n; 0 is the end, also ever after.
  Result<size_t> Read(std::vector<std::vector<float>>& block);

 private:
  SpeechReader(std::unique_ptr<AudioSource> source, Resampler resampler, ChannelMode mode,
               int channels, size_t input_frames);

  // Makes ready_ the next samples; leaves it empty at the end.
  Status Fill();
  // Gives the resampler what the source has next.
  Status Feed();

  std::unique_ptr<AudioSource> source_;
  Resampler resampler_;
  ChannelMode mode_;
  int channels_;
  // Half a second or less.
  size_t input_frames_;
  std::vector<float> input_;
  std::vector<float> mixed_;
  std::vector<float> ready_;  // interleaved
  bool ended_ = false;
};

}  // namespace lethe
