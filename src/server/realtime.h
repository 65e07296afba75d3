#pragma once

// The cloud's realtime recognition (contract, sections 5, 6 and 7.5): `/asr/v2/<appid>`, a
// WebSocket, and `/server_time`.
//
// The handshake is always answered with 101; whether the call is let in, the first text frame says.
// Audio comes in binary frames; events go out as JSON, in frames of at most 1000 bytes wherever the
// text itself is not longer, because one official client reads no more. Every failure is a frame
// with a code, then the connection is closed. The cloud's other streams (translation, virtual
// numbers, slices by POST) are refused in that form.

#include <cstddef>

#include "base/units.h"
#include "server/faces.h"
#include "server/router.h"

namespace lethe {

struct RealtimeOptions {
  // How much audio may wait for the engine before a call ends with 4000. The contract allows three
  // seconds for each second; its own examples send files ten times too fast.
  Millis max_ahead{60'000};
  Millis audio_patience{15'000};                   // without audio, before 4008
  int max_decoders = 16;                           // calls with compressed audio at a time
  std::size_t max_message = std::size_t{1} << 20;  // bytes
  Millis partial_interval{500};                    // of audio
};

/// Lifetime: the context outlives the router; the server that has the router ends before the
///           engines do
void AddRealtimeRoutes(Router& router, FaceContext& context, const RealtimeOptions& options);

}  // namespace lethe
