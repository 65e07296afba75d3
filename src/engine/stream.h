#pragma once

// Streams: one client's audio, from open to close, and what is heard in it.
//
// A Stream takes a recording as fast as it can be transcribed and gives segments, each final. A
// LiveStream takes audio as it is spoken and gives events: an utterance begins, a partial that may
// still change, a final. Both are opened by an Engine (engine/engine.h) and must not outlive it.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/units.h"

namespace lethe {

class HotWords;

/// One word with its place in the stream.
struct Word {
  std::string text;  // as the model wrote it, punctuation attached
  Millis start{0};
  Millis end{0};
  float confidence = 0;  // geometric mean of its tokens' probabilities, 0..1
};

/// Alternatives that a caller may ask for.
inline constexpr int kMaxAlternatives = 4;

/// What a segment may have been taken for. An answer's list begins with the answer itself, to the
/// last bit; what follows is ordered by log_probability, and no text comes twice.
struct Alternative {
  std::string text;      // never empty
  float confidence = 0;  // as the segment's, if this were its text
  /// Natural logarithm of the probability of all of it, its end included. Of an utterance that was
  /// heard twice (HearingOptions), the answer has that of the second hearing, and by how much
  /// others are less probable is the mean of both. It ranks texts of one segment, and a longer text
  /// is less probable. An answer may have less than what follows it: it comes from a narrower
  /// search, and hot words are worth a loss.
  double log_probability = 0;
  int num_tokens = 0;
};

/// A timed piece of transcript.
struct Segment {
  int channel = 0;
  Millis start{0};  // from the beginning of the stream
  Millis end{0};
  std::string text;      // no white space at either end
  float confidence = 0;  // geometric mean of the tokens' probabilities
  int num_tokens = 0;
  std::vector<Word> words;  // only when the stream was opened with `words`
  // The answer, and what else it may have been; only when the stream was opened with `alternatives`
  std::vector<Alternative> alternatives;
};

struct StreamOptions {
  bool words = false;
  int channel = 0;
  // Texts that each segment has at most in its list of alternatives, the answer among them: 0, no
  // list, to kMaxAlternatives, what the engine's beam can give. There may be fewer: only the answer
  // where all else is far less probable. Asking changes no answer, and a shorter list is the
  // beginning of a longer one. More than 1 costs a beam search for each segment: with it a sentence
  // takes 1.4 times the instructions.
  // With hot words the answer is the text they were put into, wherever they belong; the others are
  // what the model found by itself, hot words in them written as they were given.
  int alternatives = 0;
  std::shared_ptr<const HotWords> hot_words;  // may be empty; see engine/hot_words.h
  // Asked ten times a second while there is something to wait for; true ends that with kCancelled.
  // It must be quick, and may be empty.
  std::function<bool()> cancelled = nullptr;
};

/// A recording. One thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Takes the next samples: 16 kHz mono in [-1, 1], any number. Waits while too much of this
  /// stream's speech is still to be transcribed. Errors: kInvalidArgument for a sample that is not
  /// finite; kCancelled as asked for, and then the stream can only be destroyed.
  virtual Status PushSamples(std::span<const float> samples) = 0;

  /// The segments that became final since the last call, in spoken order, none of them empty. Never
  /// waits.
  virtual std::vector<Segment> TakeSegments() = 0;

  /// Ends the audio, waits for what is still being transcribed, and returns it. Nothing may be
  /// pushed afterwards. Errors: kCancelled, as above
  virtual Result<std::vector<Segment>> Finish() = 0;
};

struct LiveOptions {
  bool words = false;
  int channel = 0;
  // As of a recording; of finals only. What partials promise is about the answer: alternatives need
  // not keep it.
  int alternatives = 0;
  // May be empty. With hot words nothing of a partial is promised before its part is final: a later
  // word may show that an earlier one was a hot word.
  std::shared_ptr<const HotWords> hot_words;
  bool partials = true;
  Millis partial_interval{500};  // of audio, from one partial to the next
  // Endpoints. `vad_silence_time`, `max_speak_time` and `noise_threshold` of the cloud's contract.
  Millis trailing_silence{600};  // ends an utterance once something was said
  // Ends it while speech goes on: at this length at the latest, at half of it at the earliest,
  // where speech is least likely.
  Millis max_utterance{60'000};
  float noise_threshold = 0;  // -2..2: larger, and more is taken for noise
  // Called on a thread of the engine when there are events to take or, after samples were turned
  // away, room again. It must be quick and must not destroy the stream. May be empty.
  std::function<void()> notify;
};

/// Something that happened in a live stream.
struct StreamEvent {
  enum class Kind {
    kBegin,    // somebody speaks: the utterance's start is known, and a final will come
    kPartial,  // what the utterance is taken for so far
    kFinal,    // what it was; the text may be empty when it was no speech after all
  };
  Kind kind = Kind::kBegin;
  int utterance = 0;  // counted from 0
  Segment segment;
  // The first so many bytes of the text, and so many words, will not change any more. Of a final,
  // all.
  std::size_t stable_bytes = 0;
  std::size_t stable_words = 0;
  // How much audio the engine had to hear to know this: a final's is where its endpoint was found.
  Millis heard{0};
};

/// Live audio. Its functions may be called from different threads.
class LiveStream {
 public:
  virtual ~LiveStream() = default;  // drops what is not done; `notify` is not called afterwards

  /// Takes as many of the samples as there is room for (16 kHz mono in [-1, 1]) and returns how
  /// many. Never waits. A client at the pace of speech always finds room; one that is faster finds
  /// none for a while and is told by `notify` when to push the rest.
  /// Errors: kInvalidArgument for a sample that is not finite among the first kMaxUnheardSamples,
  ///         and then none is taken; kFailedPrecondition after Finish()
  virtual Result<std::size_t> PushSamples(std::span<const float> samples) = 0;

  /// Other hot words, from the next utterance on; null: none.
  virtual void SetHotWords(std::shared_ptr<const HotWords> hot_words) = 0;

  /// No more audio: what was said last becomes final.
  virtual void Finish() = 0;

  /// The events since the last call, in order. A partial that nobody took before the next one came
  /// is left out: only the newest matters.
  virtual std::vector<StreamEvent> TakeEvents() = 0;

  /// True when the audio was finished and every event is there to be taken.
  virtual bool complete() const = 0;
};

/// Samples a live stream holds unheard at most: 2 s.
inline constexpr std::size_t kMaxUnheardSamples = std::size_t{2} * 16'000;

}  // namespace lethe
