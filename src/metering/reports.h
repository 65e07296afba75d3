#pragma once

// Usage, bills and service levels for other programs: JSON objects of one line without a line
// break, and CSV (metering/csv.h). docs/metering.md lists every field and column. Amounts are texts
// with six digits behind the point: they stay exact whatever reads them.

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "metering/bill.h"
#include "metering/sla.h"
#include "store/usage.h"

namespace lethe {

/// An application's days, as Usage::ByDay() gives them for the query.
std::string UsageJson(const UsageQuery& query, std::span<const DayUsage> days);
std::string UsageCsvHead();
std::string UsageCsv(AppId app_id, std::span<const DayUsage> days);

/// A call; `fee` is its share of the bill, where that is known, else the field is null or empty.
std::string CallJson(const FinishedCall& call, std::chrono::minutes utc_offset,
                     std::optional<MicroUnits> fee);
std::string CallCsvHead();
std::string CallCsv(const FinishedCall& call, std::chrono::minutes utc_offset,
                    std::optional<MicroUnits> fee);

std::string BillJson(const Bill& bill);
std::string BillCsvHead();
std::string BillCsv(const Bill& bill);

std::string SlaJson(const SlaReport& report);

/// "succeeded", "server_fault" or "caller_fault".
const char* OutcomeName(const FinishedCall& call);
/// "hour" or "thousand_calls", as a file of prices has it.
const char* UnitName(PriceUnit unit);

}  // namespace lethe
