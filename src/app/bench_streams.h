#pragma once

#include <CLI/CLI.hpp>

namespace lethe {

/// Adds `lethe bench streams`.
void AddBenchStreams(CLI::App& bench, int& exit_code);

}  // namespace lethe
