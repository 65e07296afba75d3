#pragma once

// What clients of realtime transcription sessions say: one JSON object a message.

#include <cstddef>
#include <string>
#include <string_view>

#include "server/internal/openai_error.h"
#include "server/internal/openai_realtime_settings.h"

namespace lethe::server_internal {

/// Base64 in one append.
inline constexpr std::size_t kMaxAppend = std::size_t{15} << 20;
/// Bytes of audio that come of it at most.
inline constexpr std::size_t kMaxAppendBytes = kMaxAppend / 4 * 3;

struct ClientEvent {
  enum class Kind {
    kUpdate,  // settings
    kAppend,  // audio
    kCommit,
    kClear,
    kInvalid,  // error
  };
  Kind kind = Kind::kInvalid;
  std::string event_id;                        // the client's own, told in errors; may be empty
  std::string audio;                           // decoded
  OpenAiDialect dialect = OpenAiDialect::kGa;  // of an update
  RealtimeSettings settings;                   // after it
  OpenAiError error;
};

/// Reads a message. `now` is what an update changes; `dialect` how a `session.update` is read: a
/// `transcription_session.update` is the beta's whatever the session is. Takes memory of a few
/// times the message's size, whatever it holds; for large ones milliseconds.
ClientEvent ReadClientEvent(std::string_view text, OpenAiDialect dialect,
                            const RealtimeSettings& now);

}  // namespace lethe::server_internal
