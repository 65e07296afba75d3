#pragma once

// What a live stream's client is told.

#include <deque>
#include <functional>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/stream.h"

namespace lethe {

/// Puts what becomes known of utterances into events, one utterance after the other, and keeps them
/// until the client takes them. A partial that a newer one follows is not kept.
///
/// Thread: by group
class LiveEvents {
 public:
  explicit LiveEvents(const LiveOptions& options);

  // The client's side; any thread.
  /// `was_full` tells whether nothing would have been kept that came after.
  std::vector<StreamEvent> Take(bool* was_full);
  bool full() const;
  /// The client has gone: it is not called any more.
  void Close();

  // The shard's thread only.
  /// An utterance begins, to be published when the one before it is final.
  void Begin(int utterance, SampleIndex start, Millis heard);
  /// A part of the utterance that is published has its final answer.
  void AddPart(const Segment& segment);
  /// Publishes the parts so far and, unless it is null, behind them a guess at what is being
  /// spoken, which begins with `promised`.
  void PublishPartial(const Segment* guess, std::string_view promised, Millis heard);
  /// Publishes the parts as they are; the next utterance is the one that is published.
  void PublishFinal(Millis heard);
  /// The client is to be called, though there may be no event.
  void WantCall() { call_due_ = true; }
  /// Calls the client if it is due.
  void Call();

 private:
  // What the finals of an utterance's parts amount to so far.
  struct Spoken {
    bool any = false;
    Segment segment;
    double log_probability = 0;
    void Add(const Segment& more, int alternatives);
  };

  void PublishBegin();
  void Emit(StreamEvent event);

  const bool partials_;
  const int channel_, alternatives_;

  // Any thread.
  mutable Mutex mutex_;
  std::deque<StreamEvent> events_ GUARDED_BY(mutex_);
  Mutex call_mutex_;
  std::function<void()> call_ GUARDED_BY(call_mutex_);

  // Shard thread only.
  int published_utterance_ = 0;
  std::deque<StreamEvent> begins_;  // of utterances behind the published one
  Spoken spoken_;                   // parts of published_utterance_
  bool call_due_ = false;
};

}  // namespace lethe
