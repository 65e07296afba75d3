#pragma once

// The last step of forgetting: when the time of everything of an hour is over, so is its key's.

#include <functional>

#include "base/clock.h"
#include "base/status.h"
#include "seal/key_store.h"

namespace lethe {

/// Destroys at most `limit` keys of epochs that are over (EndOf()). Returns how many. Of each,
/// `destroyed` is told at least once, as KeyStore::DestroyEpoch() says; it may be empty.
/// Errors: as KeyStore and as `destroyed`; what comes behind a key that cannot be destroyed is
///         destroyed nevertheless
Result<int> DestroyEndedEpochs(KeyStore& keys, WallTime now, int limit,
                               const std::function<Status(const Epoch&)>& destroyed = {});

}  // namespace lethe
