// Goal:   no text makes the readers of URLs and CIDR ranges crash, and what they accept has one
//         reading: read again it is the same, to libcurl it has the host that was judged, and it
//         holds no user, no control character and no scheme but ours.
// Method: the input is a URL, an address with a range, and a redirect from a fixed URL.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "base/check.h"
#include "outbound/address_rules.h"
#include "outbound/url.h"

namespace {

void CheckUrl(const lethe::Result<lethe::OutboundUrl>& url) {
  if (!url.ok()) {
    LETHE_CHECK(url.status().code() == lethe::StatusCode::kInvalidArgument);
    return;
  }
  const std::string& text = url->text;
  LETHE_CHECK(text.starts_with("http://") || text.starts_with("https://"));
  LETHE_CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; }));
  LETHE_CHECK(text.find('#') == text.npos);
  LETHE_CHECK(!url->host.empty() && url->host.find('@') == url->host.npos);

  // Encoding may have made it longer than may be read.
  if (text.size() > lethe::kMaxUrlBytes) return;
  const auto again = lethe::ParseOutboundUrl(text);
  LETHE_CHECK(again.ok());
  LETHE_CHECK(again->text == text && again->host == url->host && again->port == url->port &&
              again->secure == url->secure && again->literal == url->literal);

  CURLU* const curl = curl_url();
  char* host = nullptr;
  char* user = nullptr;
  LETHE_CHECK(curl_url_set(curl, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK);
  LETHE_CHECK(curl_url_get(curl, CURLUPART_HOST, &host, 0) == CURLUE_OK);
  LETHE_CHECK(curl_url_get(curl, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
  const std::string_view seen(host);
  LETHE_CHECK(seen == url->host || seen == '[' + url->host + ']');
  curl_free(host);
  curl_url_cleanup(curl);
}

void CheckRange(std::string_view range_text, std::string_view address_text) {
  const auto range = lethe::ParseIpRange(range_text);
  const auto address = lethe::ParseIpAddress(address_text);
  const auto rules = lethe::AddressRules::Create({.allow = {std::string(range_text)}});
  LETHE_CHECK(range.ok() == rules.ok());
  if (!range.ok()) return;
  LETHE_CHECK(range->Contains(range->first) && rules->Allows(range->first));
  if (address && range->Contains(*address)) LETHE_CHECK(rules->Allows(*address));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto from = lethe::ParseOutboundUrl("https://h.example/a/b?q");
  LETHE_CHECK(from.ok());
  CheckUrl(lethe::ParseOutboundUrl(text));
  CheckUrl(lethe::ParseRedirect(*from, text));
  const size_t split = text.find(' ');
  CheckRange(text.substr(0, split), split == text.npos ? text : text.substr(split + 1));
  return 0;
}
