#include "service/internal/pcm_feed.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "audio/g711.h"

namespace lethe::internal {
namespace {

// A header that is longer holds pictures.
constexpr std::size_t kMaxHeader = std::size_t{1} << 20;
// Sizes that streaming writers put where they cannot know: "until the end".
constexpr std::uint32_t kStreamedSizes = 0x7FFFF000;
constexpr std::uint32_t kLeastRate = 4'000, kMostRate = 192'000;
constexpr int kMostChannels = 8;
constexpr std::size_t kBlockFrames = 4'000;
constexpr std::size_t kDropAtFront = std::size_t{64} << 10;

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint32_t Little(std::span<const std::byte> bytes, std::size_t at, int size) {
  std::uint32_t value = 0;
  for (int i = 0; i < size; ++i) {
    value |= std::to_integer<std::uint32_t>(bytes[at + static_cast<std::size_t>(i)]) << (8 * i);
  }
  return value;
}

}  // namespace

Status PcmFeed::Push(std::span<const std::byte> bytes) {
  const auto bytes_per_second =
      static_cast<std::int64_t>(rate_ > 0 ? rate_ : options_.sample_rate) * channels_ *
      static_cast<std::int64_t>(sample_bytes_);
  const auto most = static_cast<std::size_t>(
      std::max<std::int64_t>(options_.most_waiting.count() * bytes_per_second / 1000, 4096));
  if (bytes.size() > most - std::min(most, waiting().size())) {
    return ResourceExhausted("more audio was sent than can be taken ahead, in seconds: " +
                             std::to_string(options_.most_waiting.count() / 1000));
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return OkStatus();
}

void PcmFeed::Drop(std::size_t n) {
  begin_ += n;
  if (begin_ == bytes_.size()) {
    bytes_.clear();
    if (bytes_.capacity() > kDropAtFront) bytes_.shrink_to_fit();
    begin_ = 0;
  } else if (begin_ >= kDropAtFront && begin_ >= bytes_.size() / 2) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
}

Status PcmFeed::BeginSamples(std::uint32_t rate, int channels) {
  header_read_ = true;
  rate_ = static_cast<int>(rate);
  channels_ = channels;
  if (rate_ == kSampleRate) return OkStatus();
  ASSIGN_OR_RETURN(Resampler resampler, Resampler::Create(rate_, 1));
  resampler_ = std::move(resampler);
  return OkStatus();
}

Status PcmFeed::ReadHeader() {
  const std::span<const std::byte> held = waiting();
  if (options_.encoding != Encoding::kPcm16) {
    return BeginSamples(static_cast<std::uint32_t>(options_.sample_rate), 1);
  }
  const std::string_view text = TextOf(held);
  const std::string_view riff = "RIFF";
  const bool may_be_wav =
      text.substr(0, 4) == riff.substr(0, std::min<std::size_t>(text.size(), 4));
  if (held.empty() || (may_be_wav && held.size() < 12 && !finished_)) return OkStatus();
  if (!may_be_wav || held.size() < 12 || text.substr(8, 4) != "WAVE") {
    if (options_.wants_header) return InvalidArgument("does not begin as a WAV file does");
    return BeginSamples(static_cast<std::uint32_t>(options_.sample_rate), 1);
  }
  std::uint32_t rate = 0;
  int channels = 0;
  for (std::size_t at = 12; at + 8 <= held.size();) {
    const std::string_view name = text.substr(at, 4);
    const std::uint32_t size = Little(held, at + 4, 4);
    at += 8;
    if (name == "data") {
      if (rate == 0) return InvalidArgument("has a WAV header that does not say what follows");
      // Who says PCM and sends a header all the same may join files, or have made it up.
      if (options_.wants_header && size > 0 && size < kStreamedSizes) data_left_ = size;
      Drop(at);
      return BeginSamples(rate, channels);
    }
    const std::uint64_t next = at + std::uint64_t{size} + size % 2;
    if (next > kMaxHeader) return InvalidArgument("has a WAV header that is too long");
    if (name == "fmt ") {
      if (size < 16) return InvalidArgument("has a WAV header that is damaged");
      if (at + 16 > held.size()) break;
      // The tag of extensible headers stands in front of what it extends.
      std::uint32_t tag = Little(held, at, 2);
      if (tag == 0xFFFE && size >= 26) {
        if (at + 26 > held.size()) break;
        tag = Little(held, at + 24, 2);
      }
      channels = static_cast<int>(Little(held, at + 2, 2));
      rate = Little(held, at + 4, 4);
      if (tag != 1 || Little(held, at + 14, 2) != 16) {
        return InvalidArgument(
            "is a WAV file of another kind than 16-bit PCM, which is what can "
            "be taken live");
      }
      if (rate < kLeastRate || rate > kMostRate || channels < 1 || channels > kMostChannels) {
        return InvalidArgument("has a WAV header with an impossible rate or number of channels");
      }
    }
    at = static_cast<std::size_t>(next);
  }
  if (finished_) return InvalidArgument("is a WAV file that ends in its header");
  return OkStatus();
}

float PcmFeed::SampleAt(std::span<const std::byte> bytes, std::size_t at) const {
  switch (options_.encoding) {
    case Encoding::kALaw:
      return ALawTable()[std::to_integer<std::size_t>(bytes[at])];
    case Encoding::kMuLaw:
      return MuLawTable()[std::to_integer<std::size_t>(bytes[at])];
    case Encoding::kPcm16:
      break;
  }
  return static_cast<float>(static_cast<std::int16_t>(Little(bytes, at, 2))) / 32768.0F;
}

Status PcmFeed::Convert() {
  ready_.clear();
  ready_begin_ = 0;
  const std::size_t frame = static_cast<std::size_t>(channels_) * sample_bytes_;
  std::span<const std::byte> held = waiting();
  if (data_left_ && held.size() > *data_left_) held = held.first(*data_left_);
  const std::size_t frames = std::min(held.size() / frame, kBlockFrames);
  input_.resize(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    float sum = 0;
    for (std::size_t channel = 0; channel < frame; channel += sample_bytes_) {
      sum += SampleAt(held, i * frame + channel);
    }
    input_[i] = sum / static_cast<float>(channels_);
  }
  Drop(frames * frame);
  if (data_left_) {
    *data_left_ -= frames * frame;
    if (*data_left_ < frame) Drop(waiting().size());  // what follows is no sound
  }
  if (!resampler_) {
    ready_ = input_;
    return OkStatus();
  }
  if (frames > 0) {
    resampler_->Push(input_);
  } else if (finished_ && !std::exchange(resampler_finished_, true)) {
    resampler_->Finish();
  } else {
    return OkStatus();
  }
  while (true) {
    ASSIGN_OR_RETURN(const std::size_t n, resampler_->Pull(pulled_));
    if (n == 0) return OkStatus();
    ready_.insert(ready_.end(), pulled_.begin(), pulled_.end());
  }
}

Status PcmFeed::Pump(LiveStream& stream) {
  if (stream_finished_) return OkStatus();
  if (!header_read_) RETURN_IF_ERROR(ReadHeader());
  while (header_read_) {
    if (ready_begin_ == ready_.size()) {
      // A block of few samples may all stay within the resampler.
      const std::size_t before = waiting().size();
      RETURN_IF_ERROR(Convert());
      if (ready_.empty() && waiting().size() == before) break;
    }
    const auto rest = std::span<const float>(ready_).subspan(ready_begin_);
    if (rest.empty()) continue;
    ASSIGN_OR_RETURN(const std::size_t n, stream.PushSamples(rest));
    ready_begin_ += n;
    taken_ += static_cast<SampleIndex>(n);
    if (n < rest.size()) return OkStatus();
  }
  if (finished_ && (header_read_ || waiting().empty())) {
    stream_finished_ = true;
    stream.Finish();
  }
  return OkStatus();
}

}  // namespace lethe::internal
