#pragma once

// The keys of a service, opened together:
//
//   master.key        what opens the others (seal/master_key.h)
//   region            of what is sealed with them
//   epochs/ tenants/  what is sealed is sealed under (seal/file_key_store.h)
//
// The folder belongs into no backup of what is sealed with it.

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_lock.h"
#include "base/status.h"
#include "seal/key_store.h"
#include "seal/master_key.h"
#include "seal/sealer.h"

namespace lethe {

/// While one is open, its folder's master key is not changed.
///
/// Thread: any, what it gives too
class Keyring {
 public:
  /// Opens a folder, which has to be there. Errors: as MasterKey::Load() and OpenFileKeyStore();
  /// kInvalidArgument when its master key is being changed, or that was begun;
  /// kInvalidArgument for a region that is no name, 1 to 16 of a-z, 0-9 and '-', or not the one the
  /// folder's keys are of. Empty: that one, "default" for new keys
  /// Lifetime: the clock outlives it
  static Result<std::unique_ptr<Keyring>> Open(const std::string& folder, const std::string& wanted,
                                               const Clock& clock, bool may_create);

  /// Seals all keys of a folder with a new master key, which ChangeMasterKey::Finish() puts in the
  /// place of the old one. Until then Open() refuses the folder; Begin() may be called again.
  struct ChangeMasterKey {
    std::string folder;
    FileLock lock;
    MasterKey from, to;
    int keys = 0;

    /// Errors: kFailedPrecondition while anybody has the folder open; as MasterKey::Load() and
    ///         RewrapKeys()
    static Result<ChangeMasterKey> Begin(const std::string& folder);
    /// Destroys the old one. Errors: as ErrnoStatus()
    Status Finish() const;
  };

  /// Where other keys of the service may be, too.
  const std::string& folder() const { return folder_; }
  const MasterKey& master_key() const { return master_key_; }
  KeyStore& keys() { return *keys_; }
  Sealer& sealer() { return *sealer_; }
  /// Whether somebody said which region they are of; otherwise they may become another's.
  bool region_is_settled() const { return region_is_settled_; }

 private:
  Keyring(std::string folder, FileLock lock, MasterKey master_key)
      : folder_(std::move(folder)), lock_(std::move(lock)), master_key_(std::move(master_key)) {}

  const std::string folder_;
  const FileLock lock_;
  const MasterKey master_key_;
  bool region_is_settled_ = false;
  std::unique_ptr<KeyStore> keys_;
  std::unique_ptr<Sealer> sealer_;
};

}  // namespace lethe
