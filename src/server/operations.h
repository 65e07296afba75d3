#pragma once

// For whoever runs the service: is it alive, is it ready, what does it do.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fact.h"
#include "retention/sweeper.h"
#include "server/faces.h"
#include "server/http_server.h"
#include "server/router.h"
#include "server/watch_history.h"
#include "service/fair_pool.h"
#include "service/ledger_feed.h"
#include "service/recording_tasks.h"

namespace lethe {

/// A pool by its name in metrics.
struct NamedPool {
  Label name;
  const FairPool& pool;
};

/// What the routes look at. The server's own counts are asked for when they are wanted, because the
/// server exists only after its routes.
struct OperationsParts {
  const EngineCatalog& engines;
  const Meter& meter;
  std::function<ServerCounts()> server;
  std::function<std::vector<Sweeper::Report>()> retention;
  std::function<LedgerFeed::Report()> ledger;
  const std::atomic<bool>& stopping;
  std::function<bool()> held = [] { return false; };  // the clock leapt, and is not believed yet
  std::function<CallbackCounts()> callbacks = [] { return CallbackCounts(); };
  std::vector<NamedPool> pools;
  std::string data_folder = "/";                                       // whose disk is looked at
  std::function<Millis()> records_silence = [] { return Millis(0); };  // since they last answered
  // How far the machine's clock is behind the time that counts here.
  std::function<Millis()> clock_behind = [] { return Millis(0); };
  // Which files that are written to were removed or replaced, if any were.
  std::function<std::optional<Label>()> files_lost = [] { return std::nullopt; };
  // For how long a reader of the database has kept what was removed in its log.
  std::function<Millis()> log_held = [] { return Millis(0); };
};

/// What the metrics are made of, as it is now; for a WatchHistory. Blocks on a few files of the
/// kernel's.
WatchCounts ReadWatchCounts(const OperationsParts& parts);

/// GET /healthz (the process answers), /readyz (it takes calls; 503 while it stops, while the
/// records have not answered for ten seconds, and while files that it writes to are gone; besides,
/// what was not swept clean for ten minutes) and /metrics (Prometheus text, docs/metrics.md). None
/// of them tells anything about a caller but how many there were. Lifetime: the parts outlive the
/// server
void AddOperationsRoutes(Router& router, const OperationsParts& parts);

}  // namespace lethe
