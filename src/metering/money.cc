#include "metering/money.h"

#include <cstdlib>

#include "base/check.h"

namespace lethe {
namespace {

constexpr MicroUnits kUnit = 1'000'000;
constexpr std::size_t kDecimals = 6, kMostDigits = 12;  // before the point; 64 bits have room

bool AreDigits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::int64_t Number(std::string_view digits) {
  std::int64_t number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

}  // namespace

Result<MicroUnits> ParseMoney(std::string_view text, MicroUnits most) {
  const Status wrong =
      InvalidArgument("an amount is 0 to " + std::to_string(most / kUnit) +
                      " with at most six digits behind the point, such as \"3.2\", not: " +
                      std::string(text.substr(0, 32)));
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const bool has_part = point != std::string_view::npos;
  if (whole.empty() || whole.size() > kMostDigits || !AreDigits(whole) || part.size() > kDecimals ||
      !AreDigits(part) || (has_part && part.empty())) {
    return wrong;
  }
  const MicroUnits amount =
      Number(whole) * kUnit + Number(std::string(part) + std::string(kDecimals - part.size(), '0'));
  if (amount > most) return wrong;
  return amount;
}

std::string ShowMoney(MicroUnits amount) {
  const auto magnitude =
      amount < 0 ? 0 - static_cast<std::uint64_t>(amount) : static_cast<std::uint64_t>(amount);
  const std::string part = std::to_string(magnitude % kUnit);
  return (amount < 0 ? "-" : "") + std::to_string(magnitude / kUnit) + "." +
         std::string(kDecimals - part.size(), '0') + part;
}

MicroUnits RoundedFee(std::int64_t volume, MicroUnits price, std::int64_t per) {
  LETHE_CHECK(volume >= 0 && volume <= kMostVolume);
  LETHE_CHECK(price >= 0 && price <= kHighestPrice);
  LETHE_CHECK(per == 1000 || per == 3600);
  // The product may have more than 64 bits; that of the remainder has not.
  return volume / per * price + (volume % per * price * 2 + per) / (per * 2);
}

}  // namespace lethe
