#pragma once

// Money as integers: millionths of a currency's unit. No amount is ever a floating point number.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace lethe {

/// 3.20 is 3'200'000.
using MicroUnits = std::int64_t;

/// The dearest an hour or a thousand calls may be; with kMostVolume no product leaves 64 bits.
inline constexpr MicroUnits kHighestPrice = 10'000'000'000;  // 10,000 of the currency
/// Seconds or calls that one period may have.
inline constexpr std::int64_t kMostVolume = 100'000'000'000;

/// What can be an amount.
inline constexpr MicroUnits kHighestAmount = 999'999'999'999'000'000;

/// Reads "3.2", "1200" or "0.000001". Errors: kInvalidArgument for a sign, more than six digits
/// behind the point, anything else, or more than `most`, which is whole and at most kHighestAmount
Result<MicroUnits> ParseMoney(std::string_view text, MicroUnits most = kHighestPrice);

/// All six digits: "3.200000", "-0.000001".
std::string ShowMoney(MicroUnits amount);

/// `volume` * `price` / `per`, a half rounded up: the one place where money is rounded. It never
/// falls when the volume grows.
/// Shapes: volume 0 to kMostVolume, price 0 to kHighestPrice, per 1000 or 3600; more CHECKs
MicroUnits RoundedFee(std::int64_t volume, MicroUnits price, std::int64_t per);

}  // namespace lethe
