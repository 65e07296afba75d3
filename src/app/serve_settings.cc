#include "app/serve_settings.h"

#include <cstdlib>
#include <utility>

#include "metering/calendar.h"

namespace lethe {
namespace {

Result<std::vector<ListenAddress>> ListenAddresses(const std::vector<std::string>& texts) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(text));
    addresses.push_back(address);
  }
  if (addresses.empty()) return InvalidArgument("there is no address to listen on: --listen");
  return addresses;
}

Result<AddressRules> OutboundRules(const ServeOptions& options) {
  AddressRulesOptions rules{.allow = options.outbound_allow, .ports = {}};
  for (const std::string& port : options.outbound_ports) {
    rules.ports.push_back(std::atoi(port.c_str()));
  }
  return AddressRules::Create(rules);
}

}  // namespace

Result<ServeSettings> ReadServeSettings(const ServeOptions& options) {
  ASSIGN_OR_RETURN(const LogFormat log_format, ParseLogFormat(options.log_format));
  ASSIGN_OR_RETURN(std::vector<ListenAddress> addresses, ListenAddresses(options.listen));
  ASSIGN_OR_RETURN(AddressRules rules, OutboundRules(options));
  ASSIGN_OR_RETURN(RegionRules regions,
                   RegionRules::Create({options.outbound_regions, options.outbound_hosts}));
  ASSIGN_OR_RETURN(PriceTable prices, LoadPrices(options.prices));
  ASSIGN_OR_RETURN(const std::chrono::minutes utc_offset, ParseOffset(options.utc_offset));
  ASSIGN_OR_RETURN(std::set<std::string> console_hosts, ParseConsoleHosts(options.console_hosts));
  return ServeSettings{.log_format = log_format,
                       .addresses = std::move(addresses),
                       .outbound_addresses = std::move(rules),
                       .outbound_regions = std::move(regions),
                       .prices = std::move(prices),
                       .utc_offset = utc_offset,
                       .console_hosts = std::move(console_hosts)};
}

}  // namespace lethe
