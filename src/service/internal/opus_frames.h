#pragma once

// The cloud's framing of Opus (contract, section 5.5) made into an Ogg Opus stream, which every
// decoder reads.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/ogg_writer.h"
#include "base/status.h"

namespace lethe::internal {

/// Frames of "opus", a length of two bytes and an Opus packet, in pieces of any size. The order of
/// the length's bytes is not documented: the first frame shows which of the two it is, with the
/// beginning of the second where both could be. A stream that begins as Ogg does is passed on as it
/// is.
///
/// Thread: one at a time
class OpusFrames {
 public:
  /// Takes the next bytes and returns what they complete of the Ogg stream. Memory: at most one
  /// frame is held. Errors: kInvalidArgument for what is no frame
  Result<std::vector<std::byte>> Push(std::span<const std::byte> bytes);

 private:
  enum class Kind { kUnknown, kFrames, kOgg };

  void FindByteOrder(std::string_view held);

  Kind kind_ = Kind::kUnknown;
  std::optional<bool> big_endian_;
  std::string held_;  // the beginning of a frame
  std::uint64_t granule_ = 0;
  OggWriter ogg_;
};

/// The samples at 48 kHz that a packet stands for (RFC 6716, section 3.1); nothing if it is none.
std::optional<int> OpusPacketSamples(std::string_view packet);

}  // namespace lethe::internal
