#pragma once

// What was named on a command line, as recordings.

#include <string>
#include <vector>

namespace lethe {

/// Appends `inputs` to `files`, folders replaced by the recordings in them. Returns false when some
/// folder could not be listed; standard error says which, a line each.
bool ExpandFolders(const std::vector<std::string>& inputs, std::vector<std::string>* files);

}  // namespace lethe
