#pragma once

// GET /lethe/v1/held: what is held, by class (docs/console.md).

#include "server/faces.h"
#include "server/http.h"
#include "server/internal/own_api_caller.h"

namespace lethe::server_internal {

/// Things of a class, newest first, a page at a time: of a task_id, call_id, voice_id, uin or
/// subject, else of an application. Blocks on the store.
HttpResponse ShowHeld(FaceContext& context, const OwnApiCaller& caller, const HttpRequest& request);

}  // namespace lethe::server_internal
