#pragma once

// A live stream from the engine's side: what its client and its shard share.

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "engine/internal/inbox.h"
#include "engine/internal/listener.h"
#include "engine/internal/live_events.h"
#include "engine/internal/promise.h"
#include "engine/stream.h"
#include "model/tokenizer.h"

namespace lethe {

/// Turns one client's audio into requests, and their answers into events.
///
/// An utterance is one or more *parts*: speech too long for the model is cut into spans, and each
/// becomes a part with a final answer of its own. For the part being spoken there is a *guess*: it
/// is encoded anew for each partial, and the last guess is the draft of the next. In the silence
/// behind a part, as soon as all of its audio is there, its final answer is asked for ahead of its
/// endpoint: mostly it is there when the endpoint comes.
///
/// Thread: by group
class LiveSession : public std::enable_shared_from_this<LiveSession> {
 public:
  /// `news` tells the shard that the session has something for it; any thread may call it.
  LiveSession(const VoiceActivityModel& voice_activity, const SegmenterOptions& segmenter,
              const Tokenizer& tokenizer, const LiveOptions& options,
              std::function<void(std::shared_ptr<LiveSession>)> news);

  // The client's side; any thread.
  Result<std::size_t> PushSamples(std::span<const float> samples);
  void SetHotWords(std::shared_ptr<const HotWords> hot_words);
  void FinishAudio();
  std::vector<StreamEvent> TakeEvents();
  bool complete() const;
  /// The client has gone: nothing is answered any more.
  void Abandon();

  // The shard's thread only.
  /// Samples that Listen() takes at most: half a second, so that what an event calls `heard` is
  /// near the truth, and sessions take turns.
  static constexpr std::size_t kMaxListen = Listener::kMaxPush / 2;
  /// Takes the next of what was pushed, by way of `buffer`; returns how many samples. None while
  /// too much is unanswered.
  std::size_t Listen(std::vector<float>* buffer);
  bool WantsToListen() const;
  /// Its client is faster than it is heard: samples were turned away since all had been heard.
  /// Who has finished is not.
  bool pours() const { return pours_; }
  bool abandoned() const { return abandoned_->load(); }
  bool WantsFinal() const;
  bool WantsPartial() const;
  Request NextFinal();
  Request NextPartial();
  // The shard's notes: whether it has the session in a list. The last is guarded by its mutex.
  bool listed_final = false, listed_partial = false, listed_at_pace = false, listed_pouring = false,
       listed_news = false;

 private:
  struct Part {
    SpeechSpan span;
    Millis heard{0};
    bool ends_utterance = false;
    std::optional<Request> request;  // until it is taken
    std::optional<Request::Answer> answer;
  };
  // The final answer asked for ahead of the endpoint.
  struct Early {
    SpeechSpan span;
    std::shared_ptr<Course> course;  // since it was taken
    std::optional<Request::Answer> answer;
  };

  bool stalled() const;
  void Hear(std::span<const float> samples);
  void Begin(SampleIndex start, std::int64_t stretch);
  void AddPart(const HeardSpan& span);
  void EndUtterance();
  Request NewRequest(const SpeechSpan& span, Priority priority) const;
  void TakeFinal(std::uint64_t number, Request::Answer answer);
  void OvertakeEarly(bool partial_wanted);
  void TakeEarly(const SpeechSpan& span, const Course& course, Request::Answer answer);
  void TakeGuess(const SpeechSpan& span, const Request::Answer& answer);
  void TakeHypothesis(const SpeechSpan& span, const Request::Answer& answer);
  void NewsIfPartialDue();
  void Publish();
  void PublishParts();
  void CheckComplete();

  // Constant after construction.
  const LiveOptions options_;
  const Tokenizer& tokenizer_;
  const SampleIndex max_part_;
  const std::function<void(std::shared_ptr<LiveSession>)> news_;
  const std::shared_ptr<std::atomic<bool>> abandoned_ = std::make_shared<std::atomic<bool>>(false);

  // Any thread.
  mutable Mutex mutex_;
  Inbox unheard_ GUARDED_BY(mutex_);
  std::shared_ptr<const HotWords> next_hot_words_ GUARDED_BY(mutex_);  // of the next utterance
  bool finished_ GUARDED_BY(mutex_) = false;
  bool turned_away_ GUARDED_BY(mutex_) = false;  // and not told yet that there is room again
  std::atomic<bool> pours_ = false;
  bool complete_ GUARDED_BY(mutex_) = false;
  LiveEvents events_;

  // Shard thread only.
  Listener listener_;
  bool listener_finished_ = false;
  int utterance_ = 0;  // number of the one that is spoken, or that comes next
  bool begun_ = false;
  std::int64_t stretch_ = 0;  // of the listener, of the one that is spoken
  SampleIndex utterance_start_ = 0;
  std::shared_ptr<const HotWords> hot_words_;  // of the utterance that is spoken
  std::deque<Part> parts_;                     // not published
  std::uint64_t first_part_ = 0;
  Promise promise_;
  SampleIndex guess_end_ = 0;       // audio of the last partial asked for
  bool guess_taken_ = false;        // one is with the batch, or what has become one
  SampleIndex hypothesis_end_ = 0;  // audio of the last answer for what is being spoken
  std::optional<Early> early_;
};

}  // namespace lethe
