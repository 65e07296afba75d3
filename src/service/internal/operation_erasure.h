#pragma once

// The rows of the operation log that belong to calls which are erased.

#include <functional>
#include <optional>

#include "base/status.h"
#include "store/cancellations.h"
#include "store/operation_log.h"
#include "store/store.h"

namespace lethe::internal {

/// Takes what was erased, batch by batch.
using ErasedOperations = std::function<void(const OperationLog::Erased& erased)>;

/// Erases the rows. Errors: as Store; what was handed to `sink` is erased
Status EraseOperations(OperationLog& log, const OperationSelector& selector, ErasureCause cause,
                       const ErasedOperations& sink);

/// Those of calls that a cancellation is about; only those that were written since then, if it is
/// said. Errors: the same
Status EraseOperations(Store& store, const Cancellation& cancellation,
                       std::optional<WallTime> written_since, const ErasedOperations& sink);

}  // namespace lethe::internal
