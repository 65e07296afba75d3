#pragma once

// The header of a RIFF/WAVE file, from a stream and within bounds.

#include <cstdint>
#include <optional>

#include "audio/byte_source.h"
#include "audio/internal/pcm_source.h"
#include "base/status.h"

namespace lethe::audio_internal {

struct WavHeader {
  int sample_rate = 0;
  int channels = 0;
  PcmLayout layout;
  uint64_t header_bytes = 0;  // from the first byte to the first of sound
  /// False for a codec that is somebody else's (ADPCM, GSM, MP3 in WAV): the rest says nothing
  /// then.
  bool ours = true;
};

/// Reads from the first byte to the first byte of sound.
///
/// RIFF, RIFX (big-endian), RF64 and BW64; unknown chunks are passed over, with or without the byte
/// that should pad an odd one. A size of sound that cannot be known when a header is streamed (0,
/// 0xFFFFFFFF, and what common recorders put in their place) means: until the input ends.
///
/// Errors: kInvalidArgument for a header that contradicts itself, or is no sound of ours at all
/// Source: Microsoft/IBM "Multimedia Programming Interface and Data Specifications 1.0" (1991);
///         "Multiple Channel Audio Data and WAVE Files" (Microsoft, 2007); EBU Tech 3306 (RF64)
Result<WavHeader> ReadWavHeader(ByteSource& bytes);

}  // namespace lethe::audio_internal
