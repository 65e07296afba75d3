#pragma once

// Recordings that have to be held until they are transcribed: audio, sealed, in the object store.
//
// An object's name says when it was stored and nothing else, so what nobody asks for any more is
// found and removed without a database. What opens it, its sealed key, is with whoever stored it: a
// copy of the object is noise without that.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "seal/sealer.h"
#include "store/objects.h"

namespace lethe {

struct StoredRecording {
  std::string name;  // of the object
  std::string key;   // its sealed key, as base64

  bool operator==(const StoredRecording&) const = default;
};

/// Thread: any; calls wait for a disk or a network
/// Lifetime: what it is given outlives it
class Recordings {
 public:
  /// How long a recording can be read at most; Sweep() removes it then.
  static constexpr Millis kLifetime = SealedLifetime(DataClass::kAudio);

  Recordings(ObjectStore& objects, Sealer& sealer, const Clock& clock)
      : objects_(objects), sealer_(sealer), clock_(clock) {}

  /// Seals and stores a recording of a tenant. `id` is bound into it: Get() has to be given it.
  /// Errors: as Sealer; kUnavailable whatever it is that the object store does not do
  Result<StoredRecording> Put(TenantId tenant, std::string_view id, std::string_view audio);

  /// Errors: kNotFound when it was removed, or its time is over; kResourceExhausted when it is
  ///         longer than `max_bytes`; kDataLoss when it is not what was stored; else as Put()
  Result<std::string> Get(TenantId tenant, std::string_view id, const StoredRecording& stored,
                          std::uint64_t max_bytes);

  /// Of what is gone already: ok.
  Status Remove(const std::string& name) { return objects_.Remove(name); }

  /// Removes at most `limit` recordings whose time is over, whoever knows them, and what was left
  /// of some that were never stored. Returns how many recordings.
  /// Errors: as ObjectStore; what comes behind one that cannot be removed is removed nevertheless
  Result<int> RemoveExpired(int limit);

 private:
  ObjectStore& objects_;
  Sealer& sealer_;
  const Clock& clock_;
};

}  // namespace lethe
