#pragma once

// Erasing from a command, beside a service that runs on the same folder or without one.

#include <functional>
#include <string>

#include "app/data_folder.h"
#include "base/status.h"
#include "service/eraser.h"

namespace lethe {

/// Calls `erase`, waits some seconds for the receipts where a running service has the ledger, and
/// says what was erased. Receipts are written to `receipts_file` besides, a JSON each; empty: not.
/// Errors: those of `erase`; as AtomicFileWriter
Status EraseAndShow(DataFolder& data, const std::string& receipts_file,
                    const std::function<Result<Erasure>(Eraser&)>& erase);

/// What a command decided is written down beside the ledger, so that it outlives a backup of the
/// records that is put back before a service starts. Where a service runs, that does it within a
/// second; where it cannot be done, the next one that starts does.
void TellDecisions(DataFolder& data);

}  // namespace lethe
