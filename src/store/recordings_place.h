#pragma once

// Which object store it is that recordings are in: its region, and a mark that no other one has, in
// an object of its own. Records remember the mark (Store::UseRecordingsPlace()), so nobody takes
// another store for theirs.

#include <string>

#include "base/status.h"
#include "store/objects.h"

namespace lethe {

/// The object that says it.
inline constexpr const char* kPlaceObject = "region";

/// The mark of an object store, which is made by whoever opens it first.
/// Errors: kFailedPrecondition when it is of another region; kDataLoss when what is there is no
///         mark; as ObjectStore
Result<std::string> MarkOfPlace(ObjectStore& objects, const std::string& region);

}  // namespace lethe
