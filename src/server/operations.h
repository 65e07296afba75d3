#pragma once

// For whoever runs the service: is it alive, is it ready, what does it do.

#include <atomic>
#include <functional>
#include <vector>

#include "retention/sweeper.h"
#include "server/faces.h"
#include "server/http_server.h"
#include "server/router.h"
#include "service/ledger_feed.h"

namespace lethe {

/// What the routes look at. The server's own counts are asked for when they are wanted, because the
/// server exists only after its routes.
struct OperationsParts {
  const EngineCatalog& engines;
  const Meter& meter;
  std::function<ServerCounts()> server;
  std::function<std::vector<Sweeper::Report>()> retention;
  std::function<LedgerFeed::Report()> ledger;
  const std::atomic<bool>& stopping;
};

/// GET /healthz (the process answers), /readyz (it takes calls; 503 while it stops; besides, what
/// was not swept clean for ten minutes) and /metrics (Prometheus text). None of them tells anything
/// about a caller but how many there were.
/// Lifetime: the parts outlive the server
void AddOperationsRoutes(Router& router, const OperationsParts& parts);

}  // namespace lethe
