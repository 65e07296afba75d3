#pragma once

// Samples in: any recording becomes a stream of floats.
//
// OpenAudioFile() and its sisters look at the first bytes. RIFF/WAVE is parsed here, by our own
// bounded reader; everything else, and a WAV whose codec we do not know, goes to a MediaDecoder
// (audio/media_decoder.h). Whatever opens has at least one frame of sound. audio/speech_reader.h
// turns the stream into what the models hear.
//
// No message names the file: the caller knows what it opened and says so with WithContext().

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace lethe {

class ByteSource;
class MediaDecoder;

/// What a recording says about itself.
struct AudioFormat {
  int sample_rate = 0;
  int channels = 0;
  std::string container;  ///< "wav", "mp3", "mov,mp4,m4a,3gp,3g2,mj2", "raw", ...
  std::string codec;      ///< "pcm_s16le", "mp3float", ...
  /// Length by the header, where it can be believed: a size beyond the end of the file is cut
  /// there.
  std::optional<double> declared_seconds;
};

/// The limits of what we open. A header beyond them is a lie far more often than a recording.
inline constexpr int kMaxAudioChannels = 64;
inline constexpr int kMaxAudioSampleRate = 768'000;

/// One recording, read from beginning to end in bounded memory.
/// Thread: one thread at a time
class AudioSource {
 public:
  virtual ~AudioSource() = default;

  /// Constant from opening on.
  virtual const AudioFormat& format() const = 0;

  /// Reads the next frames.
  /// Shapes: interleaved [frames, channels] f32; room for one frame or more
  /// Units:  nominally [-1, 1]; always finite; what a float file holds beyond +-65536 is cut there
  /// Errors: kInvalidArgument for NaN and infinity; as ErrnoStatus() when the input cannot be read
  /// Returns the number of floats written, a multiple of channels; 0 is the end, also ever after.
  virtual Result<size_t> Read(std::span<float> interleaved) = 0;

  /// Says in one line what was wrong with a recording that could be read all the same, for example
  /// "ends early: 12.0 s promised, 7.4 s found". Empty if nothing is known; complete at the end.
  virtual std::string warning() const { return {}; }
};

/// Samples without a header: signed 16-bit little-endian, interleaved.
struct RawPcm {
  int sample_rate = 16'000;
  int channels = 1;
};

struct AudioInputOptions {
  /// Set: the input is taken for this, whatever its first bytes look like.
  std::optional<RawPcm> raw;
  /// What decodes everything but WAV; null for InProcessMediaDecoder(). Outlives the AudioSource.
  MediaDecoder* media_decoder = nullptr;
};

/// Opens a recording.
/// Errors: kNotFound, kPermissionDenied, ... as ErrnoStatus(); kInvalidArgument for what is no
///         sound: a directory, an empty file, text, a header without samples, an impossible header;
///         for SILK too
Result<std::unique_ptr<AudioSource>> OpenAudioFile(const std::string& path,
                                                   const AudioInputOptions& options = {});

/// Reads a descriptor from where it stands: a pipe as it comes, a file as OpenAudioFile().
/// Lifetime: fd is borrowed and stays open
Result<std::unique_ptr<AudioSource>> OpenAudioDescriptor(int fd,
                                                         const AudioInputOptions& options = {});

/// Reads from memory. Lifetime: bytes outlive the AudioSource
Result<std::unique_ptr<AudioSource>> OpenAudioBytes(std::span<const std::byte> bytes,
                                                    const AudioInputOptions& options = {});

/// What all of the above come to; for inputs of the caller's own making.
Result<std::unique_ptr<AudioSource>> OpenAudio(std::unique_ptr<ByteSource> bytes,
                                               const AudioInputOptions& options = {});

/// The formats to name in a message: "wav, mp3, m4a, ...".
std::string_view AcceptedAudioFormats();

}  // namespace lethe
