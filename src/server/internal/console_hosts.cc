#include "server/internal/console_hosts.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "base/encoding.h"

namespace lethe::server_internal {
namespace {

bool IsAddress(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

bool IsThisMachine(std::string_view peer) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(peer), error);
  if (error) return false;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
        .is_loopback();
  }
  return address.is_loopback();
}

// Where the port begins, with its colon. Colons within brackets are those of an address.
std::size_t PortAt(std::string_view host) {
  const std::size_t colon = host.rfind(':'), bracket = host.rfind(']');
  if (colon == std::string_view::npos) return host.size();
  return bracket != std::string_view::npos && colon < bracket ? host.size() : colon;
}

}  // namespace

std::string HostName(std::string_view host) {
  host = host.substr(0, PortAt(host));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return ToLowerAscii(host);
}

std::string_view HostPort(std::string_view host) {
  const std::size_t at = PortAt(host);
  const std::string_view port = at < host.size() ? host.substr(at + 1) : std::string_view();
  const bool is_number =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? port : std::string_view();
}

bool IsConsoleHost(const std::set<std::string>& named, std::string_view host,
                   std::string_view peer) {
  const std::string name = HostName(host);
  if (name == "localhost" || IsAddress(name) || named.contains(name)) return true;
  return named.empty() && !IsThisMachine(peer);
}

}  // namespace lethe::server_internal
