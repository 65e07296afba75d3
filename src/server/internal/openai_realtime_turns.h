#pragma once

// The audio of a realtime transcription session: what is a turn of its own, and what becomes of it.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "server/internal/openai_error.h"
#include "server/internal/openai_realtime_answers.h"
#include "server/internal/openai_realtime_hearing.h"
#include "server/internal/openai_realtime_settings.h"
#include "service/live_call.h"

namespace lethe::server_internal {

/// A turn is a live call: with turn detection it goes on until a commit, a clear or other settings,
/// and each utterance in it becomes an item; without, it goes from commit to commit and is one item
/// as a whole. A turn that has ended may still be listened to while the next one is spoken; items
/// are told in the order in which they were spoken.
///
/// Deltas: what an utterance's partials promise is told at once, the rest with its end, so that the
///         deltas of an item are its transcript. Without turn detection they begin with the commit.
/// Thread: one at a time. Nothing waits
class RealtimeTurns {
 public:
  using Tell = std::function<void(std::string event)>;

  /// `tell` takes events for the client, in order. `notify` is called on any thread when Pump() is
  /// due. Lifetime: all outlive the turns
  RealtimeTurns(RealtimeAnswers& answers, LiveDecoders& decoders, Millis max_ahead,
                Millis partial_interval, Tell tell, std::function<void()> notify);

  /// Changes how what comes is heard. Errors: where audio waits for a commit, its format and
  /// whether it waits cannot change; nothing is changed then
  std::optional<OpenAiError> SetHearing(Hearing hearing);
  const RealtimeSettings& settings() const { return hearing_.settings; }

  std::optional<OpenAiError> Append(std::string_view bytes);
  std::optional<OpenAiError> Commit();
  /// Forgets what was not committed.
  void Clear();

  /// Goes on: audio into the engine, events to the client.
  void Pump();
  /// Forgets everything.
  void Drop();

  /// Audio the engine has not taken.
  Millis waiting() const;
  /// Turns that are being listened to.
  std::size_t size() const { return turns_.size(); }
  /// Audio the engine was given, and bytes that came.
  Millis audio() const;
  std::uint64_t bytes() const { return bytes_; }
  /// Something failed that was not the client's mistake.
  bool failed() const { return failed_; }

 private:
  struct Turn {
    std::unique_ptr<LiveCall> call;
    InputEncoding encoding;
    bool manual = false, logprobs = false;
    Millis offset{0};         // of all audio, where it begins
    bool finished = false;    // no more audio
    bool owed = false;        // a commit that no item has answered
    Millis item_end{0};       // within the turn: where its last item ended
    std::string item;         // the one that is spoken, or waits to be told; empty: none
    std::string told;         // its deltas
    std::string text;         // of a manual turn, so far
    std::vector<Word> words;  // of a manual turn, so far

    Millis length() const;  // of what was appended
  };

  // The turn that takes audio; null if there is none.
  Turn* open();
  std::optional<OpenAiError> Open();
  void Take(Turn& turn, StreamEvent event);
  void TakeDetected(Turn& turn, const StreamEvent& event);
  void TakeManual(Turn& turn, StreamEvent event);
  // Of a turn that is complete.
  void End(Turn& turn);
  void TellCommitted(std::string_view item);
  void TellDelta(Turn& turn, std::string_view text);
  void TellCompleted(Turn& turn, std::string_view text, Millis audio,
                     const std::vector<Word>& words);
  void Fail(Turn& turn, const Status& status);
  void Forget();  // the open turn

  RealtimeAnswers& answers_;
  LiveDecoders& decoders_;
  const Millis max_ahead_, partial_interval_;
  const Tell tell_;
  const std::function<void()> notify_;
  Hearing hearing_;
  std::deque<Turn> turns_;  // all but the last have finished
  Millis appended_{0};      // of all turns that are gone
  Millis heard_{0};         // by the engine, of turns that are gone
  std::uint64_t bytes_ = 0;
  bool failed_ = false;
};

}  // namespace lethe::server_internal
