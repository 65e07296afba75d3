#include "service/internal/opus_frames.h"

#include <algorithm>
#include <array>

namespace lethe::internal {
namespace {

constexpr std::string_view kMagic = "opus";
constexpr std::size_t kHeader = kMagic.size() + 2;
// 120 ms at the highest rate is less than 8 kB (RFC 6716, section 3.4).
constexpr std::size_t kMaxPacket = 8192;
constexpr std::uint8_t kBeginsStream = 2;
constexpr int kMaxPacketSamples = 5760;  // 120 ms

std::uint8_t ByteAt(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

void AppendLittle(std::string* to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to->push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

// RFC 3533, section 6: polynomial 0x04c11db7, no reflection, nothing added.
std::uint32_t OggChecksum(std::string_view page) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i << 24;
      for (int bit = 0; bit < 8; ++bit) value = value << 1 ^ ((value >> 31) * 0x04c11db7U);
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t sum = 0;
  for (const char c : page) sum = sum << 8 ^ table[(sum >> 24) ^ static_cast<std::uint8_t>(c)];
  return sum;
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
    if (num_pages_ == 0) {
      std::string head = "OpusHead";
      AppendLittle(&head, 1, 1);       // version
      AppendLittle(&head, 1, 1);       // channels
      AppendLittle(&head, 0, 2);       // samples to skip
      AppendLittle(&head, 16'000, 4);  // the rate before encoding; says nothing to a decoder
      AppendLittle(&head, 0, 3);       // gain; one stream
      AppendPage(head, kBeginsStream, &ogg);
      std::string tags = "OpusTags";
      AppendLittle(&tags, 0, 8);  // nobody made it, nothing is said about it
      AppendPage(tags, 0, &ogg);
    }
    granule_ += static_cast<std::uint64_t>(*samples);
    AppendPage(packet, 0, &ogg);
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

// A packet is a page of its own (RFC 7845, section 3): nothing waits for the next one.
void OpusFrames::AppendPage(std::string_view packet, std::uint8_t flags,
                            std::vector<std::byte>* ogg) {
  std::string page = "OggS";
  AppendLittle(&page, 0, 1);
  AppendLittle(&page, flags, 1);
  AppendLittle(&page, granule_, 8);
  AppendLittle(&page, 1, 4);  // the stream's number
  AppendLittle(&page, num_pages_++, 4);
  const std::size_t checksum_at = page.size();
  AppendLittle(&page, 0, 4);
  const std::size_t segments = packet.size() / 255 + 1;
  AppendLittle(&page, segments, 1);
  page.append(segments - 1, static_cast<char>(0xff));
  AppendLittle(&page, packet.size() % 255, 1);
  page += packet;
  const std::uint32_t sum = OggChecksum(page);
  for (std::size_t i = 0; i < 4; ++i) {
    page[checksum_at + i] = static_cast<char>(sum >> (8 * i) & 0xff);
  }
  const auto all = std::as_bytes(std::span(page));
  ogg->insert(ogg->end(), all.begin(), all.end());
}

}  // namespace lethe::internal
