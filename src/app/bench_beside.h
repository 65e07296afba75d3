#pragma once

#include <CLI/CLI.hpp>

namespace lethe {

/// Adds `lethe bench beside`.
void AddBenchBeside(CLI::App& bench, int& exit_code);

}  // namespace lethe
