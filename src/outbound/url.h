#pragma once

// URLs that callers give us, in the one form in which we use them. The parser is the one of the
// library that connects (libcurl's), so that what was checked is what is fetched.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "outbound/address_rules.h"

namespace lethe {

/// An http or https URL without user, password and fragment.
struct OutboundUrl {
  std::string text;  ///< printable ASCII; may hold a secret, so it belongs in no message
  std::string host;  ///< a name or an address, IPv6 without brackets; messages may show it
  int port = 0;
  bool secure = false;               ///< https
  std::optional<IpAddress> literal;  ///< the host, when it is an address in whatever notation
};

inline constexpr std::size_t kMaxUrlBytes = 8192;

/// Reads a URL. What is not ASCII is percent-encoded, in the host refused; addresses in odd
/// notations (one number, hexadecimal, octal, fewer dots) become the usual one.
/// Errors: kInvalidArgument for other schemes, no host, user or password, control characters, what
///         is no URL, and more than kMaxUrlBytes; messages do not show the URL
Result<OutboundUrl> ParseOutboundUrl(std::string_view text);

/// Reads where an answer's Location header leads, which may be relative to `from`.
/// Errors: as ParseOutboundUrl()
Result<OutboundUrl> ParseRedirect(const OutboundUrl& from, std::string_view location);

}  // namespace lethe
