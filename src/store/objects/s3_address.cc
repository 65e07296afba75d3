#include "store/objects/internal/s3_address.h"

#include <algorithm>
#include <memory>
#include <optional>

#include <curl/curl.h>

namespace lethe {
namespace {

constexpr std::size_t kMaxPrefix = 512;
constexpr std::size_t kMaxEndpoint = 512;

bool IsSmallOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsLetterOrDigit(char c) { return IsSmallOrDigit(c) || (c >= 'A' && c <= 'Z'); }

Status CheckBucket(std::string_view bucket) {
  const bool good = bucket.size() >= 3 && bucket.size() <= 63 && IsSmallOrDigit(bucket.front()) &&
                    IsSmallOrDigit(bucket.back()) && bucket.find("..") == std::string_view::npos &&
                    std::all_of(bucket.begin(), bucket.end(),
                                [](char c) { return IsSmallOrDigit(c) || c == '-' || c == '.'; });
  if (good) return OkStatus();
  return InvalidArgument(
      "a bucket's name has 3 to 63 small letters, digits, '-' and '.', and begins and ends with a "
      "letter or digit");
}

// Parts between slashes that no client, proxy or server takes for something else.
Status CheckPrefix(std::string_view prefix) {
  if (prefix.empty()) return OkStatus();
  bool good = prefix.size() <= kMaxPrefix && prefix.back() == '/';
  while (good && !prefix.empty()) {
    const std::string_view part = prefix.substr(0, prefix.find('/'));
    good = !part.empty() && part != "." && part != ".." &&
           std::all_of(part.begin(), part.end(), [](char c) {
             return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.';
           });
    prefix.remove_prefix(std::min(part.size() + 1, prefix.size()));
  }
  if (good) return OkStatus();
  return InvalidArgument(
      "a prefix in a bucket is made of letters, digits, '-', '_' and '.', in parts joined by '/', "
      "512 bytes at most");
}

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::optional<std::string> PartOf(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

bool IsS3Region(std::string_view region) {
  return !region.empty() && region.size() <= 63 &&
         std::all_of(region.begin(), region.end(),
                     [](char c) { return IsLetterOrDigit(c) || c == '-'; });
}

Result<S3Address> AddressOf(const S3Options& options) {
  RETURN_IF_ERROR(CheckBucket(options.bucket));
  RETURN_IF_ERROR(CheckPrefix(options.prefix));
  if (!IsS3Region(options.region) || (!options.location.empty() && !IsS3Region(options.location))) {
    return InvalidArgument("a region of S3 is made of letters, digits and '-', e.g. us-east-1");
  }
  const Url url(curl_url(), curl_url_cleanup);
  const auto wrong = [] {
    return InvalidArgument("an endpoint of S3 has to be http://HOST[:PORT] or https://HOST[:PORT]");
  };
  if (options.endpoint.size() > kMaxEndpoint ||
      curl_url_set(url.get(), CURLUPART_URL, options.endpoint.c_str(), 0) != CURLUE_OK) {
    return wrong();
  }
  const auto scheme = PartOf(url, CURLUPART_SCHEME), host = PartOf(url, CURLUPART_HOST);
  const auto port = PartOf(url, CURLUPART_PORT), path = PartOf(url, CURLUPART_PATH);
  if (!scheme || (*scheme != "http" && *scheme != "https") || !host || (path && *path != "/") ||
      PartOf(url, CURLUPART_USER) || PartOf(url, CURLUPART_QUERY) ||
      PartOf(url, CURLUPART_FRAGMENT)) {
    return wrong();
  }
  const bool is_name = std::all_of(host->begin(), host->end(), [](char c) {
    return IsLetterOrDigit(c) || c == '-' || c == '.';
  });
  // libcurl has read what is in brackets.
  if (!is_name && host->front() != '[') return wrong();
  S3Address address;
  std::string name = *host;
  if (!options.path_style) {
    const bool has_letter = std::any_of(host->begin(), host->end(),
                                        [](char c) { return IsLetterOrDigit(c) && (c > '9'); });
    if (!is_name || !has_letter) {
      return InvalidArgument("an endpoint that is an address and no name needs style=path");
    }
    if (*scheme == "https" && options.bucket.find('.') != std::string::npos) {
      return InvalidArgument(
          "a bucket with a dot in its name is in no certificate; it needs style=path");
    }
    name = options.bucket + "." + name;
  } else {
    address.root += options.bucket + "/";
  }
  // Without the port that the scheme implies, as clients send it: it is signed.
  const bool implied = !port || *port == (*scheme == "http" ? "80" : "443");
  address.authority = implied ? name : name + ":" + *port;
  address.origin = *scheme + "://" + address.authority;
  address.place = "bucket " + options.bucket + " at " + *host;
  return address;
}

}  // namespace lethe
