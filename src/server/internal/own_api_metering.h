#pragma once

// What an application used, what that costs, and how available the service was for it.

#include <chrono>

#include "base/clock.h"
#include "metering/price_table.h"
#include "server/http.h"
#include "store/usage.h"

namespace lethe::server_internal {

/// How calls are counted here. Lifetime: what it names outlives the answers
struct OwnApiMetering {
  Usage& usage;
  const PriceTable& prices;
  std::chrono::minutes utc_offset;
  const Clock& clock;
};

/// `from` and `to`, days: the application's use, day by day; by default of this month.
HttpResponse ShowUsage(const OwnApiMetering& metering, AppId app_id, const NamedValues& query);

/// `month`, by default the last one that is over: its bill, as `lethe bill --json` prints it.
HttpResponse ShowBill(const OwnApiMetering& metering, AppId app_id, const NamedValues& query);

/// The same of service levels and credits.
HttpResponse ShowSla(const OwnApiMetering& metering, AppId app_id, const NamedValues& query);

}  // namespace lethe::server_internal
