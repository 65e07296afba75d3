#pragma once

// Samples on their way from a connection into a live stream.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "audio/resampler.h"
#include "base/status.h"
#include "base/units.h"
#include "engine/stream.h"

namespace lethe::internal {

/// Little-endian 16-bit PCM in pieces of any size, with or without a WAV header before it; the
/// header, where there is one, says rate and channels, which are mixed. Or one channel of a
/// telephone law, without a header. What the stream has no room for waits here, up to a limit.
///
/// Thread: one at a time
class PcmFeed {
 public:
  enum class Encoding { kPcm16, kALaw, kMuLaw };
  struct Options {
    Encoding encoding = Encoding::kPcm16;
    int sample_rate = kSampleRate;  // of samples without a header
    bool wants_header = false;
    Millis most_waiting{60'000};  // of audio
  };
  explicit PcmFeed(const Options& options)
      : options_(options), sample_bytes_(options.encoding == Encoding::kPcm16 ? 2 : 1) {}

  /// Takes the next bytes: all of them, or none when too much waits already.
  /// Errors: kResourceExhausted when too much waits; kInvalidArgument for a header that is none, or
  ///         is that of something else than 16-bit PCM
  Status Push(std::span<const std::byte> bytes);

  /// No more will come; Pump() finishes the stream when it has all.
  void Finish() { finished_ = true; }

  /// Moves what waits into the stream, as far as it has room. Errors: as Push(), and of the stream
  Status Pump(LiveStream& stream);

  /// Samples that the stream has taken.
  SampleIndex taken() const { return taken_; }

 private:
  std::span<const std::byte> waiting() const { return std::span(bytes_).subspan(begin_); }
  void Drop(std::size_t n);
  // Looks for a header; header_read_ once it is clear.
  Status ReadHeader();
  Status BeginSamples(std::uint32_t rate, int channels);
  float SampleAt(std::span<const std::byte> bytes, std::size_t at) const;
  // Makes ready_ of the next frames; leaves it empty when there are none.
  Status Convert();

  const Options options_;
  const std::size_t sample_bytes_;
  std::vector<std::byte> bytes_;  // unread from begin_ on
  std::size_t begin_ = 0;
  bool header_read_ = false, finished_ = false, stream_finished_ = false;
  int rate_ = 0, channels_ = 1;
  std::optional<std::uint64_t> data_left_;  // of a WAV whose header says how much there is
  std::optional<Resampler> resampler_;      // none at 16 kHz
  bool resampler_finished_ = false;
  std::vector<float> input_, pulled_;
  std::vector<float> ready_;  // 16 kHz; untaken from ready_begin_ on
  std::size_t ready_begin_ = 0;
  SampleIndex taken_ = 0;
};

}  // namespace lethe::internal
