#pragma once

// What was named on a command line, as recordings.

#include <string>
#include <vector>

namespace lethe {

/// Appends `inputs` to `files`, folders replaced by the recordings in them. Returns false when some
/// folder could not be listed; standard error says which, a line each.
///
/// `names` may be null, or gets what to call each file: its path below the folder that was named,
/// or the last part of its own.
bool ExpandFolders(const std::vector<std::string>& inputs, std::vector<std::string>* files,
                   std::vector<std::string>* names = nullptr);

}  // namespace lethe
