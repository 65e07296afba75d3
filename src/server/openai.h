#pragma once

// OpenAI's interface for transcription: POST /v1/audio/transcriptions, GET /v1/models and
// /v1/models/ID. What is known and not offered (translations) says so in the same form.

#include <chrono>
#include <cstddef>

#include "base/units.h"
#include "server/faces.h"
#include "server/router.h"

namespace lethe {

struct OpenAiOptions {
  std::size_t max_file = std::size_t{25} << 20;  // bytes of a recording, as OpenAI has it
  Millis max_duration = std::chrono::hours(4);   // of a recording
};

/// Adds its routes. Lifetime: `context` outlives the router's server
void AddOpenAiRoutes(Router& router, FaceContext& context, const OpenAiOptions& options = {});

}  // namespace lethe
