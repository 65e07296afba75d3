#pragma once

// Other programs, run without a shell.

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"

namespace lethe {

struct CommandResult {
  int exit_code = 0;   // 128 + signal when a signal ended it
  std::string output;  // standard output and error, its last 64 KiB
};

/// Runs a program found on PATH to its end in `directory`; `idle` is called several times a second
/// meanwhile (may be empty). Standard input is empty.
/// Errors: kNotFound when there is no such program; as ErrnoStatus() otherwise
Result<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                 const std::string& directory, const std::function<void()>& idle);

}  // namespace lethe
