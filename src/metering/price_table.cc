#include "metering/price_table.h"

#include <algorithm>

#include "base/file.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::int64_t kHour = 3600, kThousand = 1000;

// Tiers of 0-299, 300-999, 1000-2999, 3000-4999 and 5000 hours or thousand calls a day.
Price Daily(PriceUnit unit, std::int64_t free_per_month, const std::vector<MicroUnits>& prices) {
  constexpr std::int64_t kFrom[] = {0, 300, 1000, 3000, 5000};
  Price price{.unit = unit, .period = BillingPeriod::kDay, .free_per_month = free_per_month};
  for (std::size_t i = 0; i < prices.size(); ++i) {
    price.tiers.push_back({.from = kFrom[i] * price.per(), .price = prices[i]});
  }
  return price;
}

Price WithoutFreeQuota(Price price) {
  price.free_per_month = 0;
  return price;
}

PriceTable Mainland() {
  PriceTable table{.name = "mainland", .currency = "CNY"};
  auto& prices = table.prices;
  prices[Interface::kRealtime] =
      Daily(PriceUnit::kHour, 5 * kHour, {3'200'000, 2'800'000, 2'200'000, 1'600'000, 1'200'000});
  prices[Interface::kFlash] =
      Daily(PriceUnit::kHour, 5 * kHour, {3'100'000, 2'700'000, 2'300'000, 1'900'000, 1'300'000});
  prices[Interface::kSentence] = Daily(PriceUnit::kThousandCalls, 5 * kThousand,
                                       {3'200'000, 2'800'000, 2'200'000, 1'600'000, 1'200'000});
  // "0-120 000", "to 300 000", "above": here the limits belong to the lower tier.
  prices[Interface::kRecording] = {.unit = PriceUnit::kHour,
                                   .period = BillingPeriod::kMonth,
                                   .free_per_month = 10 * kHour,
                                   .tiers = {{.from = 0, .price = 1'750'000},
                                             {.from = 120'000 * kHour + 1, .price = 1'400'000},
                                             {.from = 300'000 * kHour + 1, .price = 950'000}}};
  prices[Interface::kOpenAi] = WithoutFreeQuota(prices[Interface::kFlash]);
  prices[Interface::kOpenAiRealtime] = WithoutFreeQuota(prices[Interface::kRealtime]);
  return table;
}

PriceTable International() {
  PriceTable table{.name = "international", .currency = "USD"};
  auto& prices = table.prices;
  prices[Interface::kRealtime] =
      Daily(PriceUnit::kHour, 0, {1'400'000, 1'200'000, 1'000'000, 860'000, 700'000});
  prices[Interface::kRecording] =
      Daily(PriceUnit::kHour, 0, {1'000'000, 950'000, 900'000, 850'000, 600'000});
  prices[Interface::kOpenAi] = prices[Interface::kRecording];
  prices[Interface::kOpenAiRealtime] = prices[Interface::kRealtime];
  return table;
}

}  // namespace

std::int64_t Price::Volume(const FinishedCall& call) const {
  if (!call.succeeded) return 0;
  return unit == PriceUnit::kHour ? static_cast<std::int64_t>(CountedSeconds(call)) : 1;
}

std::int64_t Price::Volume(const DayUsage& usage) const {
  return static_cast<std::int64_t>(unit == PriceUnit::kHour ? usage.seconds : usage.calls);
}

std::int64_t Price::Charged(std::int64_t month_volume) const {
  return std::max<std::int64_t>(0, month_volume - free_per_month);
}

std::size_t Price::TierOf(std::int64_t charged) const {
  std::size_t tier = 0;
  while (tier + 1 < tiers.size() && tiers[tier + 1].from <= charged) ++tier;
  return tier;
}

MicroUnits Price::Fee(std::int64_t charged, std::size_t tier) const {
  return RoundedFee(charged, tiers.at(tier).price, per());
}

const Price* PriceTable::Find(Interface interface) const {
  const auto found = prices.find(interface);
  return found == prices.end() ? nullptr : &found->second;
}

Result<PriceTable> BuiltInPrices(std::string_view name) {
  if (name == "mainland") return Mainland();
  if (name == "international") return International();
  if (name == "free") return PriceTable{.name = "free", .currency = "", .prices = {}};
  return NotFound("the built-in prices are mainland, international and free, not: " +
                  std::string(name.substr(0, 64)));
}

Result<PriceTable> LoadPrices(const std::string& named) {
  if (auto built_in = BuiltInPrices(named); built_in.ok()) return built_in;
  auto text = ReadFile(named, kMaxFile);
  if (text.status().code() == StatusCode::kNotFound) {
    return NotFound("prices are mainland, international, free or a file; there is no: " + named);
  }
  RETURN_IF_ERROR(text.status());
  return ParsePrices(*text, named);
}

}  // namespace lethe
