#include "audio/internal/wav_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "audio/audio_source.h"
#include "audio/internal/rewindable_bytes.h"
#include "base/check.h"

namespace lethe::audio_internal {
namespace {

constexpr uint32_t kUnknownSize = 0xFFFFFFFF;
// What recorders write when they cannot know: SoX just below 2 GiB, arecord 2 GiB, others the same
// less a header. From here on a plain RIFF size is taken as a bound, not as a promise.
constexpr uint32_t kStreamedSizes = 0x7FFFF000;

constexpr uint32_t kMinSampleRate = 1'000;
constexpr uint16_t kTagPcm = 1;
constexpr uint16_t kTagFloat = 3;
constexpr uint16_t kTagALaw = 6;
constexpr uint16_t kTagMuLaw = 7;
constexpr uint16_t kTagExtensible = 0xFFFE;

// What follows the two bytes of the tag in the GUIDs of WAVE_FORMAT_EXTENSIBLE.
constexpr std::array<uint8_t, 14> kGuidTail = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                               0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};

// Reads the header's numbers in order and remembers how far it came.
class HeaderReader {
 public:
  explicit HeaderReader(ByteSource& bytes) : bytes_(bytes) {}

  uint64_t position() const { return position_; }
  void set_big_endian(bool big_endian) { big_endian_ = big_endian; }

  Result<bool> Fill(std::span<std::byte> to) {
    const size_t held = std::min(pushed_back_ ? size_t{1} : size_t{0}, to.size());
    if (held > 0) {
      to[0] = *pushed_back_;
      pushed_back_.reset();
    }
    ASSIGN_OR_RETURN(const size_t got, ReadFully(bytes_, to.subspan(held)));
    position_ += held + got;
    return held + got == to.size();
  }

  // False at the end of the input, which may come before a size that lies has passed.
  Result<bool> Skip(uint64_t n) {
    if (const auto size = bytes_.size()) {
      LETHE_CHECK(!pushed_back_ || n == 0);
      if (n > *size - std::min(position_, *size)) return false;
      position_ += n;
      RETURN_IF_ERROR(bytes_.Seek(position_));
      return true;
    }
    std::array<std::byte, 4096> waste;
    while (n > 0) {
      const auto piece = static_cast<size_t>(std::min<uint64_t>(n, waste.size()));
      ASSIGN_OR_RETURN(const bool full, Fill(std::span(waste).first(piece)));
      if (!full) return false;
      n -= piece;
    }
    return true;
  }

  // After a chunk of odd size: a zero is padding, anything else is the next chunk of a writer that
  // did not pad (no chunk's name begins with a zero).
  Status SkipPadding() {
    std::array<std::byte, 1> pad;
    ASSIGN_OR_RETURN(const bool full, Fill(pad));
    if (full && pad[0] != std::byte{0}) {
      pushed_back_ = pad[0];
      --position_;
    }
    return OkStatus();
  }

  uint16_t U16(std::span<const std::byte> at) const {
    const auto a = std::to_integer<uint16_t>(at[0]);
    const auto b = std::to_integer<uint16_t>(at[1]);
    return static_cast<uint16_t>(big_endian_ ? (a << 8 | b) : (b << 8 | a));
  }
  uint32_t U32(std::span<const std::byte> at) const {
    const uint32_t first = U16(at);
    const uint32_t second = U16(at.subspan(2));
    return big_endian_ ? (first << 16 | second) : (second << 16 | first);
  }
  uint64_t U64(std::span<const std::byte> at) const {
    const uint64_t first = U32(at);
    const uint64_t second = U32(at.subspan(4));
    return big_endian_ ? (first << 32 | second) : (second << 32 | first);
  }

