// Where the objects are, and with which keys, as users say it.

#include <algorithm>
#include <cstdlib>

#include "base/encoding.h"
#include "base/file.h"
#include "store/objects/internal/s3_address.h"
#include "store/s3_objects.h"

namespace lethe {
namespace {

constexpr std::string_view kForm =
    "objects in S3 are told as s3://BUCKET[/PREFIX][?endpoint=URL&region=REGION&style=path]";
constexpr std::size_t kMaxUrl = 4'096;
constexpr std::size_t kMaxKey = 512;

std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

Status ReadParameter(std::string_view name, std::string value, std::string& style,
                     S3Options& options) {
  if (name == "endpoint") {
    options.endpoint = std::move(value);
  } else if (name == "region") {
    options.region = std::move(value);
  } else if (name == "location") {
    options.location = std::move(value);
  } else if (name == "ca") {
    options.ca_file = std::move(value);
  } else if (name == "style") {
    if (value != "path" && value != "host") {
      return InvalidArgument("style in the URL of objects is path or host");
    }
    style = std::move(value);
  } else if (name == "etag") {
    if (value != "md5" && value != "any") {
      return InvalidArgument("etag in the URL of objects is md5 or any");
    }
    options.etags_are_md5 = value == "md5";
  } else {
    return InvalidArgument(
        "the URL of objects takes endpoint, region, location, style, etag and ca; keys go to a "
        "file, or to LETHE_S3_ACCESS_KEY_ID and LETHE_S3_SECRET_ACCESS_KEY");
  }
  return OkStatus();
}

Secret Environment(const char* name) {
  const char* const value = std::getenv(name);
  return Secret(value ? std::string(value) : std::string());
}

// What a header and a signature's scope can hold.
bool IsAccessKeyId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxKey && std::all_of(id.begin(), id.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '/' && c != ',';
  });
}

bool IsSecretAccessKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKey &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

S3Options S3Options::Clone() const {
  return {.endpoint = endpoint,
          .bucket = bucket,
          .prefix = prefix,
          .region = region,
          .location = location,
          .path_style = path_style,
          .etags_are_md5 = etags_are_md5,
          .ca_file = ca_file,
          .access_key_id = access_key_id,
          .secret_access_key = secret_access_key.Clone(),
          .connect_time = connect_time,
          .idle_time = idle_time,
          .min_bytes_per_second = min_bytes_per_second,
          .total_time = total_time,
          .attempts = attempts,
          .pause = pause,
          .idle_connections = idle_connections};
}

Result<S3Options> ParseS3Url(std::string_view url) {
  constexpr std::string_view kScheme = "s3://";
  if (url.size() > kMaxUrl || !url.starts_with(kScheme)) {
    return InvalidArgument(std::string(kForm));
  }
  std::string_view query = url.substr(kScheme.size());
  std::string_view prefix = TakeUntil(query, '?');
  S3Options options;
  options.bucket = TakeUntil(prefix, '/');
  if (options.bucket.find('@') != std::string::npos) {
    return InvalidArgument(
        "keys have no place in the URL of objects; they go to a file, or to "
        "LETHE_S3_ACCESS_KEY_ID and LETHE_S3_SECRET_ACCESS_KEY");
  }
  options.prefix = prefix;
  if (!options.prefix.empty() && options.prefix.back() != '/') options.prefix += '/';
  std::string style;
  while (!query.empty()) {
    std::string_view value = TakeUntil(query, '&');
    const std::string_view name = TakeUntil(value, '=');
    RETURN_IF_ERROR(
        ReadParameter(name, PercentDecode(value, /*plus_is_space=*/false), style, options));
  }
  if (options.region.empty()) options.region = "us-east-1";
  options.path_style = style.empty() ? !options.endpoint.empty() : style == "path";
  if (options.endpoint.empty()) {
    options.endpoint = "https://s3." + options.region + ".amazonaws.com";
  }
  RETURN_IF_ERROR(AddressOf(options).status());
  return options;
}

Status LoadS3Keys(const std::string& file, S3Options& options) {
  Secret id, key;
  if (file.empty()) {
    id = Environment("LETHE_S3_ACCESS_KEY_ID");
    key = Environment("LETHE_S3_SECRET_ACCESS_KEY");
    if (id.empty() || key.empty()) {
      return FailedPrecondition(
          "no keys for S3: set LETHE_S3_ACCESS_KEY_ID and LETHE_S3_SECRET_ACCESS_KEY, or name a "
          "file with the two in a line each");
    }
  } else {
    ASSIGN_OR_RETURN(std::string read, ReadFile(file, 2 * kMaxKey + 4));
    const Secret text(std::move(read));
    std::string_view rest = text.Reveal();
    const auto line = [&rest] {
      std::string_view taken = TakeUntil(rest, '\n');
      if (taken.ends_with('\r')) taken.remove_suffix(1);
      return Secret(std::string(taken));
    };
    id = line();
    key = line();
    if (!rest.empty()) {
      return InvalidArgument("a file with keys for S3 has two lines, the id and the secret: " +
                             file);
    }
  }
  if (!IsAccessKeyId(id.Reveal()) || !IsSecretAccessKey(key.Reveal())) {
    return InvalidArgument(
        "a key for S3 is printable characters without blanks, the id also without '/' and ','" +
        (file.empty() ? std::string() : ": " + file));
  }
  options.access_key_id = id.Reveal();
  options.secret_access_key = std::move(key);
  return OkStatus();
}

}  // namespace lethe
