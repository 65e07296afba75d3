#pragma once

// What an S3 server answers in XML. Whoever wrote it is not trusted: documents with a DTD (the only
// place for entities), deep ones and long texts are refused, and nothing is kept that was not asked
// for.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace lethe {

/// The longest document that is looked at: a thousand keys of a KiB each, percent-encoded.
inline constexpr std::size_t kMaxS3Listing = std::size_t{4} << 20;
/// All others are a few hundred bytes.
inline constexpr std::size_t kMaxS3Document = std::size_t{64} << 10;

struct S3Listing {
  std::vector<std::string> keys;  // as they are, without percent-encoding
  std::string next;               // continuation token; empty: that was all
};

/// Reads a ListBucketResult of at most `max_keys` keys.
/// Errors: kUnavailable when it is anything else
Result<S3Listing> ParseS3Listing(std::string_view xml, std::size_t max_keys);

/// What an error document says; empty where it does not, or is none. Values are letters, digits and
/// '-' only, 64 at most, so that they can be shown.
struct S3Error {
  std::string code;    // "NoSuchKey"
  std::string region;  // where the bucket is
};
S3Error ParseS3Error(std::string_view xml);

/// Whether it is an error document, whatever it says.
bool IsS3Error(std::string_view xml);

/// What the root element of that name holds, e.g. LocationConstraint.
/// Errors: kUnavailable when the root is another one
Result<std::string> ParseS3Text(std::string_view xml, std::string_view root);

/// The text of VersioningConfiguration/Status: "Enabled", "Suspended", or empty.
/// Errors: kUnimplemented when it is a listing of the bucket, as servers answer that do not know
///         the question; kUnavailable when it is anything else
Result<std::string> ParseS3Versioning(std::string_view xml);

}  // namespace lethe
