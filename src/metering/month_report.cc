#include "metering/month_report.h"

namespace lethe {

Result<Bill> BillMonth(Usage& usage, const PriceTable& prices, AppId app_id,
                       const BilledMonth& month, WallTime now, UsageMark upto) {
  UsageSums sums(month.utc_offset);
  RETURN_IF_ERROR(
      usage.Calls({.app_id = app_id, .begin = month.begin(), .end = month.end(), .upto = upto},
                  [&](const FinishedCall& call) {
                    sums.Add(call);
                    return OkStatus();
                  }));
  return MakeBill(prices, app_id, month, sums, now);
}

Result<SlaReport> ReportMonth(Usage& usage, const PriceTable& prices, AppId app_id,
                              const BilledMonth& month, const SlaOptions& options, WallTime now) {
  ASSIGN_OR_RETURN(SlaCounter counter, SlaCounter::Create(app_id, month, options));
  UsageSums sums(month.utc_offset);
  RETURN_IF_ERROR(usage.Calls({.app_id = app_id, .begin = month.begin(), .end = month.end()},
                              [&](const FinishedCall& call) {
                                sums.Add(call);
                                counter.Add(call);
                                return OkStatus();
                              }));
  ASSIGN_OR_RETURN(const Bill bill, MakeBill(prices, app_id, month, sums, now));
  return counter.Finish(now, bill.total, bill.currency);
}

}  // namespace lethe
