#pragma once

// The cloud's interface for recordings that are answered at once (contract, section 8):
// POST /asr/flash/v1/<appid>. The answer is 200 whatever happened; a number in it says what.

#include <chrono>
#include <cstddef>

#include "base/units.h"
#include "server/faces.h"
#include "server/router.h"

namespace lethe {

struct FlashOptions {
  std::size_t max_body = std::size_t{100} << 20;  // bytes of a recording
  Millis max_duration = std::chrono::hours(2);
};

/// Adds its routes. Lifetime: `context` outlives the router's server
void AddFlashRoutes(Router& router, FaceContext& context, const FlashOptions& options = {});

}  // namespace lethe
