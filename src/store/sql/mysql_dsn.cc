#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "store/mysql_store.h"

namespace lethe {
namespace {

constexpr std::string_view kForm =
    "the records' DSN has to be mysql://USER@HOST:PORT/DATABASE, or "
    "mysql://USER@/DATABASE?socket=PATH";

Status Wrong(std::string_view what) { return InvalidArgument(std::string(what)); }

// What stands before the separator, which is taken away with it; all of the text if there is none.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

std::string Decoded(std::string_view text) { return PercentDecode(text, /*plus_is_space=*/false); }

// "db.example:3306", "[::1]:3306", "10.0.0.1".
Status ReadHost(std::string_view text, MysqlOptions& options) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return Wrong(kForm);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return Wrong(kForm);
    options.host = Decoded(text.substr(1, end - 1));
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    port = text.substr(colon);
    options.host = Decoded(text.substr(0, colon));
  }
  if (port.empty()) return OkStatus();
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.port);
  if (error != std::errc() || end != port.data() + port.size() || options.port == 0) {
    return Wrong("the port in the records' DSN has to be a number from 1 to 65535");
  }
  return OkStatus();
}

Status ReadParameter(std::string_view name, const std::string& value, bool& has_tls,
                     MysqlOptions& options) {
  if (name == "socket") {
    options.socket = value;
  } else if (name == "tls_ca") {
    options.tls_ca = value;
  } else if (name == "tls_cert") {
    options.tls_certificate = value;
  } else if (name == "tls_key") {
    options.tls_key = value;
  } else if (name == "tls") {
    has_tls = true;
    if (value != "off" && value != "chain" && value != "host") {
      return Wrong("tls in the records' DSN is off, chain or host");
    }
    options.tls = value == "off"     ? MysqlTls::kOff
                  : value == "chain" ? MysqlTls::kChain
                                     : MysqlTls::kHost;
  } else {
    return Wrong("the records' DSN takes socket, tls, tls_ca, tls_cert and tls_key");
  }
  return OkStatus();
}

Status Check(const MysqlOptions& options) {
  if (options.user.empty() || options.database.empty()) return Wrong(kForm);
  if (options.host.empty() == options.socket.empty()) {
    return Wrong("the records' DSN needs either a host or a socket");
  }
  if (options.tls != MysqlTls::kOff && (options.host.empty() || options.tls_ca.empty())) {
    return Wrong("TLS to the database needs a host and tls_ca");
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return Wrong("tls_cert and tls_key go together");
  }
  return OkStatus();
}

}  // namespace

Result<MysqlOptions> ParseMysqlDsn(std::string_view dsn) {
  std::string_view rest = dsn;
  const std::size_t scheme = rest.find("://");
  if (scheme == std::string_view::npos ||
      (rest.substr(0, scheme) != "mysql" && rest.substr(0, scheme) != "mariadb")) {
    return Wrong(kForm);
  }
  rest.remove_prefix(scheme + 3);
  std::string_view place = TakeUntil(rest, '?');
  std::string_view query = rest;
  const std::size_t at = place.rfind('@');
  if (at == std::string_view::npos) return Wrong(kForm);
  const std::string_view user = place.substr(0, at);
  if (user.find(':') != std::string_view::npos) {
    return Wrong(
        "a password has no place in the records' DSN; it goes to the file that "
        "store.password_file names, or to LETHE_STORE_PASSWORD");
  }
  place.remove_prefix(at + 1);
  MysqlOptions options;
  options.user = Decoded(user);
  RETURN_IF_ERROR(ReadHost(TakeUntil(place, '/'), options));
  options.database = Decoded(place);
  bool has_tls = false;
  while (!query.empty()) {
    std::string_view value = TakeUntil(query, '&');
    const std::string_view name = TakeUntil(value, '=');
    RETURN_IF_ERROR(ReadParameter(name, Decoded(value), has_tls, options));
  }
  if (!has_tls && !options.tls_ca.empty()) options.tls = MysqlTls::kHost;
  RETURN_IF_ERROR(Check(options));
  return options;
}

}  // namespace lethe
