#pragma once

// One signed request and its answer, by libcurl.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>

#include "base/mutex.h"
#include "base/status.h"
#include "store/objects/internal/aws_signature.h"
#include "store/objects/internal/s3_address.h"
#include "store/s3_objects.h"

namespace lethe {

/// The SHA-256 of nothing.
inline constexpr std::string_view kHashOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct S3Answer {
  int status = 0;
  std::optional<std::uint64_t> length;  // Content-Length
  std::string etag;                     // without quotes
  std::string stored_size;              // x-amz-meta-lethe-size
  std::string version;                  // x-amz-version-id
  std::string region;                   // x-amz-bucket-region, if it can be one
  std::string encryption;               // x-amz-server-side-encryption
  bool customer_key = false;            // of x-amz-server-side-encryption-customer-algorithm
  std::string body;                     // unless it went to S3Request::sink
};

struct S3Request {
  std::string method;      // GET, HEAD, PUT or DELETE
  std::string name;        // behind the bucket and the prefix; not encoded
  bool of_bucket = false;  // about the bucket itself: the name and the prefix are left out
  TextPairs query;
  TextPairs headers;  // "x-amz-..." and others, names in small letters; they are signed

  // Of a PUT. `read` fills from the front; fewer than asked for only at the end. The body is waited
  // with until the server wants it (Expect) when it can be read once only.
  std::uint64_t size = 0;
  std::string payload_hash{kHashOfNothing};
  std::function<Result<std::size_t>(std::span<char>)> read;
  std::function<void()> rewind;  // empty: it can be read once

  // Of a GET. Of an answer with 200, `begin` sees the headers, then `sink` takes the body.
  std::function<Status(const S3Answer&)> begin;
  ObjectSink sink;
  std::size_t max_body = 0;  // of an answer's body that does not go to the sink
};

/// How a request went. Exactly one of `transport` and `own` may be an error; then there is no
/// answer that could be relied on.
struct S3Outcome {
  Status transport;  // kUnavailable: no answer, or half of one
  Status own;        // of `read`, `begin` or `sink`
  S3Answer answer;
  bool body_began = false;  // a byte of it was read, or given to the sink
};

/// Sends requests to one bucket, over connections that are kept.
///
/// Thread: any
class S3Transfer {
 public:
  /// The options are borrowed.
  S3Transfer(const S3Options& options, S3Address address);
  ~S3Transfer();
  S3Transfer(const S3Transfer&) = delete;
  S3Transfer& operator=(const S3Transfer&) = delete;

  S3Outcome Send(const S3Request& request);

  const std::string& place() const { return address_.place; }

 private:
  using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
  Handle Take();
  void PutBack(Handle handle);

  // Constant after construction.
  const S3Options& options_;
  const S3Address address_;
  AwsSigner signer_;
  // Any thread.
  Mutex mutex_;
  std::vector<Handle> idle_ GUARDED_BY(mutex_);
};

}  // namespace lethe
