#pragma once

// The key that seals what the store must be able to read again, in a file of its own, apart from
// the records: a copy of the database alone opens nothing.

#include <string>
#include <string_view>
#include <utility>

#include "base/secret.h"
#include "base/status.h"
#include "seal/sealing_key.h"

namespace lethe {

/// A key (seal/sealing_key.h) and the file it is in.
///
/// Thread: any
class MasterKey {
 public:
  /// Reads the key from `path`. If the file is not there and `may_create`, one is made, whole or
  /// not at all, with a mode of 0600; when two do that at once, both get the one that was first.
  /// Errors: kFailedPrecondition when it is not there and may not be made; kPermissionDenied when
  /// others may read or write it; kDataLoss when it has not the size of a key; as ErrnoStatus()
  static Result<MasterKey> Load(const std::string& path, bool may_create);

  /// A new one that is kept nowhere. For tests.
  static MasterKey Random();

  /// SealingKey::Seal() and SealingKey::Open(), as base64.
  std::string Seal(const Secret& secret, std::string_view belongs_to) const;
  Result<Secret> Open(std::string_view sealed, std::string_view belongs_to) const;

  const SealingKey& key() const { return key_; }

 private:
  explicit MasterKey(SealingKey key) : key_(std::move(key)) {}

  SealingKey key_;
};

}  // namespace lethe
