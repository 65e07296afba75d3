#include "audio/audio_source.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "audio/byte_source.h"
#include "audio/internal/pcm_source.h"
#include "audio/internal/rewindable_bytes.h"
#include "audio/internal/wav_header.h"
#include "audio/media_decoder.h"
#include "base/check.h"
#include "base/finite.h"

namespace lethe {
namespace {

using audio_internal::PcmLayout;
using audio_internal::PcmSource;
using audio_internal::ReadWavHeader;
using audio_internal::RewindableBytes;
using audio_internal::WavHeader;

// Integers stored as floats without scaling stay below it; sums of a few thousand products of such
// values, in whatever filter follows, stay far below the end of 32-bit floats.
constexpr float kMaxLevel = 65536.0F;

// Every source is handed out inside this one: what it promises about samples is kept here.
class CheckedSource final : public AudioSource {
 public:
  explicit CheckedSource(std::unique_ptr<AudioSource> inner) : inner_(std::move(inner)) {}

  // Reads the first samples, since only they show that there are any.
  Status ReadFirst() {
    first_.resize(static_cast<size_t>(format().channels) * 256);
    ASSIGN_OR_RETURN(const size_t n, inner_->Read(first_));
    first_.resize(n);
    if (n == 0) {
      return InvalidArgument("is a recording without a single sample; record it again (container " +
                             format().container + ", codec " + format().codec + ")");
    }
    return Check(first_);
  }

  const AudioFormat& format() const override { return inner_->format(); }
  std::string warning() const override { return inner_->warning(); }

  Result<size_t> Read(std::span<float> interleaved) override {
    const auto channels = static_cast<size_t>(format().channels);
    LETHE_CHECK(interleaved.size() >= channels);
    if (first_begin_ < first_.size()) {
      const size_t n =
          std::min(interleaved.size() / channels * channels, first_.size() - first_begin_);
      std::copy_n(first_.begin() + static_cast<ptrdiff_t>(first_begin_), n, interleaved.begin());
      first_begin_ += n;
      return n;
    }
    ASSIGN_OR_RETURN(const size_t n, inner_->Read(interleaved));
    RETURN_IF_ERROR(Check(interleaved.first(n)));
    return n;
  }

 private:
  static Status Check(std::span<float> samples) {
    if (!AllFinite(samples)) {
      return InvalidArgument("holds samples that are not numbers; export it again as 16-bit WAV");
    }
    for (float& sample : samples) sample = std::clamp(sample, -kMaxLevel, kMaxLevel);
    return OkStatus();
  }

