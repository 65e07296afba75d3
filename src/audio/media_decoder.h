#pragma once

// The border behind which other people's decoders live.
//
// Compressed formats are parsed by FFmpeg's libraries: large, written in C, and fed with whatever
// strangers upload. All of it stays behind MediaDecoder: bytes go in, floats come out, nothing else
// crosses. So a child process without rights can take the place of the decoder in this process.

#include <memory>

#include "audio/audio_source.h"
#include "audio/byte_source.h"
#include "base/status.h"

namespace lethe {

/// Turns compressed recordings into samples.
/// Thread: any; each source it opens belongs to one
class MediaDecoder {
 public:
  virtual ~MediaDecoder() = default;

  /// Opens the first audio stream of a recording. The result may turn out to hold no samples.
  /// Errors: kInvalidArgument for what is no recording, has no sound, or cannot be decoded; an
  ///         error of `bytes` as it came
  virtual Result<std::unique_ptr<AudioSource>> Open(std::unique_ptr<ByteSource> bytes) = 0;
};

/// FFmpeg's libraries, linked into this process. They see the bytes given to them and nothing else:
/// no network, no second file, no playlist; only the containers and codecs in a list of ours.
/// Memory: bounded, save that an MP4 whose index stands at its end is held in memory when it comes
///         through a pipe, up to 128 MiB
MediaDecoder& InProcessMediaDecoder();

}  // namespace lethe
