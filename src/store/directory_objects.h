#pragma once

// Objects in a folder: a file each.

#include <memory>
#include <string>

#include "base/status.h"
#include "store/objects.h"

namespace lethe {

/// Opens the folder, which is made if it is not there (mode 0700).
/// Errors: as ErrnoStatus()
Result<std::unique_ptr<ObjectStore>> OpenDirectoryObjects(const std::string& folder);

}  // namespace lethe
