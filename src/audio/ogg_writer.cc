#include "audio/ogg_writer.h"

#include <array>
#include <span>

#include "base/check.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxPacket = std::size_t{255} * 255 - 1;
constexpr std::uint64_t kBeginsStream = 2;
constexpr std::uint64_t kStreamNumber = 1;

// Polynomial 0x04c11db7, no reflection, nothing added.
std::uint32_t Checksum(std::string_view page) {
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

void AppendLittleEndian(std::string* to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to->push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

void OggWriter::Append(std::string_view packet, std::uint64_t granule, std::vector<std::byte>* to) {
  LETHE_CHECK(packet.size() <= kMaxPacket);
  std::string page = "OggS";
  AppendLittleEndian(&page, 0, 1);  // the format's version
  AppendLittleEndian(&page, num_pages_ == 0 ? kBeginsStream : 0, 1);
  AppendLittleEndian(&page, granule, 8);
  AppendLittleEndian(&page, kStreamNumber, 4);
  AppendLittleEndian(&page, num_pages_++, 4);
  const std::size_t checksum_at = page.size();
  AppendLittleEndian(&page, 0, 4);
  const std::size_t segments = packet.size() / 255 + 1;
  AppendLittleEndian(&page, segments, 1);
  page.append(segments - 1, static_cast<char>(0xff));
  AppendLittleEndian(&page, packet.size() % 255, 1);
  page += packet;
  std::string sum;
  AppendLittleEndian(&sum, Checksum(page), 4);
  page.replace(checksum_at, sum.size(), sum);
  const auto all = std::as_bytes(std::span(page));
  to->insert(to->end(), all.begin(), all.end());
}

}  // namespace lethe
