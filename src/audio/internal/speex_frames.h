#pragma once

// Speex without a container: frames, one behind the other, as the encoder wrote them.
//
// A frame says how long it is: its layers (narrow band, then up to two that widen it) begin with
// their modes, each mode has so many bits, and what is left of the last byte is a 0 and then 1s.
//
// Source: The Speex Codec Manual 1.2, sections 8.4, 9.3 and 10.4

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "audio/byte_source.h"

namespace lethe::audio_internal {

struct SpeexFrame {
  enum class Kind { kNone, kCut, kWhole };  // no frame; one whose end is not there; one
  Kind kind = Kind::kNone;
  int bands = 1;  // 1: 8 kHz, 2: 16 kHz, 3: 32 kHz
  std::size_t bytes = 0;
};

/// The frame that begins with these bytes; `last`: nothing comes behind them.
SpeexFrame ReadSpeexFrame(std::span<const std::byte> bytes, bool last);

/// What stands before each frame: nothing, or its length in bytes.
enum class SpeexFraming { kBare, kByte, kLittleEndian, kBigEndian };

/// How a stream that begins so is framed; nothing if it is no Speex. Five frames of one band have
/// to follow each other: by chance, that happens once in some hundred thousand times.
std::optional<SpeexFraming> FindSpeexFraming(std::span<const std::byte> start);

/// Reads frames and gives them as an Ogg stream, a page for each.
/// Errors, of Read(): kInvalidArgument where a frame is none, or of another band than the first
std::unique_ptr<ByteSource> SpeexAsOgg(std::unique_ptr<ByteSource> frames, SpeexFraming framing);

}  // namespace lethe::audio_internal
