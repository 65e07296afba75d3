#pragma once

// What is kept of a recording task's request while it waits, as the store's text.

#include <string>

#include "base/status.h"
#include "service/recording_tasks.h"

namespace lethe {

/// Everything but the upload and the callback, which the task has by itself.
std::string WriteTaskRequest(const RecordingTaskRequest& request);

/// Errors: kDataLoss when it is not what WriteTaskRequest() wrote
Result<RecordingTaskRequest> ReadTaskRequest(const std::string& text);

}  // namespace lethe
