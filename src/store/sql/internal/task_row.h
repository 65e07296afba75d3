#pragma once

// A task's row, as its columns are, and as it is spoken of.

#include <optional>

#include "base/clock.h"
#include "store/sql/internal/connection.h"
#include "store/tasks.h"

namespace lethe {

/// A task that is not over; its texts are sealed. Without its recording, if that is over.
/// Errors: soci::soci_error
std::optional<Task> ReadTask(Connection& sql, TaskId id, WallTime now);

/// A page of them, without results but for those of failed ones.
/// Errors: soci::soci_error
TaskPage ReadTasks(Connection& sql, const TaskQuery& query, WallTime now);

}  // namespace lethe
