#pragma once

// A recording decoded by FFmpeg's libraries in this process.

#include <memory>

#include "audio/audio_source.h"
#include "audio/byte_source.h"
#include "audio/internal/rewindable_bytes.h"

namespace lethe::audio_internal {

/// As MediaDecoder::Open().
Result<std::unique_ptr<AudioSource>> OpenWithFfmpeg(std::unique_ptr<RewindableBytes> bytes);

}  // namespace lethe::audio_internal
