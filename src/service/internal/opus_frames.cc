#include "service/internal/opus_frames.h"

#include <algorithm>
#include <array>

namespace lethe::internal {
namespace {

constexpr std::string_view kMagic = "opus";
constexpr std::size_t kHeader = kMagic.size() + 2;
// 120 ms at the highest rate is less than 8 kB (RFC 6716, section 3.4).
constexpr std::size_t kMaxPacket = 8192;
constexpr int kMaxPacketSamples = 5760;  // 120 ms

std::uint8_t ByteAt(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

}  // namespace

std::optional<int> OpusPacketSamples(std::string_view packet) {
  if (packet.empty()) return std::nullopt;
  const unsigned toc = ByteAt(packet, 0);
  const unsigned config = toc >> 3;
  int frame = 0;
  if (config < 12) {
    frame = std::array{480, 960, 1920, 2880}[config & 3];
  } else if (config < 16) {
    frame = std::array{480, 960}[config & 1];
  } else {
    frame = std::array{120, 240, 480, 960}[config & 3];
  }
  int frames = (toc & 3) == 0 ? 1 : 2;
  if ((toc & 3) == 3) {
    if (packet.size() < 2) return std::nullopt;
    frames = ByteAt(packet, 1) & 0x3f;
  }
  const int samples = frame * frames;
  if (samples == 0 || samples > kMaxPacketSamples) return std::nullopt;
  return samples;
}

Result<std::vector<std::byte>> OpusFrames::Push(std::span<const std::byte> bytes) {
  if (kind_ == Kind::kOgg) return std::vector(bytes.begin(), bytes.end());
  held_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string_view rest = held_;
  std::vector<std::byte> ogg;
  if (kind_ == Kind::kUnknown) {
    if (rest.size() < kMagic.size()) return ogg;
    if (rest.starts_with("OggS")) {
      kind_ = Kind::kOgg;
      const auto all = std::as_bytes(std::span(held_));
      ogg.assign(all.begin(), all.end());
      held_ = {};
      return ogg;
    }
    kind_ = Kind::kFrames;
  }
  while (!rest.empty()) {
    if (!rest.starts_with(kMagic.substr(0, std::min(rest.size(), kMagic.size())))) {
      return InvalidArgument("is no stream of Opus frames");
    }
    if (rest.size() < kHeader) break;
    if (!big_endian_) FindByteOrder(rest);
    if (!big_endian_) break;
    const std::size_t first = ByteAt(rest, 4);
    const std::size_t second = ByteAt(rest, 5);
    const std::size_t size = *big_endian_ ? first << 8 | second : second << 8 | first;
    if (size > kMaxPacket) {
      return InvalidArgument("has an Opus frame of an impossible size: " + std::to_string(size));
    }
    if (rest.size() < kHeader + size) break;
    const std::string_view packet = rest.substr(kHeader, size);
    rest.remove_prefix(kHeader + size);
    if (packet.empty()) continue;  // silence that was not sent
    const std::optional<int> samples = OpusPacketSamples(packet);
    if (!samples) return InvalidArgument("holds an Opus packet that is none");
    if (ogg_.num_pages() == 0) {
      std::string head = "OpusHead";
      AppendLittleEndian(&head, 1, 1);       // version
      AppendLittleEndian(&head, 1, 1);       // channels
      AppendLittleEndian(&head, 0, 2);       // samples to skip
      AppendLittleEndian(&head, 16'000, 4);  // the rate before encoding; says nothing to a decoder
      AppendLittleEndian(&head, 0, 3);       // gain; one stream
      ogg_.Append(head, 0, &ogg);
      std::string tags = "OpusTags";
      AppendLittleEndian(&tags, 0, 8);  // nobody made it, nothing is said about it
      ogg_.Append(tags, 0, &ogg);
    }
    granule_ += static_cast<std::uint64_t>(*samples);
    ogg_.Append(packet, granule_, &ogg);
  }
  held_.erase(0, held_.size() - rest.size());
  return ogg;
}

// Where only one reading of the first length is possible, that. Otherwise the next frame has to
// begin where one of them says.
void OpusFrames::FindByteOrder(std::string_view held) {
  const std::size_t first = ByteAt(held, 4);
  const std::size_t second = ByteAt(held, 5);
  const std::size_t little = second << 8 | first;
  const std::size_t big = first << 8 | second;
  if (little > kMaxPacket || big > kMaxPacket) {
    big_endian_ = big <= kMaxPacket;
    return;
  }
  const std::size_t next = kHeader + std::min(little, big);
  if (little != big && held.size() < next + kMagic.size()) return;
  const bool is_smaller = little == big || held.substr(next, kMagic.size()) == kMagic;
  big_endian_ = is_smaller == (big < little);
}

}  // namespace lethe::internal
