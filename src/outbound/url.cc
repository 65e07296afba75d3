#include "outbound/url.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>

#include <curl/curl.h>

#include "base/encoding.h"

namespace lethe {
namespace {

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

constexpr std::string_view kSchemeCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-";
// Of names, numbers and bracketed addresses, and of the port. No '%': neither encoded names nor
// zones of link-local addresses. No '@', which ends a user name, and no backslash.
constexpr std::string_view kAuthorityCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]";

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Raw blanks and other scripts are common in paths that callers write by hand.
std::string EncodeNonAscii(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (c == ' ' || static_cast<unsigned char>(c) >= 0x80) {
      encoded += PercentEncode({&c, 1});
    } else {
      encoded += c;
    }
  }
  return encoded;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::string Part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool HasScheme(std::string_view text) {
  const std::size_t end = text.find_first_not_of(kSchemeCharacters);
  return end != text.npos && end > 0 && text[end] == ':';
}

// Length and characters, before anything is copied.
Status CheckText(std::string_view text) {
  if (text.size() > kMaxUrlBytes) {
    return InvalidArgument("URL has more than " + std::to_string(kMaxUrlBytes) + " bytes");
  }
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return InvalidArgument("URL holds a control character");
  }
  return OkStatus();
}

// Parsers differ most in what they take for the host; so this part is held to one reading.
Status CheckAuthority(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme_end == text.npos ||
      !(EqualIgnoringCase(scheme, "http") || EqualIgnoringCase(scheme, "https"))) {
    return InvalidArgument("URL does not begin with http:// or https://");
  }
  const std::string_view rest = text.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority.front() == ':') return InvalidArgument("URL names no host");
  if (authority.find('@') != authority.npos) {
    return InvalidArgument("URL holds a user name or password");
  }
  if (authority.find_first_not_of(kAuthorityCharacters) != authority.npos) {
    return InvalidArgument("host of the URL has a character that host names do not have");
  }
  return OkStatus();
}

}  // namespace

Result<OutboundUrl> ParseOutboundUrl(std::string_view text) {
  RETURN_IF_ERROR(CheckText(text));
  RETURN_IF_ERROR(CheckAuthority(text));
  const CurlUrl url(curl_url(), curl_url_cleanup);
  LETHE_CHECK(url != nullptr);
  const std::string encoded = EncodeNonAscii(text);
  if (curl_url_set(url.get(), CURLUPART_URL, encoded.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0) != CURLUE_OK) {
    return InvalidArgument("not a URL");
  }

  OutboundUrl parsed;
  parsed.text = Part(url.get(), CURLUPART_URL);
  parsed.host = Part(url.get(), CURLUPART_HOST);
  parsed.secure = Part(url.get(), CURLUPART_SCHEME) == "https";
  const std::string port = Part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), parsed.port);
  if (parsed.host.starts_with('[')) parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  if (parsed.text.empty() || parsed.host.empty()) return InvalidArgument("URL names no host");
  parsed.literal = ParseIpAddress(parsed.host);
  return parsed;
}

Result<OutboundUrl> ParseRedirect(const OutboundUrl& from, std::string_view location) {
  RETURN_IF_ERROR(CheckText(location));
  if (location.empty()) return InvalidArgument("redirect leads nowhere");
  if (HasScheme(location)) return ParseOutboundUrl(location);
  if (location.starts_with("//")) {
    return ParseOutboundUrl((from.secure ? "https:" : "http:") + std::string(location));
  }
  // A path, a query or nothing but a fragment: the host stays.
  const CurlUrl url(curl_url(), curl_url_cleanup);
  LETHE_CHECK(url != nullptr);
  const std::string encoded = EncodeNonAscii(location);
  if (curl_url_set(url.get(), CURLUPART_URL, from.text.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, encoded.c_str(), 0) != CURLUE_OK) {
    return InvalidArgument("redirect leads to no URL");
  }
  return ParseOutboundUrl(Part(url.get(), CURLUPART_URL));
}

}  // namespace lethe
