#include "retention/ended_epochs.h"

#include <vector>

namespace lethe {

Result<int> DestroyEndedEpochs(KeyStore& keys, WallTime now, int limit) {
  ASSIGN_OR_RETURN(const std::vector<Epoch> epochs, keys.Epochs());
  Status first_error;
  int destroyed = 0;
  for (const Epoch& epoch : epochs) {
    if (destroyed == limit) break;
    if (now < EndOf(epoch)) continue;
    const Status status = keys.DestroyEpoch(epoch);
    if (status.ok()) ++destroyed;
    if (first_error.ok()) first_error = status;
  }
  if (!first_error.ok()) return first_error;
  return destroyed;
}

}  // namespace lethe
