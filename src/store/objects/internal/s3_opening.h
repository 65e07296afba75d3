#pragma once

// What is asked of a bucket before anything is stored in it.

#include <string>
#include <vector>

#include "base/status.h"
#include "store/objects/internal/s3_bucket.h"

namespace lethe {

/// Refuses a bucket that is elsewhere or keeps versions. What the server would not say is a note.
/// Errors: kFailedPrecondition, kPermissionDenied, kUnavailable
Status CheckS3Bucket(S3Bucket& bucket, std::vector<std::string>& notes);

}  // namespace lethe
