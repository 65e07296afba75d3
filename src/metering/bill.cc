#include "metering/bill.h"

#include <algorithm>

namespace lethe {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

// The first day of the period that a day of the month lies in.
sys_days PeriodOf(const Price* price, const BilledMonth& month, sys_days day) {
  return price != nullptr && price->period == BillingPeriod::kMonth ? month.first_day() : day;
}

}  // namespace

void UsageSums::Add(const FinishedCall& call) {
  const sys_days day = DayOf(call.end, utc_offset_);
  DayUsage& sum = sums_[{day, call.interface}];
  sum.day = day;
  sum.interface = call.interface;
  ++(call.succeeded ? sum.calls : sum.failed);
  sum.seconds += CountedSeconds(call);
  provisional_ += call.fee;
}

std::vector<DayUsage> UsageSums::ByDay() const {
  std::vector<DayUsage> days;
  for (const auto& [key, sum] : sums_) days.push_back(sum);
  return days;
}

bool IsComplete(const BilledMonth& month, WallTime now) {
  return now < month.begin() + kUsageLifetime;  // the first call that may have ended in it
}

Result<Bill> MakeBill(const PriceTable& prices, AppId app_id, const BilledMonth& month,
                      const UsageSums& sums, WallTime now) {
  Bill bill{.app_id = app_id,
            .month = month,
            .prices = prices.name,
            .currency = prices.currency,
            .provisional = sums.provisional(),
            .over = now >= month.end(),
            .complete = IsComplete(month, now)};
  // Days come in their order, so a month's free volume goes to those that were first.
  std::map<Interface, std::int64_t> month_volume;
  for (const DayUsage& day : sums.ByDay()) {
    if (day.day < month.first_day() || day.day > month.last_day()) continue;
    const Price* price = prices.Find(day.interface);
    const sys_days first = PeriodOf(price, month, day.day);
    auto line = std::find_if(bill.lines.begin(), bill.lines.end(), [&](const BillLine& known) {
      return known.first == first && known.interface == day.interface;
    });
    if (line == bill.lines.end()) {
      const bool monthly = price != nullptr && price->period == BillingPeriod::kMonth;
      line = bill.lines.insert(
          line,
          {.interface = day.interface, .first = first, .last = monthly ? month.last_day() : first});
    }
    line->calls += day.calls;
    line->failed += day.failed;
    line->seconds += day.seconds;
    if (price == nullptr) continue;
    line->priced = true;
    line->unit = price->unit;
    std::int64_t& used = month_volume[day.interface];
    const std::int64_t before = price->Charged(used), volume = price->Volume(day);
    if (volume > kMostVolume - used) {
      return ResourceExhausted("one month has more than can be billed, in seconds or calls: " +
                               std::to_string(kMostVolume));
    }
    used += volume;
    line->charged += price->Charged(used) - before;
    line->free += volume - (price->Charged(used) - before);
  }
  for (BillLine& line : bill.lines) {
    if (!line.priced) continue;
    const Price& price = *prices.Find(line.interface);
    line.tier = price.TierOf(line.charged);
    line.price = price.tiers[line.tier].price;
    line.fee = price.Fee(line.charged, line.tier);
    bill.total += line.fee;
  }
  std::stable_sort(bill.lines.begin(), bill.lines.end(), [](const auto& one, const auto& other) {
    return std::pair(one.first, one.interface) < std::pair(other.first, other.interface);
  });
  return bill;
}

CallShares::CallShares(const PriceTable& prices, const Bill& bill)
    : prices_(prices), month_(bill.month) {
  for (const BillLine& line : bill.lines) {
    lines_[{line.first, line.interface}] = {
        .price = line.priced ? prices.Find(line.interface) : nullptr,
        .tier = line.tier,
        .left_free = line.free,
        .whole_fee = line.fee,
        .whole_charged = line.charged};
  }
}

CallShares::Line* CallShares::Find(const FinishedCall& call) {
  const sys_days day = DayOf(call.end, month_.utc_offset);
  const auto line =
      lines_.find({PeriodOf(prices_.Find(call.interface), month_, day), call.interface});
  return line == lines_.end() ? nullptr : &line->second;
}

Result<MicroUnits> CallShares::Next(const FinishedCall& call) {
  Line* line = Find(call);
  if (line == nullptr) {
    return FailedPrecondition("the bill does not know a call of the interface " +
                              std::string(InterfaceName(call.interface)));
  }
  if (line->price == nullptr) return 0;
  const std::int64_t volume = line->price->Volume(call);
  const std::int64_t free = std::min(volume, line->left_free);
  line->left_free -= free;
  line->charged += volume - free;
  if (line->charged > line->whole_charged) {
    return FailedPrecondition("there are more calls than the bill knows of the interface " +
                              std::string(InterfaceName(call.interface)));
  }
  const MicroUnits fee = line->price->Fee(line->charged, line->tier);
  const MicroUnits share = fee - line->fee;
  line->fee = fee;
  return share;
}

Status CallShares::Finish() const {
  for (const auto& [key, line] : lines_) {
    if (line.fee != line.whole_fee || line.charged != line.whole_charged || line.left_free != 0) {
      return Unavailable("calls were forgotten while they were read; try again");
    }
  }
  return OkStatus();
}

}  // namespace lethe
