#pragma once

// Which addresses this machine may be sent to. A caller who names a URL borrows our place in the
// network: what only we can reach (our own ports, the private network, the cloud's metadata) is
// refused unless the configuration allows it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace lethe {

/// An IPv4 or IPv6 address.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< network order; IPv4 has the first four
  bool v6 = false;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// Reads the usual form only: four decimal numbers, or RFC 4291 without brackets and zone.
std::optional<IpAddress> ParseIpAddress(std::string_view text);

/// All addresses that share their first bits.
struct IpRange {
  IpAddress first;
  int prefix_bits = 0;

  /// An IPv4 range holds no IPv6 address, not even one that carries an IPv4 address inside.
  bool Contains(const IpAddress& address) const;
};

/// Reads CIDR notation, "10.0.0.0/8" or "fd00::/8"; an address alone is the range of itself.
/// Errors: kInvalidArgument, saying what is wrong with which text
Result<IpRange> ParseIpRange(std::string_view text);

struct AddressRulesOptions {
  /// Ranges in CIDR notation that may be reached although they are private or reserved.
  std::vector<std::string> allow;
  /// Ports below 1024 that may be reached.
  std::vector<int> ports = {80, 443};
  /// Whether the ports from 1024 on may be.
  bool high_ports = true;
};

/// Says which addresses and ports may be reached.
///
/// Everything that the IANA registries call private, shared, loopback, link-local, multicast,
/// reserved, for documentation or for benchmarks is refused, of IPv6 whatever lies outside
/// 2000::/3; also a public address where a cloud answers its guests. An IPv6 address that carries
/// an IPv4 address (mapped, NAT64, 6to4, Teredo) is judged by that one.
///
/// Thread: any; constant
/// Source: RFC 6890 and the IANA special-purpose address registries of 2025
class AddressRules {
 public:
  /// Errors: kInvalidArgument for a range that cannot be read, or a port that is none
  static Result<AddressRules> Create(const AddressRulesOptions& options);

  bool Allows(const IpAddress& address) const;
  bool AllowsPort(int port) const;

 private:
  AddressRules() = default;

  std::vector<IpRange> allow_;
  std::vector<int> ports_;
  bool high_ports_ = true;
};

}  // namespace lethe
