#pragma once

// What calls cost. A price has tiers, and the tier that a period's usage reaches is the price of
// all of that usage, not only of what lies above (contract, section 10.1).

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "metering/money.h"
#include "store/interface.h"
#include "store/usage.h"

namespace lethe {

inline constexpr std::size_t kMostTiers = 32;

enum class PriceUnit { kHour, kThousandCalls };  // of audio; of calls that succeeded
enum class BillingPeriod { kDay, kMonth };

struct PriceTier {
  /// Reached when the period's charged volume is as large: seconds or calls.
  std::int64_t from = 0;
  MicroUnits price = 0;  // of an hour, or of a thousand calls

  bool operator==(const PriceTier&) const = default;
};

struct Price {
  PriceUnit unit = PriceUnit::kHour;
  BillingPeriod period = BillingPeriod::kDay;
  /// Seconds or calls of each calendar month that cost nothing and reach no tier, those that end
  /// first. They are not carried over.
  std::int64_t free_per_month = 0;
  std::vector<PriceTier> tiers;  // by `from`, the first from 0

  /// What a call counts as: its seconds, or one; nothing if it failed.
  std::int64_t Volume(const FinishedCall& call) const;
  std::int64_t Volume(const DayUsage& usage) const;
  /// Of so much, what is not free.
  std::int64_t Charged(std::int64_t month_volume) const;
  /// The number of the tier that so much charged volume reaches.
  std::size_t TierOf(std::int64_t charged) const;
  /// Fee of charged volume at a tier.
  MicroUnits Fee(std::int64_t charged, std::size_t tier) const;
  /// Units of volume in what the price is of: 3600 or 1000.
  std::int64_t per() const { return unit == PriceUnit::kHour ? 3600 : 1000; }

  bool operator==(const Price&) const = default;
};

struct PriceTable {
  std::string name, currency;
  std::map<Interface, Price> prices;  // others cost nothing

  const Price* Find(Interface interface) const;

  bool operator==(const PriceTable&) const = default;
};

/// The table of that name: "mainland" (CNY, contract section 10.1), "international" (USD, 10.2) or
/// "free". Errors: kNotFound, with the names there are
///
/// Differs: OpenAI's interfaces have no price there. Theirs is our choice: that of the nearest
///          interface that has one, without its free quota.
Result<PriceTable> BuiltInPrices(std::string_view name);

/// Reads a file of prices, TOML:
///
///   base = "mainland"           # what is not said below; without it nothing else has a price
///   name = "house"
///   currency = "CNY"
///   [interface.realtime]        # as a whole in place of the base's
///   unit = "hour"               # or "thousand_calls"
///   period = "day"              # or "month"
///   free_per_month = 5          # hours, or calls
///   tiers = [{ from = 0, price = "3.2" }, { from = 300, price = "2.8" }]
///
/// A tier begins `from` so many hours or thousand calls on, or `above` them. Prices are texts,
/// because a floating point number would not be what was written.
/// Errors: kInvalidArgument with every problem, each a line that begins with `source`
Result<PriceTable> ParsePrices(const std::string& text, const std::string& source);

/// `named` is a built-in table, or the path of a file. Errors: as BuiltInPrices(), ParsePrices()
/// and ReadFile()
Result<PriceTable> LoadPrices(const std::string& named);

}  // namespace lethe
