#pragma once

// GET and POST /lethe/v1/tasks: recording tasks, how they stand, and what can be done about them
// (docs/console.md).

#include <string>

#include "server/faces.h"
#include "server/http.h"
#include "server/internal/own_api_caller.h"
#include "service/recording_tasks.h"

namespace lethe::server_internal {

/// Tasks, newest first, a page at a time: the caller's own, or all for the operator. Blocks on the
/// store.
HttpResponse ShowTasks(FaceContext& context, RecordingTasks& tasks, const OwnApiCaller& caller,
                       const HttpRequest& request);

/// Cancels a task, calls back again, or makes a new task of what a failed one was asked for, as
/// CreateRecTask would. Blocks on the store and on objects.
HttpResponse ChangeTask(FaceContext& context, RecordingTasks& tasks, const OwnApiCaller& caller,
                        const std::string& body);

}  // namespace lethe::server_internal
