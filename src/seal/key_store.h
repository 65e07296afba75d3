#pragma once

// The keys that what is stored is sealed under, kept apart from it.
//
// Every epoch has a key: an hour, a class of data, a region. Every tenant has one too. What is
// sealed (seal/sealer.h) opens only with both. When an epoch has passed and all that was sealed in
// it has to be gone, its key is destroyed, and every copy of it, wherever it was carried, is noise;
// so with a tenant.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "seal/data_class.h"
#include "seal/sealing_key.h"

namespace lethe {

/// Whose data it is: an application's number.
using TenantId = std::uint64_t;

struct Epoch {
  DataClass data_class = DataClass::kAudio;
  std::string region;     // lower-case letters, digits and '-'
  std::int64_t hour = 0;  // since 1970, UTC

  bool operator==(const Epoch&) const = default;
  bool operator<(const Epoch& other) const {
    return std::tie(data_class, region, hour) <
           std::tie(other.data_class, other.region, other.hour);
  }
};

Epoch EpochOf(DataClass data_class, const std::string& region, WallTime created);

/// When its key is destroyed: KeyLifetime() after the hour's *beginning*, so that nothing of it
/// opens longer after its creation than it may be held.
WallTime EndOf(const Epoch& epoch);

/// Thread: any; calls may wait for a disk
/// Errors: as ErrnoStatus(), and as said; kUnavailable when the keys cannot be reached; kDataLoss
/// for a key that does not open
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  /// The key of an epoch, made if there is none. Two that ask at once get the same.
  /// Errors: kNotFound when the epoch is over at `now`, destroyed or not
  virtual Result<std::shared_ptr<const SealingKey>> EpochKey(const Epoch& epoch, WallTime now) = 0;

  /// The key of an epoch if there is one. Errors: kNotFound
  virtual Result<std::shared_ptr<const SealingKey>> FindEpochKey(const Epoch& epoch,
                                                                 WallTime now) = 0;

  /// The key of a tenant, made if there is none. Errors: kNotFound when it was destroyed: a
  /// tenant's number is given once
  virtual Result<std::shared_ptr<const SealingKey>> TenantKey(TenantId tenant) = 0;

  /// Destroys a key: overwritten, removed, forgotten in memory. Of what is already gone: ok.
  ///
  /// `tell` is called between the last two steps of an epoch's end: when the key is no more, and
  /// Epochs() still has the epoch. What it returns is returned; unless that is ok the epoch stays
  /// there, to be destroyed again. So somebody is told of every key at least once, come what may.
  using Tell = std::function<Status()>;
  virtual Status DestroyEpoch(const Epoch& epoch, const Tell& tell) = 0;
  Status DestroyEpoch(const Epoch& epoch) {
    return DestroyEpoch(epoch, [] { return OkStatus(); });
  }
  virtual Status DestroyTenant(TenantId tenant) = 0;

  /// What exists, in order; never what it is.
  virtual Result<std::vector<Epoch>> Epochs() = 0;
  virtual Result<std::vector<TenantId>> Tenants() = 0;
};

}  // namespace lethe