  const std::unique_ptr<AudioSource> inner_;
  std::vector<float> first_;
  size_t first_begin_ = 0;
};

Result<std::unique_ptr<AudioSource>> Checked(std::unique_ptr<AudioSource> inner) {
  auto source = std::make_unique<CheckedSource>(std::move(inner));
  RETURN_IF_ERROR(source->ReadFirst());
  return std::unique_ptr<AudioSource>(std::move(source));
}

bool BeginsWith(std::span<const std::byte> bytes, std::string_view magic, size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

bool LooksLikeWav(std::span<const std::byte> start) {
  for (const std::string_view magic : {"RIFF", "RIFX", "RF64", "BW64"}) {
    if (BeginsWith(start, magic)) return BeginsWith(start, "WAVE", 8) || start.size() < 12;
  }
  return false;
}

// Text has no control characters but white space; sound of this length has, save for formats whose
// header is text.
bool LooksLikeText(std::span<const std::byte> start) {
  if (BeginsWith(start, "NIST_1A") || BeginsWith(start, "#!AMR")) return false;
  return std::all_of(start.begin(), start.end(), [](std::byte byte) {
    const auto c = std::to_integer<unsigned char>(byte);
    return c >= 0x20 ? c != 0x7f : (c >= '\t' && c <= '\r') || c == 0x1b;
  });
}

// Voice messages of WeChat and QQ; theirs begin with a byte more than the codec's own.
bool LooksLikeSilk(std::span<const std::byte> start) {
  return BeginsWith(start, "#!SILK") || BeginsWith(start, "\x02#!SILK");
}

std::string GiveARecording() {
  return "give a recording (" + std::string(AcceptedAudioFormats()) + ")";
}

Result<std::unique_ptr<AudioSource>> OpenPcm(std::unique_ptr<ByteSource> bytes, AudioFormat format,
                                             const PcmLayout& layout, uint64_t header_bytes) {
  std::optional<uint64_t> data_bytes = layout.data_bytes;
  if (const auto size = bytes->size()) {
    const uint64_t there = *size - std::min(header_bytes, *size);
    data_bytes = std::min(data_bytes.value_or(there), there);
  }
  if (data_bytes) {
    const size_t frame_bytes =
        audio_internal::SampleBytes(layout.encoding) * static_cast<size_t>(format.channels);
    format.declared_seconds =
        static_cast<double>(*data_bytes / frame_bytes) / static_cast<double>(format.sample_rate);
  }
  format.codec = audio_internal::PcmCodecName(layout.encoding, layout.big_endian);
  return Checked(std::make_unique<PcmSource>(std::move(bytes), std::move(format), layout));
}

Result<std::unique_ptr<AudioSource>> OpenRaw(std::unique_ptr<ByteSource> bytes, const RawPcm& raw) {
  if (raw.sample_rate < 1 || raw.sample_rate > kMaxAudioSampleRate) {
    return InvalidArgument("raw samples per second must be from 1 to " +
                           std::to_string(kMaxAudioSampleRate) + ", not " +
                           std::to_string(raw.sample_rate));
  }
  if (raw.channels < 1 || raw.channels > kMaxAudioChannels) {
    return InvalidArgument("raw channels must be from 1 to " + std::to_string(kMaxAudioChannels) +
                           ", not " + std::to_string(raw.channels));
  }
  AudioFormat format{.sample_rate = raw.sample_rate, .channels = raw.channels, .container = "raw"};
  return OpenPcm(std::move(bytes), std::move(format), PcmLayout{}, 0);
}

}  // namespace

std::string_view AcceptedAudioFormats() {
  return "wav, mp3, m4a, mp4, aac, flac, ogg, opus, webm, mkv, wma, flv, avi, ts, mpg, ac3, amr, "
         "3gp, "
         "aiff, au, caf, sph, spx, gsm, w64";
}

Result<std::unique_ptr<AudioSource>> OpenAudio(std::unique_ptr<ByteSource> bytes,
                                               const AudioInputOptions& options) {
  if (options.raw) return OpenRaw(std::move(bytes), *options.raw);
  auto rewindable = std::make_unique<RewindableBytes>(std::move(bytes));
  ASSIGN_OR_RETURN(const std::vector<std::byte> start, rewindable->PeekFromStart(1024));
  if (start.empty()) return InvalidArgument("is empty; " + GiveARecording());
  if (LooksLikeWav(start)) {
    ASSIGN_OR_RETURN(const WavHeader header, ReadWavHeader(*rewindable));
    if (header.ours) {
      AudioFormat format{
          .sample_rate = header.sample_rate, .channels = header.channels, .container = "wav"};
      return OpenPcm(std::move(rewindable), std::move(format), header.layout, header.header_bytes);
    }
    RETURN_IF_ERROR(rewindable->Rewind());
  } else if (LooksLikeSilk(start)) {
    return InvalidArgument(
        "is SILK, for which there is no decoder here; convert it to wav, mp3 or amr");
  } else if (LooksLikeText(start)) {
    return InvalidArgument("holds text, not sound; " + GiveARecording());
  }
  MediaDecoder& decoder =
      options.media_decoder != nullptr ? *options.media_decoder : InProcessMediaDecoder();
  ASSIGN_OR_RETURN(std::unique_ptr<AudioSource> source, decoder.Open(std::move(rewindable)));
  return Checked(std::move(source));
}

Result<std::unique_ptr<AudioSource>> OpenAudioFile(const std::string& path,
                                                   const AudioInputOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, OpenByteFile(path));
  return OpenAudio(std::move(bytes), options);
}

Result<std::unique_ptr<AudioSource>> OpenAudioDescriptor(int fd, const AudioInputOptions& options) {
  return OpenAudio(BorrowDescriptor(fd), options);
}

Result<std::unique_ptr<AudioSource>> OpenAudioBytes(std::span<const std::byte> bytes,
                                                    const AudioInputOptions& options) {
  return OpenAudio(BorrowBytes(bytes), options);
}

}  // namespace lethe
