#pragma once

// The key that seals what the store must be able to read again, in a file of its own, apart from
// the records: a copy of the database alone opens nothing.

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/status.h"

namespace lethe {

/// 32 random bytes in memory that is locked (where the system allows it), guarded and wiped.
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

  /// Encrypts and authenticates (XChaCha20-Poly1305, a random nonce each time), as base64. What it
  /// belongs to, say an id, has to be given again to Open().
  std::string Seal(const Secret& secret, std::string_view belongs_to) const;

  /// Errors: kDataLoss when it was changed, belongs to something else or to another key
  Result<Secret> Open(std::string_view sealed, std::string_view belongs_to) const;

 private:
  struct Free {
    void operator()(unsigned char* bytes) const;
  };
  using Bytes = std::unique_ptr<unsigned char, Free>;

  explicit MasterKey(Bytes bytes) : bytes_(std::move(bytes)) {}
  static Bytes Allocate();

  Bytes bytes_;
};

}  // namespace lethe
