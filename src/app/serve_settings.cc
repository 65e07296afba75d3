#include "app/serve_settings.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/file.h"
#include "metering/calendar.h"
#include "server/certificate.h"
#include "store/mysql_store.h"
#include "store/s3_objects.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxPasswordFile = std::size_t{64} << 10;

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

Status CheckServeFiles(const ServeOptions& options, const ServeSettings& settings) {
  const bool tls = std::any_of(settings.addresses.begin(), settings.addresses.end(),
                               [](const ListenAddress& address) { return address.tls; });
  if (tls && (options.tls_certificate.empty() || options.tls_key.empty())) {
    return InvalidArgument("listen has a tls: address, which wants tls.certificate and tls.key");
  }
  if (tls) {
    RETURN_IF_ERROR(ReadCertificate(options.tls_certificate, options.tls_key).status());
  }
  const RecordsOptions& records = options.records;
  if (!records.dsn.empty()) RETURN_IF_ERROR(ParseMysqlDsn(records.dsn).status());
  if (!records.password_file.empty()) {
    RETURN_IF_ERROR(ReadFile(records.password_file, kMaxPasswordFile).status());
  }
  if (records.objects.starts_with("s3:")) {
    ASSIGN_OR_RETURN(S3Options bucket, ParseS3Url(records.objects));
    if (!records.objects_keys.empty()) {
      RETURN_IF_ERROR(LoadS3Keys(records.objects_keys, bucket));
    }
  }
  return OkStatus();
}

std::int64_t ConnectionsWithin(std::uint64_t files, const ServeOptions& options) {
  // Records and ledger, uploads, what is fetched and called back; pipes to decoders.
  constexpr std::int64_t kOthers = 128, kOfADecoder = 4;
  constexpr std::uint64_t kMany = std::uint64_t{1} << 31;  // also for "unlimited"
  const auto all = static_cast<std::int64_t>(std::min(files, kMany));
  const std::int64_t others =
      kOthers + options.records.connections + kOfADecoder * options.decoders;
  return std::clamp<std::int64_t>(std::max(all - others, all / 4), 1, options.max_connections);
}

}  // namespace lethe
