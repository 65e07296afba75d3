#pragma once

// What anybody may know of the ledger.

#include "server/http.h"
#include "service/ledger_feed.h"

namespace lethe::server_internal {

/// The last signed head and the keys that sign; with `from`, the number of leaves of an earlier
/// head, also the proof that the ledger only grew since.
HttpResponse ShowLedger(LedgerFeed& ledger, const HttpRequest& request);

}  // namespace lethe::server_internal
