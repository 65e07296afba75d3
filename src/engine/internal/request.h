#pragma once

// What a shard is asked to transcribe.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/units.h"
#include "decode/hot_words.h"
#include "decode/pauses.h"
#include "engine/stream.h"

namespace lethe {

/// A stretch of a stream, waiting to be transcribed.
struct Utterance {
  SampleIndex start = 0;
  std::vector<float> samples;
  bool certain = true;   // voice activity is sure that somebody speaks
  SpeechWindows speech;  // those that lie in it, in part or wholly; for the times of words
};

/// What waits for what: the first of these comes first.
enum class Priority {
  kLiveFinal,    // somebody has finished speaking and waits
  kLivePartial,  // somebody reads along; only the newest matters
  kShortCall,    // the first minute of a recording: mostly somebody waits for all of it
  kRecording,    // the rest of a long recording
};
inline constexpr int kPriorities = 4;

/// How a request that is with the batch fares, and what is wanted of it by then.
///
/// Thread: the shard's
struct Course {
  bool being_written = false;  // it is encoded, and the decoder is at its first hearing
  enum class Wish {
    kAsAsked,
    kPartial,  // no final any more: it may be less urgent, and is not heard a second time
    kNothing,  // it is dropped, and nobody is answered
  } wish = Wish::kAsAsked;
};

/// An utterance to transcribe, and how.
struct Request {
  /// What came of it. The text is empty when nothing was said.
  struct Answer {
    Segment segment;
    std::vector<int> tokens;
    std::vector<float> log_probabilities;  // of each token
  };

  Utterance utterance;
  Priority priority = Priority::kRecording;
  bool words = false;
  int alternatives = 0;        // in the answer's list
  bool second_hearing = true;  // allowed, when the model is unsure
  bool poured = false;         // of live audio that comes faster than it is heard
  std::vector<int> draft;      // a guess at the tokens: verified in few passes, changes no answer
  std::vector<int> promised;   // tokens the answer must begin with; none with hot words
  std::shared_ptr<const HotWords> hot_words;           // may be empty
  std::shared_ptr<const std::atomic<bool>> cancelled;  // when it turns true, nobody is answered
  std::shared_ptr<Course> course;                      // may be empty
  std::function<void(Answer)> done;
};

}  // namespace lethe
