#pragma once

// Sealing: what is written down about a call is encrypted under a key of its own, and that key
// under its tenant's and its hour's (seal/key_store.h).
//
//   sealed = version | hour | wrapped key | sealed bytes
//   wrapped key = item key, sealed under Mix(epoch key, tenant key)
//
// Both seals have the identity in them: what was sealed as one thing does not open as another.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "seal/key_store.h"

namespace lethe {

/// What a sealed thing is. Its region is the sealer's.
struct Identity {
  DataClass data_class = DataClass::kResult;
  TenantId tenant = 0;
  std::string_view id;     // of the item, within its tenant and class
  std::string_view field;  // of it
};

/// An item's key, as it is and as it is written down.
struct ItemKey {
  SealingKey key;
  std::string header;  // kSealHeader bytes: version, hour and wrapped key
};
inline constexpr std::size_t kSealHeader = 1 + 8 + SealingKey::kSize + SealingKey::kOverhead;

/// Thread: any; the key store may wait for a disk
/// Lifetime: `keys` and `clock` outlive it
class Sealer {
 public:
  Sealer(KeyStore& keys, std::string region, const Clock& clock)
      : keys_(keys), region_(std::move(region)), clock_(clock) {}

  /// Seals, as something that was created then. Errors: kNotFound when that is longer ago than the
  /// class may be held; kDataLoss for a damaged key; kUnavailable while the keys are out of reach
  Result<std::string> Seal(const Identity& identity, WallTime created, std::string_view plain);

  /// Errors: kNotFound when the time is over, or a key was destroyed: then nobody can open it any
  /// more; kDataLoss when it was changed or is something else; else as Seal()
  Result<std::string> Open(const Identity& identity, std::string_view sealed);

  /// For what is sealed in pieces (seal/sealed_pieces.h). Errors: as Seal() and Open()
  Result<ItemKey> NewKey(const Identity& identity, WallTime created);
  Result<SealingKey> OpenKey(const Identity& identity, std::string_view header);

  const std::string& region() const { return region_; }

 private:
  std::string BelongsTo(const Identity& identity, std::int64_t hour) const;

  KeyStore& keys_;
  const std::string region_;
  const Clock& clock_;
};

}  // namespace lethe
