#pragma once

// What the options of `lethe serve` say, read and checked before anything is opened.

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "app/log.h"
#include "app/serve_options.h"
#include "metering/price_table.h"
#include "outbound/address_rules.h"
#include "outbound/region_rules.h"

namespace lethe {

struct ServeSettings {
  LogFormat log_format = LogFormat::kText;
  std::vector<ListenAddress> addresses;  // in the order of the configuration; at least one
  AddressRules outbound_addresses;
  RegionRules outbound_regions;
  PriceTable prices;
  std::chrono::minutes utc_offset{0};
  std::set<std::string> console_hosts;
};

/// Errors: kInvalidArgument for the first option that cannot be read; as LoadPrices()
Result<ServeSettings> ReadServeSettings(const ServeOptions& options);

/// Looks at the files and addresses that the options name: the certificate, the database's address
/// and password, the bucket's address and keys, the data folder, the names of engines and models,
/// and how the environment says they compute. Whether those are installed `lethe doctor` says.
/// Errors: for the first that the service could not start with
Status CheckServeFiles(const ServeOptions& options, const ServeSettings& settings);

/// How many of `limits.connections` a process may have open that may have so many files open: there
/// is room for what it opens besides. At least 1.
std::int64_t ConnectionsWithin(std::uint64_t files, const ServeOptions& options);

}  // namespace lethe
