#pragma once

// What the console's page Watch shows: the last hour of the process that answers.

#include "server/internal/own_api_caller.h"
#include "server/own_api.h"

namespace lethe::server_internal {

/// `after`, the number of the last sample one has: those behind it, and how things stand. For the
/// operator.
HttpResponse ShowWatch(const OwnApiWatch& watch, const Clock& clock, const OwnApiCaller& caller,
                       const HttpRequest& request);

}  // namespace lethe::server_internal
