#include "app/serve_settings.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "app/setup.h"
#include "base/file.h"
#include "metering/calendar.h"
#include "model/store.h"
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
    int number = 0;
    const char* const end = port.data() + port.size();
    const auto [after, error] = std::from_chars(port.data(), end, number);
    if (error != std::errc() || after != end) {
      return InvalidArgument("outbound.ports wants numbers from 1 to 65535: " + port);
    }
    rules.ports.push_back(number);
  }
  return AddressRules::Create(rules);
}

// That one is not installed yet is for `lethe doctor`: a configuration may be there before.
Status CheckEngines(const ServeOptions& options) {
  const ModelStore store(ModelStore::DefaultDirectory());
  for (const auto& [name, model] : options.engines) {
    const Status found = store.Find(model).status();
    if (found.code() == StatusCode::kNotFound) return found.WithContext("engine " + name);
  }
  if (!options.engines.contains(options.default_engine)) {
    return InvalidArgument("default_engine is none of the engines: " + options.default_engine);
  }
  return OkStatus();
}

// What is there already is a folder that can be used; nothing else is in its way.
Status CheckDataFolder(const std::string& data) {
  struct stat about {};
  if (::stat(data.c_str(), &about) != 0) {
    return errno == ENOTDIR ? ErrnoStatus(errno, "the data folder cannot be made: " + data)
                            : OkStatus();
  }
  if (!S_ISDIR(about.st_mode)) return FailedPrecondition("the data folder is no folder: " + data);
  if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0) {
    return ErrnoStatus(errno, "this user cannot use the data folder " + data);
  }
  return OkStatus();
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
  RETURN_IF_ERROR(CheckDataFolder(records.data));
  RETURN_IF_ERROR(CheckModelVariables());
  return CheckEngines(options);
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
