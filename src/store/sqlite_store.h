#pragma once

// Records in an SQLite file: one process or several (the service, and commands beside it).

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "seal/keyring.h"
#include "store/store.h"

namespace lethe {

/// Opens the file, which is made, readable by its owner only, when it is not there, and brings its
/// schema up to date.
///
/// Errors:   kPermissionDenied when others may read the file; kFailedPrecondition when it was
///           written by a newer Lethe or belongs to another master key; kDataLoss when it is no
///           database or damaged; as ErrnoStatus() for the file system
/// Lifetime: the clock and the keyring have to outlive the store
Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path, const Clock& clock,
                                               Keyring& keyring);

/// Seals what records have under the master key with another one; what is already, stays. Nobody
/// else may have the records open. Errors: as OpenSqliteStore(); kFailedPrecondition when they
/// belong to neither key
Status ResealSqliteStore(const std::string& path, const MasterKey& from, const MasterKey& to);

}  // namespace lethe
