#pragma once

// A month of an application, read once.

#include "base/clock.h"
#include "base/status.h"
#include "metering/bill.h"
#include "metering/price_table.h"
#include "metering/sla.h"
#include "store/usage.h"

namespace lethe {

/// What a month costs, of the rows that were written until `upto`.
/// Thread: any. Errors: as Usage::Calls() and MakeBill()
Result<Bill> BillMonth(Usage& usage, const PriceTable& prices, AppId app_id,
                       const BilledMonth& month, WallTime now, UsageMark upto = kAllUsage);

/// How available the service was, with credits that are shares of what the month costs.
/// Thread: any. Errors: as Usage::Calls(), SlaCounter::Create() and MakeBill()
Result<SlaReport> ReportMonth(Usage& usage, const PriceTable& prices, AppId app_id,
                              const BilledMonth& month, const SlaOptions& options, WallTime now);

}  // namespace lethe
