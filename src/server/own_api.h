#pragma once

// Lethe's own interface, /lethe/v1/: what the interfaces of others have no words for.
//
//   POST /lethe/v1/erase       forget now, with receipts (docs/erasure.md)
//   GET  /lethe/v1/receipts    what the ledger has of a task: stored, or refused
//   GET  /lethe/v1/held        what is held, by class (docs/console.md)
//   GET  /lethe/v1/tasks       recording tasks: how far they are, and their callbacks
//   POST /lethe/v1/tasks       cancel one, try it again, call back again
//   GET  /lethe/v1/usage       what was used, day by day
//   GET  /lethe/v1/bill        what a month costs, to the micro-unit (docs/metering.md)
//   GET  /lethe/v1/sla         how available the service was in a month, and what is credited
//   GET  /lethe/v1/retention   how long what is held
//   GET  /lethe/v1/consent     the register of consents (docs/consent.md)
//   POST /lethe/v1/consent     give one, withdraw it and erase, or require them
//   POST /lethe/v1/retention   hold something shorter
//   GET  /lethe/v1/ledger      the last signed head of the ledger, who signs, and that it goes on
//                              from an earlier one
//   GET  /lethe/v1/watch       the last hour of the process that answers (docs/metrics.md)
//   GET  /lethe/v1/applications, POST  who may call, and how much
//   GET  /lethe/v1/keys, POST          what with
//   GET  /lethe/v1/vocabularies, POST  hot words that it keeps here
//   GET  /lethe/v1/openapi.json        all of this, described
//
// An application's bearer key opens what is the application's; the console's password, sent as
// HTTP Basic with the user "console", opens all, and so does the session of a browser that is
// signed in to the console (server/console.h).

#include <chrono>
#include <functional>
#include <string>

#include "metering/price_table.h"
#include "server/faces.h"
#include "server/router.h"
#include "server/watch_history.h"
#include "service/eraser.h"

namespace lethe {

/// What the page Watch looks at. Lifetime: outlives the server
struct OwnApiWatch {
  const WatchHistory& history;
  std::function<WatchCounts()> counts;  // as it is now
  std::string node;                     // the name of this process among those of a database
};

struct OwnApiOptions {
  const PriceTable& prices;
  std::chrono::minutes utc_offset;  // where days and months begin
  LedgerFeed& ledger;
  RecordingTasks& tasks;
  OwnApiWatch watch;
};

/// `erasures` is the pool for what may take longer, and nothing else may hold up: erasing much.
/// Lifetime: all it is given outlives the server
void AddOwnApiRoutes(Router& router, FaceContext& context, Eraser& eraser, FairPool& erasures,
                     const OwnApiOptions& options);

}  // namespace lethe
