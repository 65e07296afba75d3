#pragma once

// A recording task as those may see it whose it is, and the operator: how it stands, without a text
// of its result and without the URLs it was given, which may hold secrets.

#include <optional>
#include <string>

#include "base/units.h"
#include "store/tasks.h"

namespace lethe {

/// How much of a recording was taken in.
struct TaskProgress {
  Millis done{0};
  std::optional<Millis> total;  // if the recording says how long it is
};

struct TaskView {
  TaskId id = 0;
  AppId app_id = 0;
  TaskState state = TaskState::kWaiting;
  std::string engine;
  bool is_fetched = false;  // its recording, from a URL; else it was uploaded
  WallTime created, expires;
  std::optional<WallTime> started, finished;
  std::optional<Millis> audio;           // how long the recording is, where that is known
  std::optional<TaskProgress> progress;  // while it runs on this node
  std::string error_code, error;         // of a failed one: service/meter.h has the codes

  struct Callback {
    std::string host;
    CallbackState state = CallbackState::kNone;
    int attempts = 0;
    std::string outcome;  // why the last attempt was in vain; empty: it was not
    std::optional<WallTime> tried, next;
  };
  std::optional<Callback> callback;  // none: nobody asked for one

  bool can_cancel = false, can_try_again = false, can_tell_again = false;
};

TaskView ViewOf(const Task& task, const std::optional<TaskProgress>& progress = {});

}  // namespace lethe
