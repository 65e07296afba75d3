#pragma once

// Recordings in, transcripts out: where audio, models and the engine meet.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audio/speech_reader.h"
#include "base/status.h"
#include "engine/engine.h"
#include "service/transcript.h"
#include "text/post_processor.h"

namespace lethe {

/// Told now and then, from the transcribing thread, how much audio was taken in; `total` only if
/// the container says how long it is.
using ProgressCallback = std::function<void(Millis done, std::optional<Millis> total)>;

/// Told, from the transcribing thread, each segment that has become final and is rewritten as
/// asked: of every channel in spoken order, while the rest of the recording is still being heard.
using SegmentCallback = std::function<void(const Segment& segment)>;

struct TranscribeOptions {
  ChannelMode channels = ChannelMode::kMix;
  bool words = false;                         // word times
  int alternatives = 0;                       // of a segment at most; as in StreamOptions
  PostOptions post;                           // what is done to the text; nothing by default
  std::optional<RawPcm> raw;                  // the input is samples without a header
  std::shared_ptr<const HotWords> hot_words;  // may be empty
  Millis max_duration{0};                     // longer is kResourceExhausted; 0: no limit
  ProgressCallback progress;                  // may be empty
  SegmentCallback on_segment;                 // may be empty
  std::function<bool()> cancelled;            // asked now and then; true ends it with kCancelled
};

/// Which model speaks for a transcript.
struct ModelLabel {
  std::string name;
  std::string language;
};

/// Transcribes recordings of any length: audio is read, resampled and pushed in pieces, so memory
/// does not grow with the recording, only with its text.
///
/// Thread:   any number of Transcribe() at once; they share the engine's shards
/// Lifetime: `engine` must outlive it
class Transcriber {
 public:
  Transcriber(Engine& engine, ModelLabel label) : engine_(engine), label_(std::move(label)) {}

  /// Transcribes one file, or standard input when `path` is "-".
  /// Errors: as the audio reader; a recording too short to hold a word is kInvalidArgument, and
  ///         options.post of a language without rules kUnimplemented, an engine without a free
  ///         stream kUnavailable. Messages do not repeat the path: the caller has it.
  Result<Transcript> Transcribe(const std::string& path, const TranscribeOptions& options);

  /// Transcribes what is open already; `name` becomes the transcript's source. Errors: as above;
  /// options.raw is not looked at
  Result<Transcript> TranscribeSource(std::unique_ptr<AudioSource> source, const std::string& name,
                                      const TranscribeOptions& options);

 private:
  Engine& engine_;
  const ModelLabel label_;
};

/// Lists the recordings of a directory and its subdirectories, sorted by path: files whose name
/// ends as recordings do (.wav, .mp3, .m4a, ...). Hidden files and symbolic links to directories
/// are left out. Errors: kNotFound or kPermissionDenied; kInvalidArgument if there is none, or more
/// than
///         kMaxRecordingsInDirectory.
Result<std::vector<std::string>> ListRecordings(const std::string& directory);

inline constexpr std::size_t kMaxRecordingsInDirectory = 1'000'000;

}  // namespace lethe
