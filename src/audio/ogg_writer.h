#pragma once

// Packets of a codec made into an Ogg stream, which every decoder reads.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lethe {

/// Writes one logical stream. A packet is a page of its own, so nothing waits for the next one.
///
/// Source: RFC 3533, section 6
class OggWriter {
 public:
  /// Appends a page to `to`; `granule` is the codec's count of samples up to the packet's end.
  /// Packets are shorter than 65 025 bytes.
  void Append(std::string_view packet, std::uint64_t granule, std::vector<std::byte>* to);

  std::uint32_t num_pages() const { return num_pages_; }

 private:
  std::uint32_t num_pages_ = 0;
};

/// Appends the lowest `bytes` bytes of a number, the lowest first.
void AppendLittleEndian(std::string* to, std::uint64_t value, int bytes);

}  // namespace lethe
