#pragma once

// The cloud's API 3.0: `POST /` and `GET /` with an action, signed; the answer always in an
// envelope and with status 200 (contract, section 2).

#include "outbound/http_client.h"
#include "server/faces.h"
#include "server/router.h"
#include "service/recording_tasks.h"

namespace lethe {

/// Lifetime: everything given outlives the server
void AddCloudApiRoutes(Router& router, FaceContext& context, RecordingTasks& tasks,
                       OutboundClient& outbound);

}  // namespace lethe
