#pragma once

// AWS Signature Version 4, in the Authorization header.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace lethe {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// What a signature says of a body that is not hashed; S3 alone takes it.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct AwsSigner {
  std::string region, service, access_key_id;
  Secret secret_access_key;
};

/// "20130524T000000Z": the value of x-amz-date.
std::string AwsDate(WallTime time);

/// A path with everything percent-encoded but '/', once, as S3 wants it (other services: twice).
std::string EncodeAwsPath(std::string_view path);

/// "a=1&b=": names and values percent-encoded, in the order in which they are signed.
std::string EncodeAwsQuery(const TextPairs& query);

/// The value of Authorization for a request. `headers` are those that are signed, with names in
/// small letters; host and x-amz-date have to be among them, and the latter says `date`.
/// `payload_hash`: SHA-256 of the body in hexadecimal, or kUnsignedPayload.
/// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header:
///         Transferring Payload in a Single Chunk (AWS Signature Version 4)"
std::string SignAwsRequest(const AwsSigner& signer, std::string_view date, std::string_view method,
                           std::string_view path, const TextPairs& query, TextPairs headers,
                           std::string_view payload_hash);

}  // namespace lethe