 private:
  ByteSource& bytes_;
  uint64_t position_ = 0;
  bool big_endian_ = false;
  std::optional<std::byte> pushed_back_;
};

bool Is(std::span<const std::byte> at, std::string_view name) {
  return std::memcmp(at.data(), name.data(), name.size()) == 0;
}

std::string Bad(std::string_view what, uint64_t value) {
  return "has a damaged WAV header, export the recording again: " + std::string(what) + ": " +
         std::to_string(value);
}

Result<std::optional<PcmEncoding>> EncodingOf(uint16_t tag, uint16_t bits) {
  switch (tag) {
    case kTagPcm:
      if (bits == 0) return InvalidArgument(Bad("bits per sample", bits));
      // The valid bits stand at the top of their bytes, so 20 bits are read as the 24 they fill.
      if (bits <= 8) return std::optional(PcmEncoding::kU8);
      if (bits <= 16) return std::optional(PcmEncoding::kS16);
      if (bits <= 24) return std::optional(PcmEncoding::kS24);
      if (bits <= 32) return std::optional(PcmEncoding::kS32);
      return std::optional<PcmEncoding>();
    case kTagFloat:
      if (bits == 32) return std::optional(PcmEncoding::kF32);
      if (bits == 64) return std::optional(PcmEncoding::kF64);
      return InvalidArgument(Bad("bits per floating-point sample", bits));
    case kTagALaw:
      return std::optional(PcmEncoding::kALaw);
    case kTagMuLaw:
      return std::optional(PcmEncoding::kMuLaw);
    default:
      return std::optional<PcmEncoding>();
  }
}

// body: the first 16 to 40 bytes of the "fmt " chunk.
Result<WavHeader> ParseFormat(const HeaderReader& reader, std::span<const std::byte> body) {
  uint16_t tag = reader.U16(body);
  const uint16_t channels = reader.U16(body.subspan(2));
  const uint32_t sample_rate = reader.U32(body.subspan(4));
  const uint16_t block_align = reader.U16(body.subspan(12));
  const uint16_t bits = reader.U16(body.subspan(14));
  if (tag == kTagExtensible) {
    if (body.size() < 40) return InvalidArgument(Bad("bytes of extended format", body.size()));
    tag = reader.U16(body.subspan(24));
    if (std::memcmp(body.data() + 26, kGuidTail.data(), kGuidTail.size()) != 0) tag = 0;
  }
  if (channels == 0) return InvalidArgument(Bad("channels", channels));
  if (channels > kMaxAudioChannels) {
    return InvalidArgument("has more than " + std::to_string(kMaxAudioChannels) +
                           " channels, or a damaged header: " + std::to_string(channels));
  }
  // Less than holds any speech; at one a second a small file would be days of sound.
  if (sample_rate < kMinSampleRate) {
    return InvalidArgument(Bad("samples per second", sample_rate));
  }
  if (sample_rate > kMaxAudioSampleRate) {
    return InvalidArgument(
        "has more than " + std::to_string(kMaxAudioSampleRate) +
        " samples per second, or a damaged header: " + std::to_string(sample_rate));
  }
  ASSIGN_OR_RETURN(const std::optional<PcmEncoding> encoding, EncodingOf(tag, bits));
  WavHeader header;
  header.sample_rate = static_cast<int>(sample_rate);
  header.channels = channels;
  header.ours = encoding.has_value();
  if (!encoding) return header;
  header.layout.encoding = *encoding;
  if (block_align != SampleBytes(*encoding) * channels) {
    return InvalidArgument(Bad("bytes per frame do not fit " + std::to_string(channels) +
                                   " channels of " + std::to_string(bits) + " bits",
                               block_align));
  }
  return header;
}

// The bytes of sound that a header promises; nothing when it does not know.
std::optional<uint64_t> DataBytes(uint32_t declared, std::optional<uint64_t> declared64,
                                  uint32_t riff_size, const HeaderReader& reader,
                                  std::optional<uint64_t> input_size) {
  if (declared64.value_or(0) > 0 && (declared == kUnknownSize || declared == 0)) return declared64;
  if (declared >= kStreamedSizes) {
    const uint64_t here = reader.position();
    // A true file of that size is still cut where its sound ends, so that what follows is not
    // heard.
    if (declared == kUnknownSize || !input_size || *input_size < here + declared) return {};
    return declared;
  }
  if (declared > 0) return declared;
  // Nothing at all is meant only if the file as a whole is as long as it says, with something else
  // after the sound or the end right here.
  const uint64_t riff_end = uint64_t{riff_size} + 8;
  if (input_size) {
    if (riff_end == *input_size) return 0;
    return {};
  }
  if (riff_size != kUnknownSize && riff_end > reader.position()) return 0;
  return {};
}

Status NoSound(std::string_view what) {
  return InvalidArgument("is a WAV file without sound: " + std::string(what) + "; record it again");
}

}  // namespace

Result<WavHeader> ReadWavHeader(ByteSource& bytes) {
  HeaderReader reader(bytes);
  std::array<std::byte, 12> riff;
  ASSIGN_OR_RETURN(const bool whole, reader.Fill(riff));
  if (!whole) return NoSound("it ends within its header");
  reader.set_big_endian(Is(riff, "RIFX"));
  const uint32_t riff_size = reader.U32(std::span(riff).subspan(4));
  const bool wide = Is(riff, "RF64") || Is(riff, "BW64");

  std::optional<WavHeader> header;
  std::optional<uint64_t> data_size64;
  while (true) {
    std::array<std::byte, 8> chunk;
    ASSIGN_OR_RETURN(const bool more, reader.Fill(chunk));
    if (!more) return NoSound(header ? "it has no data chunk" : "it has no fmt chunk");
    const uint32_t size = reader.U32(std::span(chunk).subspan(4));
    if (Is(chunk, "data")) {
      if (!header) return NoSound("its data comes before its format");
      header->layout.data_bytes = DataBytes(size, data_size64, riff_size, reader, bytes.size());
      header->header_bytes = reader.position();
      return *header;
    }
    uint64_t left = size;
    if (Is(chunk, "fmt ") && !header) {
      std::array<std::byte, 40> room;
      const auto body = std::span(room).first(std::min<size_t>(size, room.size()));
      if (body.size() < 16) return InvalidArgument(Bad("bytes of format", size));
      ASSIGN_OR_RETURN(const bool full, reader.Fill(body));
      if (!full) return NoSound("it ends within its header");
      left -= body.size();
      ASSIGN_OR_RETURN(header, ParseFormat(reader, body));
      header->layout.big_endian = Is(riff, "RIFX");
      if (!header->ours) return *header;
    } else if (Is(chunk, "ds64") && wide && size >= 16) {
      std::array<std::byte, 16> body;
      ASSIGN_OR_RETURN(const bool full, reader.Fill(body));
      if (!full) return NoSound("it ends within its header");
      left -= body.size();
      data_size64 = reader.U64(std::span(body).subspan(8));
    }
    ASSIGN_OR_RETURN(const bool passed, reader.Skip(left));
    if (!passed) return NoSound("a chunk is longer than the file");
    if (size % 2 != 0) RETURN_IF_ERROR(reader.SkipPadding());
  }
}

}  // namespace lethe::audio_internal
