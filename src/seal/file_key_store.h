#pragma once

// A key store in a folder: a file for each key, sealed with the master key.
//
// The folder may be shared by several processes, over a network file system too: a key is made by
// linking a finished file, so whoever comes second gets the first one's.

#include <memory>
#include <string>

#include "base/status.h"
#include "seal/key_store.h"
#include "seal/master_key.h"

namespace lethe {

/// Opens the store in `folder`, which is made if it is not there (mode 0700).
///
/// A destroyed key is overwritten before its file is removed. What a disk or file system keeps of
/// overwritten bytes is still sealed with the master key.
///
/// Errors:   as ErrnoStatus()
/// Lifetime: `master_key` outlives the store
Result<std::unique_ptr<KeyStore>> OpenFileKeyStore(const std::string& folder,
                                                   const MasterKey& master_key);

/// Whether the master key is the one of a folder: it opens every application's key.
/// Errors: kDataLoss when it does not; as ErrnoStatus()
Status CheckKeys(const std::string& folder, const MasterKey& master_key);

/// Seals every key in `folder` with another master key, one by one; those that are already, stay.
/// Returns how many there are. Nobody else may have the folder open. What neither opens, of an
/// hour, is left alone: it was being destroyed. Errors: as ErrnoStatus(); kDataLoss for an
/// application's key that neither opens
Result<int> RewrapKeys(const std::string& folder, const MasterKey& from, const MasterKey& to);

/// Destroys what is in a file of a key, as a key is destroyed; the file stays, empty.
/// Errors: as ErrnoStatus()
Status OverwriteKeyFile(const std::string& path);

}  // namespace lethe
