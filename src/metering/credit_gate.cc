#include "metering/credit_gate.h"

#include <algorithm>

namespace lethe {
namespace {

constexpr std::chrono::minutes kAskAgain{1};
// Of the records' time, asking takes a hundredth at most, however many rows there are.
constexpr int kMostShare = 100;

}  // namespace

BilledMonth CreditGate::MonthOf(WallTime time) const {
  const std::chrono::year_month_day day = DayOf(time, options_.utc_offset);
  return {.month = day.year() / day.month(), .utc_offset = options_.utc_offset};
}

std::optional<CreditRefusal> CreditGate::Check(const Application& application) {
  if (application.overdue_since && clock_.Now() >= *application.overdue_since + options_.grace) {
    return CreditRefusal::kOverdue;
  }
  if (!application.monthly_limit) return std::nullopt;
  const MicroUnits spent = SpentBy(application.id);
  // What is free may be used to the end, also where nothing may be spent.
  if (spent > 0 && spent >= *application.monthly_limit) return CreditRefusal::kSpent;
  return std::nullopt;
}

MicroUnits CreditGate::SpentBy(AppId app_id) {
  const WallTime now = clock_.Now();
  const BilledMonth month = MonthOf(now);
  {
    const MutexLock lock(mutex_);
    auto [found, is_new] = spent_.try_emplace(app_id);
    Spent& spent = found->second;
    if (spent.month != month.month) {
      spent = {.month = month.month};
      is_new = true;
    }
    if (!is_new && now >= spent.asked && now - spent.asked < spent.rest) return spent.amount;
    spent.asked = now;
  }
  // Calls go on meanwhile, with what was known.
  const auto begun = std::chrono::steady_clock::now();
  const auto fees = usage_.Fees(app_id, month.begin(), month.end());
  const auto took = std::chrono::steady_clock::now() - begun;
  const MutexLock lock(mutex_);
  Spent& spent = spent_[app_id];
  spent.rest = std::max<Millis>(kAskAgain, std::chrono::duration_cast<Millis>(took) * kMostShare);
  if (fees.ok() && spent.month == month.month) spent.amount = *fees;
  return spent.amount;
}

void CreditGate::Add(std::span<const FinishedCall> calls) {
  const MutexLock lock(mutex_);
  for (const FinishedCall& call : calls) {
    const auto found = spent_.find(call.app_id);
    if (found == spent_.end() || found->second.month != MonthOf(call.end).month) continue;
    found->second.amount += call.fee;
  }
}

}  // namespace lethe
