// Prices out of a file that an operator wrote.

#include <functional>
#include <optional>

#include <toml++/toml.h>

#include "metering/price_table.h"

namespace lethe {
namespace {

constexpr std::int64_t kMostHours = kMostVolume / 3600;

// What is wrong, each with its place. A reading goes on after a problem, so that all are told.
class Problems {
 public:
  explicit Problems(const std::string& source) : source_(source) {}

  void Add(const toml::node& node, const std::string& what) {
    Add(source_ + ":" + std::to_string(node.source().begin.line) + ": " + what);
  }
  void Add(const std::string& problem) { text_ += (text_.empty() ? "" : "; ") + problem; }

  Status status() const {
    return text_.empty() ? OkStatus()
                         : InvalidArgument("the prices have to be put right: " + text_);
  }

 private:
  const std::string& source_;
  std::string text_;
};

// A short text without control characters; they go into reports.
std::optional<std::string> ReadLabel(const toml::node& node, const char* what, Problems& problems) {
  const auto* text = node.as_string();
  const bool good = text != nullptr && !text->get().empty() && text->get().size() <= 32 &&
                    text->get().find_first_not_of(
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                        "wxyz0123456789-_. ") == std::string::npos;
  if (!good) {
    problems.Add(node, std::string(what) + " is a text of at most 32 letters and digits");
    return std::nullopt;
  }
  return text->get();
}

std::optional<std::int64_t> WholeNumber(const toml::node& node, const char* what, std::int64_t most,
                                        Problems& problems) {
  const auto* number = node.as_integer();
  if (number == nullptr || number->get() < 0 || number->get() > most) {
    problems.Add(node, std::string(what) + " is a whole number from 0 to " + std::to_string(most));
    return std::nullopt;
  }
  return number->get();
}

// One of two words.
template <class Choice>
void ReadChoice(const toml::node& node, const char* what, std::pair<const char*, Choice> one,
                std::pair<const char*, Choice> other, Choice& choice, Problems& problems) {
  const auto* text = node.as_string();
  if (text != nullptr && text->get() == one.first) {
    choice = one.second;
  } else if (text != nullptr && text->get() == other.first) {
    choice = other.second;
  } else {
    problems.Add(node, std::string(what) + " is \"" + one.first + "\" or \"" + other.first + "\"");
  }
}

void ReadTier(const toml::node& node, std::int64_t per, Price& price, Problems& problems) {
  const auto* table = node.as_table();
  if (table == nullptr) {
    problems.Add(node, "a tier is written as in { from = 300, price = \"2.8\" }");
    return;
  }
  std::optional<std::int64_t> from;
  std::optional<MicroUnits> amount;
  const std::int64_t most = kMostVolume / per;
  for (const auto& [key, value] : *table) {
    if (key.str() == "from" || key.str() == "above") {
      if (from) problems.Add(value, "a tier has `from` or `above`, not both");
      const bool above = key.str() == "above";
      const auto number = WholeNumber(value, above ? "above" : "from", most, problems);
      from = number.value_or(0) * per + (above ? 1 : 0);
    } else if (key.str() == "price" && value.is_string()) {
      const auto money = ParseMoney(value.as_string()->get());
      if (!money.ok()) problems.Add(value, money.status().message());
      amount = money.ok() ? *money : 0;
    } else if (key.str() == "price") {
      problems.Add(value, "a price is a text, such as \"3.2\"");
      amount = 0;
    } else {
      problems.Add(value, "a tier has from, above and price, not: " + std::string(key.str()));
    }
  }
  if (!from || !amount) {
    problems.Add(node, "a tier needs `from` (or `above`) and `price`");
    return;
  }
  price.tiers.push_back({.from = *from, .price = *amount});
}

void ReadTiers(const toml::node& node, Price& price, Problems& problems) {
  const auto* tiers = node.as_array();
  if (tiers == nullptr || tiers->empty() || tiers->size() > kMostTiers) {
    problems.Add(node, "tiers is a list of 1 to " + std::to_string(kMostTiers));
    return;
  }
  for (const toml::node& tier : *tiers) ReadTier(tier, price.per(), price, problems);
  if (price.tiers.size() != tiers->size()) return;
  if (price.tiers.front().from != 0) problems.Add(node, "the first tier is from 0");
  for (std::size_t i = 1; i < price.tiers.size(); ++i) {
    if (price.tiers[i].from <= price.tiers[i - 1].from) {
      problems.Add(node, "each tier begins above the one before it");
      return;
    }
  }
}

Price ReadPrice(const toml::table& table, Problems& problems) {
  Price price;
  // The unit first: the others are counted in it.
  if (const auto* unit = table.get("unit")) {
    ReadChoice<PriceUnit>(*unit, "unit", {"hour", PriceUnit::kHour},
                          {"thousand_calls", PriceUnit::kThousandCalls}, price.unit, problems);
  }
  for (const auto& [key, value] : table) {
    if (key.str() == "unit") continue;
    if (key.str() == "period") {
      ReadChoice<BillingPeriod>(value, "period", {"day", BillingPeriod::kDay},
                                {"month", BillingPeriod::kMonth}, price.period, problems);
    } else if (key.str() == "free_per_month") {
      const bool hours = price.unit == PriceUnit::kHour;
      const auto number =
          WholeNumber(value, "free_per_month", hours ? kMostHours : kMostVolume, problems);
      price.free_per_month = number.value_or(0) * (hours ? 3600 : 1);
    } else if (key.str() == "tiers") {
      ReadTiers(value, price, problems);
    } else {
      problems.Add(value, "a price has unit, period, free_per_month and tiers, not: " +
                              std::string(key.str()));
    }
  }
  if (!table.contains("unit"))
    problems.Add(table, "unit is missing: \"hour\" or \"thousand_calls\"");
  if (!table.contains("tiers")) problems.Add(table, "tiers are missing");
  return price;
}

void ReadPrices(const toml::node& node, PriceTable& table, Problems& problems) {
  const auto* interfaces = node.as_table();
  if (interfaces == nullptr) {
    problems.Add(node, "interface is a table, [interface.realtime]");
    return;
  }
  for (const auto& [key, value] : *interfaces) {
    const auto interface = FindInterface(key.str());
    if (!interface || !value.is_table()) {
      problems.Add(value, "there is no such interface: " + std::string(key.str()).substr(0, 64));
      continue;
    }
    table.prices[*interface] = ReadPrice(*value.as_table(), problems);
  }
}

}  // namespace

Result<PriceTable> ParsePrices(const std::string& text, const std::string& source) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return InvalidArgument(source + ":" + std::to_string(error.source().begin.line) + ": " +
                           std::string(error.description()));
  }
  Problems problems(source);
  PriceTable table{.name = "own", .currency = "", .prices = {}};
  if (const auto* base = root.get("base")) {
    const auto found = BuiltInPrices(base->is_string() ? base->as_string()->get() : "");
    if (found.ok()) {
      table = *found;
    } else {
      problems.Add(*base, found.status().message());
    }
  }
  for (const auto& [key, value] : root) {
    if (key.str() == "base") continue;
    if (key.str() == "name") {
      table.name = ReadLabel(value, "name", problems).value_or("");
    } else if (key.str() == "currency") {
      table.currency = ReadLabel(value, "currency", problems).value_or("");
    } else if (key.str() == "interface") {
      ReadPrices(value, table, problems);
    } else {
      problems.Add(value, "a file of prices has base, name, currency and [interface.NAME], not: " +
                              std::string(key.str()).substr(0, 64));
    }
  }
  if (table.currency.empty() && !table.prices.empty()) {
    problems.Add(source + ": currency is missing");
  }
  RETURN_IF_ERROR(problems.status());
  return table;
}

}  // namespace lethe
