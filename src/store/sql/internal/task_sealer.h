#pragma once

// What a task holds of a call, sealed on its way into the table and opened on its way out.

#include <string>
#include <string_view>

#include "base/status.h"
#include "seal/sealer.h"
#include "store/tasks.h"

namespace lethe {

/// What a task's texts are sealed as.
struct TaskIdentity {
  TaskId id = 0;
  AppId app_id = 0;
  WallTime created;
};

/// Thread: any. Lifetime: the sealer outlives it
class TaskSealer {
 public:
  explicit TaskSealer(Sealer& sealer) : sealer_(sealer) {}

  /// A text as it is stored. Nothing stays nothing: statements ask for it. Errors: as Sealer
  Result<std::string> Seal(const TaskIdentity& task, std::string_view field,
                           std::string_view text) const;

  /// Opens the texts of a task that was read from its row. Errors: kNotFound when a key is
  /// destroyed: then the task is forgotten, whatever the row says; kDataLoss; as KeyStore
  Status Open(Task* task) const;

 private:
  Sealer& sealer_;
};

}  // namespace lethe
