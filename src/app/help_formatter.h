#pragma once

// How --help is laid out.

#include <memory>

#include <CLI/App.hpp>

namespace lethe {

/// Fits a terminal of 80 columns, but for examples of command lines, which are left whole, and
/// lists of choices. Lines of prose are those that are not indented: a paragraph that is too wide
/// is filled anew.
std::shared_ptr<CLI::FormatterBase> MakeHelpFormatter();

}  // namespace lethe
