#pragma once

// The engine: samples in, segments of text out.
//
// An Engine owns a *shard* for each core: a thread with a batch of utterances that it takes through
// the model together, all sharing one model. A recording is pushed as fast as the engine takes it:
// voice activity detection runs on the caller's thread, and whenever a stretch of speech is
// complete, any shard transcribes it. Segments come back in the order in which they were spoken,
// whichever shard was first.
//
//   Engine engine(model, voice_activity, {.num_threads = 2});
//   ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, engine.Open({.words = true}));
//   while (more) RETURN_IF_ERROR(stream->PushSamples(samples));
//   ASSIGN_OR_RETURN(const std::vector<Segment> rest, stream->Finish());
//
// Live audio belongs to one shard, which does all of its work, so pushing it never waits
// (engine/stream.h). Who waits for whom: what somebody has just finished saying goes before
// partials, partials before the first minute of recordings, that before the rest of long ones;
// nobody starves.
//
// The text of a segment, and its alternatives, depend on its samples alone: not on the number of
// shards, nor on the instruction set, nor on what else the engine is doing. One exception: a live
// stream's partials promise the beginning of their final (StreamEvent::stable_bytes), promises
// depend on when partials were made, and a final that would break one is made to keep it.

#include <chrono>
#include <memory>

#include "base/status.h"
#include "base/units.h"
#include "decode/segmenter.h"
#include "engine/stream.h"

namespace lethe {

class SpeechModel;
class VoiceActivityModel;

/// An utterance the model is unsure of, or comes to no end with, is heard a second time, with
/// silence around it. What both say, and the second surely, is the answer, or else what both
/// together find most probable. Small models are easily put off by where a recording is cut:
/// another framing of the same sound is more to go by.
struct HearingOptions {
  float unsure = 0.82f;  // confidence below which there is a second hearing; 0: never
  Millis silence{200};   // on either side
};

struct EngineOptions {
  int num_threads = 0;  // shards; 0: one for each core this process may use
  // Streams open at a time, recordings and live ones together. A live stream costs up to 1.2 MB
  // while somebody speaks, and twice that while there is no place for what was said. A recording
  // costs up to 16 MB if its caller is faster than the shards.
  int max_streams = 4096;
  SegmenterOptions segmenter;
  HearingOptions hearing;
};

/// What an engine has to do, and what it did since it was made; for metrics.
struct EngineFigures {
  int live_streams = 0;                // open now
  int recordings = 0;                  // open now
  int waiting = 0;                     // stretches of recordings that no shard has taken yet
  std::chrono::microseconds heard{0};  // audio that was pushed, of live streams and recordings
  std::chrono::nanoseconds busy{0};    // that shards were at work, of all of them together

  EngineFigures& operator+=(const EngineFigures& other);
};

/// Transcribes any number of streams at once on a fixed number of threads.
///
/// Thread:   any
/// Lifetime: must outlive its streams; destroying a stream early drops its unfinished segments
class Engine {
 public:
  Engine(std::shared_ptr<const SpeechModel> model,
         std::shared_ptr<const VoiceActivityModel> voice_activity, const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Opens a recording. Errors: kResourceExhausted when max_streams are open; kInvalidArgument for
  /// a number of alternatives out of its range.
  Result<std::unique_ptr<Stream>> Open(const StreamOptions& options);

  /// Opens live audio. Errors: kResourceExhausted when max_streams are open; kInvalidArgument for
  /// options out of their range, naming it.
  Result<std::unique_ptr<LiveStream>> OpenLive(const LiveOptions& options);

  int num_threads() const;
  /// The real-time factor is what `busy` grew by over what `heard` did: compute time over audio
  /// time. Voice activity of recordings is not in it: that is heard on their callers' threads.
  EngineFigures figures() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lethe
