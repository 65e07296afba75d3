#pragma once

// What realtime transcription sessions tell their clients: one JSON object a message.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "engine/stream.h"
#include "server/internal/openai_error.h"
#include "server/internal/openai_realtime_settings.h"

namespace lethe::server_internal {

/// "item_" and what nobody else has.
std::string NewItemId();

/// Writes the events of one session, each with an id of its own.
///
/// Units:  times in ms of all the audio that the session was sent
/// Thread: one at a time
class RealtimeAnswers {
 public:
  /// `expires_at` in seconds since 1970.
  RealtimeAnswers(OpenAiDialect dialect, std::int64_t expires_at);

  OpenAiDialect dialect() const { return dialect_; }
  /// An update in another dialect changes how later events are told.
  void SetDialect(OpenAiDialect dialect) { dialect_ = dialect; }
  const std::string& session_id() const { return session_id_; }

  std::string Created(const RealtimeSettings& settings) const;
  std::string Updated(const RealtimeSettings& settings) const;

  std::string SpeechStarted(std::string_view item, Millis start) const;
  std::string SpeechStopped(std::string_view item, Millis end) const;
  std::string Cleared() const;
  /// `input_audio_buffer.committed`, then what says that the item is there: `conversation.item.
  /// added` and `.done`, or the beta's `conversation.item.created`.
  std::vector<std::string> Committed(std::string_view item);

  std::string Delta(std::string_view item, std::string_view text) const;
  /// `words` become log-probabilities, one for each: the mean over the tokens of the word.
  std::string Completed(std::string_view item, std::string_view text, Millis audio,
                        const std::vector<Word>* words) const;
  std::string Failed(std::string_view item, const OpenAiError& error) const;
  /// `event_id` is the client's, of the event that was wrong; empty: null.
  std::string Error(const OpenAiError& error, std::string_view event_id) const;

 private:
  std::string Session(std::string_view what, const RealtimeSettings& settings) const;

  OpenAiDialect dialect_;
  const std::int64_t expires_at_;
  const std::string session_id_;
  std::string last_item_;  // committed; empty: none
};

}  // namespace lethe::server_internal
