#pragma once

// The service's configuration file, for the commands that work beside it.

#include <CLI/App.hpp>

#include "base/status.h"

namespace lethe {

/// Makes `command`, when it is chosen, take what `store.` and `metering.` say in the file that
/// LETHE_CONFIG names, where neither its flags nor the environment say otherwise: so it works on
/// the records, with the keys and by the prices of the service. Its options name their variables of
/// the environment (CLI::Option::envname()), which is how they hear of it.
///
/// Thread: main, before any other
void TakeConfiguration(CLI::App* command);

/// Why it could not be taken; OK if it was, or nobody wanted it.
const Status& ConfigurationStatus();

}  // namespace lethe
