#pragma once

// Where a bucket is.

#include <string>
#include <string_view>

#include "base/status.h"
#include "store/s3_objects.h"

namespace lethe {

struct S3Address {
  std::string origin;     // "https://bucket.host:9000"
  std::string authority;  // its Host header: "bucket.host:9000"
  std::string root{"/"};  // the bucket's path: "/" or "/bucket/"
  std::string place;      // for messages: "bucket NAME at HOST"
};

/// Checks everything of the options that goes into an address or a signature, keys apart.
/// Errors: kInvalidArgument
Result<S3Address> AddressOf(const S3Options& options);

/// Whether it can be a region: 1 to 63 of letters, digits and '-'.
bool IsS3Region(std::string_view region);

}  // namespace lethe
