#pragma once

// A bucket that is asked: requests made again while that may help, answers turned into errors.

#include <string>
#include <string_view>

#include "base/status.h"
#include "store/objects/internal/s3_address.h"
#include "store/objects/internal/s3_transfer.h"
#include "store/s3_objects.h"

namespace lethe {

/// Thread: any
class S3Bucket {
 public:
  S3Bucket(const S3Options& options, S3Address address);

  /// Sends a request up to `attempts` times, while the server is busy or the connection breaks, and
  /// the request's body was not begun or can be rewound. Returns the last answer, whatever its
  /// status, unless it is one that says to try again. `body_began` says whether an attempt began to
  /// send the body. Errors: kUnavailable; what `read`, `begin` or `sink` returned
  Result<S3Answer> Ask(const S3Request& request, bool* body_began = nullptr);

  /// What an answer with another status than 2xx means. `permission` is what the key needs for it,
  /// e.g. "s3:GetObject".
  Status Explain(const S3Answer& answer, std::string_view permission) const;

  /// "bucket NAME at HOST: what".
  Status Fail(StatusCode code, std::string_view what) const {
    return {code, place() + ": " + std::string(what)};
  }

  const S3Options& options() const { return options_; }
  const std::string& place() const { return transfer_.place(); }

 private:
  const S3Options options_;
  S3Transfer transfer_;
};

/// "HTTP 404 NoSuchKey".
std::string DescribeS3Answer(const S3Answer& answer);

inline bool IsS3Success(const S3Answer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

}  // namespace lethe
