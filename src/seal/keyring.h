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
#include "base/status.h"
#include "seal/key_store.h"
#include "seal/master_key.h"
#include "seal/sealer.h"

namespace lethe {

/// Thread: any, what it gives too
class Keyring {
 public:
  /// Opens a folder, which has to be there. Errors: as MasterKey::Load() and OpenFileKeyStore();
  /// kInvalidArgument when its master key is being changed;
  /// kInvalidArgument for a region that is no name, 1 to 16 of a-z, 0-9 and '-', or not the one the
  /// folder's keys are of. Empty: that one, "default" for new keys
  /// Lifetime: the clock outlives it
  static Result<std::unique_ptr<Keyring>> Open(const std::string& folder, const std::string& wanted,
                                               const Clock& clock, bool may_create);

  /// Seals all keys of a folder with a new master key, which ChangeMasterKey::Finish() puts in the
  /// place of the old one. Until then Open() refuses the folder; Begin() may be called again.
  struct ChangeMasterKey {
    std::string folder;
    MasterKey from, to;
    int keys = 0;

    /// Errors: as MasterKey::Load() and RewrapKeys()
    static Result<ChangeMasterKey> Begin(const std::string& folder);
    /// Destroys the old one. Errors: as ErrnoStatus()
    Status Finish() const;
  };

  /// Where other keys of the service may be, too.
  const std::string& folder() const { return folder_; }
  const MasterKey& master_key() const { return master_key_; }
  KeyStore& keys() { return *keys_; }
  Sealer& sealer() { return *sealer_; }

 private:
  Keyring(std::string folder, MasterKey master_key)
      : folder_(std::move(folder)), master_key_(std::move(master_key)) {}

  const std::string folder_;
  const MasterKey master_key_;
  std::unique_ptr<KeyStore> keys_;
  std::unique_ptr<Sealer> sealer_;
};

}  // namespace lethe
