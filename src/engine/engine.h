#pragma once

// The engine: samples in, segments of text out.
//
// An Engine owns a few worker threads and shares one model among them. A Stream is one client's
// audio from open to close. Pushed samples go through voice activity detection at once, on the
// caller's thread; whenever a stretch of speech is complete it becomes a segment, which a worker
// transcribes. Segments come back in the order in which they were spoken, whichever worker was
// first.
//
//   Engine engine(model, voice_activity, {.num_threads = 2});
//   std::unique_ptr<Stream> stream = engine.Open({.words = true});
//   while (more) RETURN_IF_ERROR(stream->PushSamples(samples));
//   ASSIGN_OR_RETURN(const std::vector<Segment> rest, stream->Finish());
//
// The text of a segment depends on its samples alone: not on the number of threads, nor on the
// instruction set, nor on what else the engine is doing.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "decode/segmenter.h"

namespace lethe {

class HotWords;
class SpeechModel;
class VoiceActivityModel;

/// One word with its place in the stream.
struct Word {
  std::string text;  // as the model wrote it, punctuation attached
  Millis start{0};
  Millis end{0};
  float confidence = 0;  // geometric mean of its tokens' probabilities, 0..1
};

/// A timed piece of transcript, final.
struct Segment {
  int channel = 0;
  Millis start{0};  // from the beginning of the stream
  Millis end{0};
  std::string text;      // no white space at either end; empty text is never published
  float confidence = 0;  // geometric mean of the tokens' probabilities
  int num_tokens = 0;
  std::vector<Word> words;  // only when StreamOptions::words
};

/// An utterance the model is unsure of is heard a second time, with silence around it, and the
/// answer with the higher confidence is kept. Small models are easily put off by where a recording
/// is cut: another framing of the same sound is another chance.
struct HearingOptions {
  float unsure = 0.82f;  // confidence below which there is a second hearing; 0: never
  Millis silence{200};   // on either side
};

struct EngineOptions {
  int num_threads = 0;  // workers; 0: one for each core this process may use
  SegmenterOptions segmenter;
  HearingOptions hearing;
};

struct StreamOptions {
  bool words = false;
  int channel = 0;
  std::shared_ptr<const HotWords> hot_words;  // may be empty; see engine/hot_words.h
};

/// One client's audio. One thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Takes the next samples: 16 kHz mono in [-1, 1], any number. Waits while too much of this
  /// stream's speech is still to be transcribed. Errors: kInvalidArgument for a sample that is not
  /// finite.
  virtual Status PushSamples(std::span<const float> samples) = 0;

  /// The segments that became final since the last call, in spoken order. Never waits.
  virtual std::vector<Segment> TakeSegments() = 0;

  /// Ends the audio, waits for what is still being transcribed, and returns it. Nothing may be
  /// pushed afterwards.
  virtual Result<std::vector<Segment>> Finish() = 0;
};

/// Transcribes any number of streams at once on a fixed number of threads.
///
/// Thread:   Open() from any thread
/// Lifetime: must outlive its streams; destroying a stream early drops its unfinished segments
class Engine {
 public:
  Engine(std::shared_ptr<const SpeechModel> model,
         std::shared_ptr<const VoiceActivityModel> voice_activity, const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::unique_ptr<Stream> Open(const StreamOptions& options);

  int num_threads() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lethe
