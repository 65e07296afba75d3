#include "retention/ended_epochs.h"

#include <vector>

namespace lethe {

Result<int> DestroyEndedEpochs(KeyStore& keys, WallTime now, int limit,
                               const std::function<Status(const Epoch&)>& destroyed) {
  ASSIGN_OR_RETURN(const std::vector<Epoch> epochs, keys.Epochs());
  Status first_error;
  int count = 0;
  for (const Epoch& epoch : epochs) {
    if (count == limit) break;
    if (now < EndOf(epoch)) continue;
    const Status status =
        keys.DestroyEpoch(epoch, [&] { return destroyed ? destroyed(epoch) : OkStatus(); });
    if (status.ok()) ++count;
    if (first_error.ok()) first_error = status;
  }
  if (!first_error.ok()) return first_error;
  return count;
}

}  // namespace lethe
