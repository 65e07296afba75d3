#include "audio/internal/pcm_source.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>

#include "audio/g711.h"
#include "base/check.h"

namespace lethe::audio_internal {
namespace {

constexpr size_t kBufferBytes = size_t{64} * 1024;

// The bytes of one sample as an unsigned number.
template <size_t kBytes>
uint64_t Load(const std::byte* bytes, bool big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < kBytes; ++i) {
    const size_t at = big_endian ? i : kBytes - 1 - i;
    value = (value << 8) | std::to_integer<uint64_t>(bytes[at]);
  }
  return value;
}

template <size_t kBytes>
float LoadInteger(const std::byte* bytes, bool big_endian) {
  // Shifted to the top, the sign is in place whatever the width.
  const auto top = static_cast<uint32_t>(Load<kBytes>(bytes, big_endian) << (32 - 8 * kBytes));
  return static_cast<float>(std::bit_cast<int32_t>(top)) * 0x1p-31F;
}

template <size_t kBytes, class Convert>
void ForEachSample(std::span<const std::byte> bytes, std::span<float> samples, Convert convert) {
  LETHE_CHECK(bytes.size() == samples.size() * kBytes);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = convert(bytes.data() + i * kBytes);
}

}  // namespace

size_t SampleBytes(PcmEncoding encoding) {
  switch (encoding) {
    case PcmEncoding::kU8:
    case PcmEncoding::kALaw:
    case PcmEncoding::kMuLaw:
      return 1;
    case PcmEncoding::kS16:
      return 2;
    case PcmEncoding::kS24:
      return 3;
    case PcmEncoding::kS32:
    case PcmEncoding::kF32:
      return 4;
    case PcmEncoding::kF64:
      return 8;
  }
  return 1;
}

std::string PcmCodecName(PcmEncoding encoding, bool big_endian) {
  const std::string end = big_endian ? "be" : "le";
  switch (encoding) {
    case PcmEncoding::kU8:
      return "pcm_u8";
    case PcmEncoding::kALaw:
      return "pcm_alaw";
    case PcmEncoding::kMuLaw:
      return "pcm_mulaw";
    case PcmEncoding::kS16:
      return "pcm_s16" + end;
    case PcmEncoding::kS24:
      return "pcm_s24" + end;
    case PcmEncoding::kS32:
      return "pcm_s32" + end;
    case PcmEncoding::kF32:
      return "pcm_f32" + end;
    case PcmEncoding::kF64:
      return "pcm_f64" + end;
  }
  return "pcm";
}

void DecodePcm(PcmEncoding encoding, bool big_endian, std::span<const std::byte> bytes,
               std::span<float> samples) {
  const LawTable& a_law = ALawTable();
  const LawTable& mu_law = MuLawTable();
  switch (encoding) {
    case PcmEncoding::kU8:
      ForEachSample<1>(bytes, samples, [](const std::byte* at) {
        return static_cast<float>(std::to_integer<int>(*at) - 128) / 128.0F;
      });
      return;
    case PcmEncoding::kALaw:
      ForEachSample<1>(bytes, samples,
                       [&](const std::byte* at) { return a_law[std::to_integer<size_t>(*at)]; });
      return;
    case PcmEncoding::kMuLaw:
      ForEachSample<1>(bytes, samples,
                       [&](const std::byte* at) { return mu_law[std::to_integer<size_t>(*at)]; });
      return;
    case PcmEncoding::kS16:
      ForEachSample<2>(bytes, samples,
                       [=](const std::byte* at) { return LoadInteger<2>(at, big_endian); });
      return;
    case PcmEncoding::kS24:
      ForEachSample<3>(bytes, samples,
                       [=](const std::byte* at) { return LoadInteger<3>(at, big_endian); });
      return;
    case PcmEncoding::kS32:
      ForEachSample<4>(bytes, samples,
                       [=](const std::byte* at) { return LoadInteger<4>(at, big_endian); });
      return;
    case PcmEncoding::kF32:
      ForEachSample<4>(bytes, samples, [=](const std::byte* at) {
        return std::bit_cast<float>(static_cast<uint32_t>(Load<4>(at, big_endian)));
      });
      return;
    case PcmEncoding::kF64:
      ForEachSample<8>(bytes, samples, [=](const std::byte* at) {
        const auto value = std::bit_cast<double>(Load<8>(at, big_endian));
        // Converting what a float cannot hold is undefined, so it is asked first.
        const bool fits = std::abs(value) <= double{std::numeric_limits<float>::max()};
        return fits ? static_cast<float>(value) : std::numeric_limits<float>::quiet_NaN();
      });
      return;
  }
}

PcmSource::PcmSource(std::unique_ptr<ByteSource> bytes, AudioFormat format, const PcmLayout& layout)
    : bytes_(std::move(bytes)),
      format_(std::move(format)),
      layout_(layout),
      frame_bytes_(SampleBytes(layout.encoding) * static_cast<size_t>(format_.channels)) {
  LETHE_CHECK(format_.channels > 0 && frame_bytes_ <= kBufferBytes);
}

Result<size_t> PcmSource::Read(std::span<float> interleaved) {
  const auto channels = static_cast<size_t>(format_.channels);
  LETHE_CHECK(interleaved.size() >= channels);
  if (ended_) return size_t{0};
  uint64_t frames = std::min(interleaved.size() / channels, kBufferBytes / frame_bytes_);
  if (layout_.data_bytes) {
    frames = std::min<uint64_t>(frames, (*layout_.data_bytes - bytes_read_) / frame_bytes_);
  }
  if (frames == 0) {
    ended_ = true;
    return size_t{0};
  }
  buffer_.resize(static_cast<size_t>(frames) * frame_bytes_);
  // A pipe gives what has arrived: whole frames are passed on at once, a begun one is waited for.
  size_t got = 0;
  do {
    ASSIGN_OR_RETURN(const size_t n, bytes_->Read(std::span(buffer_).subspan(got)));
    if (n == 0) {
      NoteEnd(got % frame_bytes_);
      break;
    }
    got += n;
    bytes_read_ += n;
  } while (got % frame_bytes_ != 0);
  const size_t samples = got / frame_bytes_ * channels;
  DecodePcm(layout_.encoding, layout_.big_endian,
            std::span(buffer_).first(got / frame_bytes_ * frame_bytes_),
            interleaved.first(samples));
  return samples;
}

void PcmSource::NoteEnd(size_t left_over) {
  ended_ = true;
  const double bytes_per_second =
      static_cast<double>(frame_bytes_) * static_cast<double>(format_.sample_rate);
  if (layout_.data_bytes && *layout_.data_bytes > bytes_read_) {
    warning_ = EndsEarly(static_cast<double>(*layout_.data_bytes) / bytes_per_second,
                         static_cast<double>(bytes_read_) / bytes_per_second);
  } else if (left_over > 0) {
    warning_ = "ends within a sample; bytes left over: " + std::to_string(left_over);
  }
}

std::string EndsEarly(double promised_seconds, double found_seconds) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "ends early: %.1f s promised, %.1f s found",
                promised_seconds, found_seconds);
  return text.data();
}

}  // namespace lethe::audio_internal
