#pragma once

// OpenAI's realtime transcription sessions: GET /v1/realtime, a WebSocket that takes audio in JSON
// events and answers with what was said, as it is said.
//
// Both of OpenAI's dialects are spoken: the one of `session.update`, and the beta's
// `transcription_session.update`. Who may call is decided before the upgrade is answered, in
// OpenAI's form of errors; what goes wrong later is an `error` event, and the session goes on.

#include <chrono>
#include <cstddef>

#include "base/units.h"
#include "server/faces.h"
#include "server/router.h"

namespace lethe {

struct OpenAiRealtimeOptions {
  // An append may hold 15 MiB, as OpenAI has it; this is with the event around it.
  std::size_t max_message = (std::size_t{15} << 20) + (std::size_t{64} << 10);
  // How much audio may wait for the engine before a session is not read any further: its client,
  // faster than speech, waits in its socket.
  Millis max_ahead{60'000};
  Millis max_session = std::chrono::hours(1);       // as OpenAI has it
  Millis idle_patience = std::chrono::minutes(10);  // without an event of the client
  int max_errors = 100;                             // events in a row that mean nothing here
  Millis partial_interval{500};                     // of audio
};

/// Lifetime: the context outlives the router; the server that has the router ends before the
///           engines do
void AddOpenAiRealtimeRoutes(Router& router, FaceContext& context,
                             const OpenAiRealtimeOptions& options = {});

}  // namespace lethe
