#pragma once

// One live call: bytes as a client speaks them in, events for the reader out.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "audio/media_decoder.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/units.h"
#include "engine/stream.h"
#include "service/engine_catalog.h"
#include "text/post_processor.h"

namespace lethe {

/// How live audio comes. Whatever is not PCM is recognised by its bytes.
enum class LiveFormat {
  kPcm,   // 16 bit, little-endian, mono; a WAV header before it is believed
  kWav,   // a WAV file of 16-bit PCM
  kALaw,  // G.711, mono, without a header
  kMuLaw,
  kMedia,       // anything that can be decoded as it comes: MP3, AAC (ADTS), Ogg Opus, Speex
  kRecordings,  // a whole file in each push (M4A), or in several that do not begin as files do
  kOpusFrames,  // the cloud's framing: "opus", a length of two bytes, a packet
};

struct LiveCallOptions {
  EngineEntry engine;
  LiveFormat format = LiveFormat::kPcm;
  int pcm_rate = 0;  // of kPcm, kALaw, kMuLaw; 0: the engine's
  LiveOptions live;  // its `notify` is not looked at
  PostOptions post;  // a language without rules is left as it is
  // How much audio may wait for the engine, of a client that is faster than speech.
  Millis max_ahead{60'000};
  // Called on any thread when there are events to take, room again, or an error: then Pump() is
  // due. It must be quick and must not destroy the call. May be empty.
  std::function<void()> notify;
};

/// Threads that decode compressed live audio, one for each call that has it.
///
/// Thread: any. Lifetime: `media` outlives it; it outlives its calls, and waits for its threads
class LiveDecoders {
 public:
  LiveDecoders(MediaDecoder& media, int most) : media_(media), most_(most) {}
  ~LiveDecoders();
  LiveDecoders(const LiveDecoders&) = delete;
  LiveDecoders& operator=(const LiveDecoders&) = delete;

  /// Calls that are decoding.
  int running() const;

 private:
  friend class LiveCall;
  // Errors: kResourceExhausted when `most_` are running.
  Status Start(std::function<void(MediaDecoder&)> work);

  // Constant after construction.
  MediaDecoder& media_;
  const int most_;
  // Any thread.
  mutable Mutex mutex_;
  CondVar changed_;
  int running_ GUARDED_BY(mutex_) = 0;
};

/// Thread:   one at a time. Nothing waits
/// Lifetime: the engine and `decoders` outlive it. Destroying it drops what is not done; `notify`
///           is not called afterwards
class LiveCall {
 public:
  /// Errors: kResourceExhausted when all streams or decoders are taken; kInvalidArgument for
  ///         options out of their range, naming it
  static Result<std::unique_ptr<LiveCall>> Open(LiveCallOptions options, LiveDecoders& decoders);
  ~LiveCall();
  LiveCall(const LiveCall&) = delete;
  LiveCall& operator=(const LiveCall&) = delete;

  /// Takes the next bytes, any number. Errors: kResourceExhausted when more than max_ahead waits;
  /// kInvalidArgument when they, or what came before, cannot be decoded; kUnavailable when the
  /// decoders fail
  Status PushBytes(std::span<const std::byte> bytes);

  /// Other hot words, made for the call's engine, from the next utterance on; null: none.
  void SetHotWords(std::shared_ptr<const HotWords> hot_words);

  /// No more audio: what was said last becomes final.
  void Finish();

  /// Goes on with what waits. Errors: as PushBytes(), also of what was found on other threads
  Status Pump();

  /// The events since the last call, in order, their texts and words post-processed. A text may be
  /// empty where nothing was left.
  std::vector<StreamEvent> TakeEvents();

  /// True when the audio was finished and every event is there to be taken.
  bool complete() const;

  /// Audio that the engine was given, and bytes that came.
  Millis audio() const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  class Impl;
  explicit LiveCall(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::uint64_t bytes_ = 0;
};

/// Rewrites an event as its reader gets it. What is promised shrinks to what no later word can
/// change: where anything is rewritten, to the last end of a sentence.
void PostProcessEvent(const PostProcessor& processor, const PostOptions& options,
                      StreamEvent* event);

}  // namespace lethe
