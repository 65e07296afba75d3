#pragma once

// What is held, for whoever is to see it: which things, since when and until when, without a text
// of any of them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ledger/leaf.h"
#include "store/tasks.h"

namespace lethe {

/// A thing of the classes audio, result and operation_log. What is no longer held, swept or not, is
/// none.
struct HeldItem {
  std::int64_t place = 0;  // in the list of its class: the newest has the largest
  AppId app_id = 0;
  std::optional<TaskId> task;      // whose audio or text it is
  std::optional<TaskState> state;  // of that task
  std::string call_id;             // that created the task; of the operation log it is not known
  std::string subject;             // whom it is about: a pseudonym (store/consents.h)
  std::string facts;               // of the operation log: a JSON object
  WallTime created, expires;

  bool operator==(const HeldItem&) const = default;
};

/// Thread: any; calls may wait for the disk
/// Errors: as Store
class Holdings {
 public:
  virtual ~Holdings() = default;

  /// At most `limit` things of a class that the selector is about, newest first; those behind
  /// `before`, unless it is 0. Of a task, its call's rows of the operation log are among them.
  /// Errors: kInvalidArgument for another class, a limit below one, and a selector without a field
  virtual Result<std::vector<HeldItem>> List(DataClass data_class, const TaskSelector& selector,
                                             std::int64_t before, int limit) = 0;
};

}  // namespace lethe
