#include "outbound/address_rules.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include <arpa/inet.h>

#include "base/check.h"

namespace lethe {
namespace {

constexpr int kMaxPort = 65'535;
constexpr std::size_t kShownCharacters = 64;

constexpr const char* kRefusedV4[] = {
    "0.0.0.0/8",         // this network; Linux connects 0.0.0.0 to itself
    "10.0.0.0/8",        // private
    "100.64.0.0/10",     // behind a carrier's translation; metadata of some clouds
    "127.0.0.0/8",       // loopback
    "168.63.129.16/32",  // Azure's platform answers its guests here
    "169.254.0.0/16",    // link-local; metadata of most clouds
    "172.16.0.0/12",     // private
    "192.0.0.0/24",      // protocol assignments; metadata of Oracle's cloud
    "192.0.2.0/24",      // documentation
    "192.88.99.0/24",    // 6to4 relays, withdrawn
    "192.168.0.0/16",    // private
    "198.18.0.0/15",     // benchmarks
    "198.51.100.0/24",   // documentation
    "203.0.113.0/24",    // documentation
    "224.0.0.0/4",       // multicast
    "240.0.0.0/4",       // reserved, and broadcast
};

constexpr const char* kGlobalV6 = "2000::/3";
// Within kGlobalV6. What lies outside of it (loopback, unspecified, IPv4-compatible, unique local,
// link-local, site-local, multicast, discard, local NAT64) needs no line.
constexpr const char* kRefusedV6[] = {
    "2001::/23",      // protocol assignments: benchmarks, ORCHID; Teredo is judged before
    "2001:db8::/32",  // documentation
    "3fff::/20",      // documentation
};

IpRange Known(const char* text) {
  auto range = ParseIpRange(text);
  LETHE_CHECK(range.ok());
  return *std::move(range);
}

bool AnyContains(std::span<const IpRange> ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const IpRange& range) { return range.Contains(address); });
}

bool IsPublic(const IpAddress& address) {
  static const auto refused = [] {
    std::vector<IpRange> ranges;
    for (const char* text : kRefusedV4) ranges.push_back(Known(text));
    for (const char* text : kRefusedV6) ranges.push_back(Known(text));
    return ranges;
  }();
  static const IpRange global = Known(kGlobalV6);
  if (address.v6 && !global.Contains(address)) return false;
  return !AnyContains(refused, address);
}

IpAddress EmbeddedAt(const IpAddress& address, std::size_t offset, std::uint8_t flip = 0) {
  IpAddress inner;
  for (std::size_t i = 0; i < 4; ++i) inner.bytes[i] = address.bytes[offset + i] ^ flip;
  return inner;
}

// The IPv4 addresses that packets to an IPv6 address end up at, or pass.
std::vector<IpAddress> Embedded(const IpAddress& address) {
  static const IpRange mapped = Known("::ffff:0:0/96");
  static const IpRange nat64 = Known("64:ff9b::/96");     // RFC 6052
  static const IpRange six_to_four = Known("2002::/16");  // RFC 3056
  static const IpRange teredo = Known("2001::/32");       // RFC 4380: server; client, bits flipped
  if (mapped.Contains(address) || nat64.Contains(address)) return {EmbeddedAt(address, 12)};
  if (six_to_four.Contains(address)) return {EmbeddedAt(address, 2)};
  if (teredo.Contains(address)) return {EmbeddedAt(address, 4), EmbeddedAt(address, 12, 0xff)};
  return {};
}

Status RangeError(const std::string& what, std::string_view text) {
  return InvalidArgument(what + ": " + std::string(text.substr(0, kShownCharacters)));
}

}  // namespace

std::optional<IpAddress> ParseIpAddress(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  address.v6 = true;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

bool IpRange::Contains(const IpAddress& address) const {
  if (address.v6 != first.v6) return false;
  const auto whole = static_cast<std::size_t>(prefix_bits) / 8;
  if (std::memcmp(address.bytes.data(), first.bytes.data(), whole) != 0) return false;
  const int rest = prefix_bits % 8;
  return rest == 0 || (address.bytes[whole] ^ first.bytes[whole]) >> (8 - rest) == 0;
}

Result<IpRange> ParseIpRange(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = ParseIpAddress(text.substr(0, slash));
  if (!address) return RangeError("no IP address or CIDR range", text);
  const int bits = address->v6 ? 128 : 32;
  IpRange range{.first = *address, .prefix_bits = bits};
  if (slash == text.npos) return range;

  const std::string_view length = text.substr(slash + 1);
  const auto [end, error] =
      std::from_chars(length.data(), length.data() + length.size(), range.prefix_bits);
  if (error != std::errc() || end != length.data() + length.size() || range.prefix_bits < 0 ||
      range.prefix_bits > bits) {
    return RangeError("a prefix length is a number from 0 to " + std::to_string(bits), text);
  }
  for (int bit = range.prefix_bits; bit < bits; ++bit) {
    if ((address->bytes[static_cast<std::size_t>(bit) / 8] >> (7 - bit % 8) & 1) != 0) {
      // Was the range meant, or the one address? We do not guess.
      return RangeError("has bits set behind its prefix", text);
    }
  }
  return range;
}

Result<AddressRules> AddressRules::Create(const AddressRulesOptions& options) {
  AddressRules rules;
  for (const std::string& text : options.allow) {
    ASSIGN_OR_RETURN(const IpRange range, ParseIpRange(text));
    rules.allow_.push_back(range);
  }
  for (const int port : options.ports) {
    if (port < 1 || port > kMaxPort) {
      return InvalidArgument("a port is a number from 1 to 65535: " + std::to_string(port));
    }
  }
  rules.ports_ = options.ports;
  rules.high_ports_ = options.high_ports;
  return rules;
}

bool AddressRules::Allows(const IpAddress& address) const {
  if (AnyContains(allow_, address)) return true;
  if (address.v6) {
    const auto inner = Embedded(address);
    if (!inner.empty()) {
      return std::all_of(inner.begin(), inner.end(),
                         [this](const IpAddress& v4) { return Allows(v4); });
    }
  }
  return IsPublic(address);
}

bool AddressRules::AllowsPort(int port) const {
  if (port < 1 || port > kMaxPort) return false;
  return (high_ports_ && port >= 1024) ||
         std::find(ports_.begin(), ports_.end(), port) != ports_.end();
}

}  // namespace lethe
