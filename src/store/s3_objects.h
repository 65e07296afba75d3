#pragma once

// Objects in a bucket of a server that speaks S3: Amazon's, or one of the operator's own.
//
// A server is not taken at its word. What was stored is looked at again (length, and MD5 where the
// server's ETag is one) before Put() returns; what was removed is looked for; an object carries its
// length, so that a shorter one, or a page of a proxy, is never taken for it. Requests that may be
// made twice are made again when the server is busy or the connection breaks; the body of a large
// Put() is made once, so it is sent again only if nothing of it was sent.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/status.h"
#include "base/units.h"
#include "store/objects.h"

namespace lethe {

struct S3Options {
  std::string endpoint;       // "https://HOST[:PORT]" or "http://..."
  std::string bucket;         // 3 to 63 of a-z, 0-9, '-' and '.'
  std::string prefix;         // before all names: empty, or "a/b/"
  std::string region;         // signed; what the server calls it
  std::string location;       // where the bucket has to be; empty: the region
  bool path_style = false;    // https://HOST/BUCKET/NAME, or https://BUCKET.HOST/NAME
  bool etags_are_md5 = true;  // whether an ETag of 32 digits is compared with what was sent
  std::string ca_file;        // PEM; empty: the authorities of the system

  std::string access_key_id;
  Secret secret_access_key;

  Millis connect_time{5'000};
  // A request that moves less than so much in so long is given up.
  std::chrono::seconds idle_time{20};
  int min_bytes_per_second = 4'096;
  Millis total_time{900'000};  // of one attempt, whatever its pace
  int attempts = 4;
  Millis pause{200};                 // before the second attempt; then twice as long, each time
  std::size_t idle_connections = 8;  // kept for the next calls

  S3Options Clone() const;  // they hold a secret, so they are not copied by accident
};

/// Reads "s3://BUCKET[/PREFIX][?NAME=VALUE[&...]]". Names: endpoint (by default Amazon's, for the
/// region), region (us-east-1), style (path or host; by default host for Amazon and path for
/// others), location, etag (md5 or any), ca (a PEM file). %XX in a value stands for a byte. Keys
/// have no place in it.
/// Errors: kInvalidArgument, saying what is wrong; the URL is not repeated
Result<S3Options> ParseS3Url(std::string_view url);

/// Reads the keys from a file of two lines, the access key id and the secret access key; from
/// LETHE_S3_ACCESS_KEY_ID and LETHE_S3_SECRET_ACCESS_KEY if `file` is empty.
/// Errors: kFailedPrecondition when there are none; kInvalidArgument; as ReadFile()
Status LoadS3Keys(const std::string& file, S3Options& options);

/// Opens the bucket, which has to be there, and looks whether it can keep the promise: one in
/// another place is refused, and one with versioning, because it would keep what is removed. What
/// the server would not tell about these is added to `notes`, a sentence each, and is not refused.
///
/// Calls wait for at most `attempts` times `total_time` for each request they are made of (Put:
/// four, Remove: two, List: one for a thousand names), and give up long before when nothing moves.
///
/// Thread: any. Connections go straight to the endpoint, whatever http_proxy says
/// Errors: kInvalidArgument for options that cannot be; kFailedPrecondition for a bucket that is
/// not
///         there, is elsewhere, or keeps versions; kPermissionDenied; kUnavailable. Of the objects
///         also kDataLoss, when the bucket has less of one than was stored. Messages name the
///         bucket, its host and the server's code, no key and no object
Result<std::unique_ptr<ObjectStore>> OpenS3Objects(const S3Options& options,
                                                   std::vector<std::string>* notes = nullptr);

}  // namespace lethe
