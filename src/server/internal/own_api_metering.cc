#include "server/internal/own_api_metering.h"

#include "metering/calendar.h"
#include "metering/month_report.h"
#include "metering/reports.h"
#include "server/internal/own_api_json.h"

namespace lethe::server_internal {
namespace {

Result<UsageQuery> ReadUsageQuery(const OwnApiMetering& metering, AppId app_id,
                                  const NamedValues& query) {
  UsageQuery wanted{.app_id = app_id,
                    .first = {},
                    .last = DayOf(metering.clock.Now(), metering.utc_offset),
                    .utc_offset = metering.utc_offset};
  if (const auto to = FindValue(query, "to")) {
    ASSIGN_OR_RETURN(wanted.last, ParseDay(*to));
  }
  const std::chrono::year_month_day last = wanted.last;
  wanted.first = last.year() / last.month() / 1;
  if (const auto from = FindValue(query, "from")) {
    ASSIGN_OR_RETURN(wanted.first, ParseDay(*from));
  }
  if (wanted.last < wanted.first) return InvalidArgument("to lies before from");
  return wanted;
}

Result<std::string> Days(const OwnApiMetering& metering, AppId app_id, const NamedValues& query) {
  ASSIGN_OR_RETURN(const UsageQuery wanted, ReadUsageQuery(metering, app_id, query));
  ASSIGN_OR_RETURN(const std::vector<DayUsage> days, metering.usage.ByDay(wanted));
  return UsageJson(wanted, days);
}

Result<BilledMonth> ReadMonth(const OwnApiMetering& metering, const NamedValues& query,
                              WallTime now) {
  const std::chrono::year_month_day today = DayOf(now, metering.utc_offset);
  BilledMonth month{.month = today.year() / today.month() - std::chrono::months(1),
                    .utc_offset = metering.utc_offset};
  if (const auto named = FindValue(query, "month")) {
    ASSIGN_OR_RETURN(month.month, ParseMonth(*named));
  }
  if (now < month.begin()) return InvalidArgument("the month has not begun yet");
  return month;
}

Result<std::string> BillOf(const OwnApiMetering& metering, AppId app_id, const NamedValues& query) {
  const WallTime now = metering.clock.Now();
  ASSIGN_OR_RETURN(const BilledMonth month, ReadMonth(metering, query, now));
  ASSIGN_OR_RETURN(const Bill bill, BillMonth(metering.usage, metering.prices, app_id, month, now));
  return BillJson(bill);
}

Result<std::string> SlaOf(const OwnApiMetering& metering, AppId app_id, const NamedValues& query) {
  const WallTime now = metering.clock.Now();
  ASSIGN_OR_RETURN(const BilledMonth month, ReadMonth(metering, query, now));
  ASSIGN_OR_RETURN(const SlaReport report,
                   ReportMonth(metering.usage, metering.prices, app_id, month, {}, now));
  return SlaJson(report);
}

HttpResponse Answer(const Result<std::string>& json) {
  return json.ok() ? OwnApiAnswer(*json) : OwnApiError(json.status());
}

}  // namespace

HttpResponse ShowUsage(const OwnApiMetering& metering, AppId app_id, const NamedValues& query) {
  return Answer(Days(metering, app_id, query));
}

HttpResponse ShowBill(const OwnApiMetering& metering, AppId app_id, const NamedValues& query) {
  return Answer(BillOf(metering, app_id, query));
}

HttpResponse ShowSla(const OwnApiMetering& metering, AppId app_id, const NamedValues& query) {
  return Answer(SlaOf(metering, app_id, query));
}

}  // namespace lethe::server_internal
