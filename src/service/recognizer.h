#pragma once

// A recording that is in memory, as a caller of an interface hands it over, to its transcript.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "audio/media_decoder.h"
#include "base/status.h"
#include "base/units.h"
#include "service/engine_catalog.h"
#include "service/transcriber.h"

namespace lethe {

struct RecognitionRequest {
  EngineEntry engine;
  std::span<const std::byte> audio;  // outlives the call
  // What the caller says it is: "pcm" is believed (16 bit, little-endian, mono) unless the bytes
  // are those of a WAV file; everything else is recognised by its bytes.
  std::string format;
  int pcm_rate = 0;  // of "pcm"; 0: the engine's
  ChannelMode channels = ChannelMode::kMix;
  bool words = false;
  PostOptions post;
  std::shared_ptr<const HotWords> hot_words;
  ProgressCallback progress;        // may be empty
  SegmentCallback on_segment;       // may be empty
  Millis max_duration{0};           // longer audio is refused when it is met; 0: no limit
  std::function<bool()> cancelled;  // may be empty
};

/// Thread: any number at once; blocks until the transcript is there
/// Lifetime: `media` outlives it
class Recognizer {
 public:
  explicit Recognizer(MediaDecoder& media) : media_(media) {}

  /// Errors: kInvalidArgument for what is no recording, cannot be decoded or is too short to hold a
  ///         word; kResourceExhausted beyond max_duration; kUnavailable when all decoders or
  ///         streams are taken
  Result<Transcript> Recognize(const RecognitionRequest& request);

 private:
  MediaDecoder& media_;
};

/// True if the bytes begin as a WAV file does.
bool IsWav(std::span<const std::byte> bytes);

}  // namespace lethe
