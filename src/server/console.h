#pragma once

// The console: a page for browsers at /console/, part of the program (docs/console.md).
//
//   GET    /console/...       the page and its files; they fetch nothing from anywhere else
//   POST   /console/session   {"password"}: signs in; the session is a cookie
//   GET    /console/session   whether somebody is signed in, until when, and what there is here
//   DELETE /console/session   signs out
//
// A session opens Lethe's own interface as the operator (server/own_api.h), and for an application
// that the browser names, POST /v1/audio/transcriptions and /asr/v2/: server/internal/
// console_guard.h says what keeps pages of others from using it.

#include <cstddef>

#include "server/faces.h"
#include "server/router.h"

namespace lethe {

struct ConsoleOptions {
  std::size_t max_file = std::size_t{25} << 20;  // as OpenAiOptions has it
};

/// Adds its routes. Lifetime: `context` outlives the router's server
void AddConsoleRoutes(Router& router, FaceContext& context, const ConsoleOptions& options = {});

}  // namespace lethe
