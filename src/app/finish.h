#pragma once

// How every command ends.

#include <utility>

#include <CLI/App.hpp>

#include "app/configuration.h"
#include "app/output.h"

namespace lethe {

/// Runs `action` when `command` was chosen, says on standard error what went wrong and leaves the
/// exit code. `action` takes nothing and returns a Status, or a Result<int> where the exit code is
/// its own affair: it has said line by line what failed, and the rest was done.
template <class Action>
void Finish(CLI::App* command, int& exit_code, Action action) {
  command->callback([action = std::move(action), &exit_code] {
    const Status& configured = ConfigurationStatus();
    exit_code = configured.ok() ? ExitCode(action()) : ExitCode(configured);
  });
}

}  // namespace lethe
