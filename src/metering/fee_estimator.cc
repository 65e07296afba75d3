#include "metering/fee_estimator.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lethe {
namespace {

using std::chrono::days;

constexpr std::chrono::hours kAskAgain{1};

std::chrono::sys_days FirstOfMonth(std::chrono::sys_days day) {
  const std::chrono::year_month_day date = day;
  return date.year() / date.month() / 1;
}

// A volume that has no price any more costs what the largest does.
std::int64_t Bounded(std::int64_t volume) {
  return std::clamp<std::int64_t>(volume, 0, kMostVolume);
}

}  // namespace

FeeEstimator::FeeEstimator(PriceTable prices, Usage& usage, const Clock& clock,
                           std::chrono::minutes utc_offset)
    : prices_(std::move(prices)), usage_(usage), clock_(clock), utc_offset_(utc_offset) {}

FeeEstimator::Used& FeeEstimator::UsedBy(const FinishedCall& call, const struct Price& price) {
  const auto day = DayOf(call.end, utc_offset_);
  const WallTime now = clock_.Now();
  auto [found, is_new] = used_.try_emplace({day, call.app_id, call.interface});
  Used& used = found->second;
  if (!is_new && now >= used.asked && now - used.asked < kAskAgain) return used;
  used.asked = now;
  const auto sums = usage_.ByDay(
      {.app_id = call.app_id, .first = FirstOfMonth(day), .last = day, .utc_offset = utc_offset_});
  if (!sums.ok()) return used;
  used.month_before = used.day = 0;
  for (const DayUsage& sum : *sums) {
    if (sum.interface != call.interface) continue;
    (sum.day == day ? used.day : used.month_before) += price.Volume(sum);
  }
  return used;
}

void FeeEstimator::Price(std::span<FinishedCall> calls) {
  for (FinishedCall& call : calls) {
    call.fee = 0;
    const struct Price* price = prices_.Find(call.interface);
    if (price == nullptr || !call.succeeded) continue;
    Used& used = UsedBy(call, *price);
    const std::int64_t before = used.month_before + used.day;
    used.day += price->Volume(call);
    const std::int64_t charged_before = price->Charged(before);
    const std::int64_t charged = price->Charged(used.month_before + used.day);
    const std::int64_t of_period = price->period == BillingPeriod::kMonth
                                       ? charged
                                       : charged - price->Charged(used.month_before);
    call.fee = price->Fee(Bounded(charged - charged_before), price->TierOf(of_period));
  }
  // Days that are over are not asked about any more; a call that ends late looks them up again.
  const auto today = DayOf(clock_.Now(), utc_offset_);
  used_.erase(used_.begin(), used_.lower_bound({today - days(1), 0, Interface::kSentence}));
}

}  // namespace lethe
