#include "store/objects/internal/s3_opening.h"

#include "store/objects/internal/s3_xml.h"

namespace lethe {
namespace {

// The document that tells of one side of the bucket.
// Errors: kUnimplemented when the server does not know the question
Result<std::string> AskAbout(S3Bucket& bucket, const std::string& what,
                             std::string_view permission) {
  S3Request request;
  request.method = "GET";
  request.of_bucket = true;
  request.query = {{what, ""}};
  request.max_body = kMaxS3Listing;  // what does not know the question may answer with a listing
  ASSIGN_OR_RETURN(S3Answer answer, bucket.Ask(request));
  if (answer.status == 200) return std::move(answer.body);
  Status status = bucket.Explain(answer, permission);
  if (status.code() != StatusCode::kNotFound) return status;
  return bucket.Fail(StatusCode::kFailedPrecondition,
                     "there is no such bucket: " + DescribeS3Answer(answer));
}

// Two places have names that the rest of S3 does not use for them.
std::string PlaceOf(const std::string& constraint) {
  if (constraint.empty()) return "us-east-1";
  return constraint == "EU" ? "eu-west-1" : constraint;
}

Status CheckLocation(S3Bucket& bucket, std::vector<std::string>& notes) {
  const S3Options& options = bucket.options();
  const std::string& wanted = options.location.empty() ? options.region : options.location;
  const auto document = AskAbout(bucket, "location", "s3:GetBucketLocation");
  if (document.status().code() == StatusCode::kUnimplemented) {
    notes.push_back(bucket.place() + ": does not say where it is; taken to be in " + wanted);
    return OkStatus();
  }
  RETURN_IF_ERROR(document.status());
  const auto constraint = ParseS3Text(*document, "LocationConstraint");
  if (!constraint.ok()) return bucket.Fail(StatusCode::kUnavailable, constraint.status().message());
  const std::string place = PlaceOf(*constraint);
  if (place == wanted) return OkStatus();
  return bucket.Fail(StatusCode::kFailedPrecondition,
                     "is not in " + wanted + "; if that is where it has to be, say location=" +
                         (IsS3Region(place) ? place : "..."));
}

Status CheckVersioning(S3Bucket& bucket, std::vector<std::string>& notes) {
  const auto document = AskAbout(bucket, "versioning", "s3:GetBucketVersioning");
  Result<std::string> status = document.ok() ? ParseS3Versioning(*document) : document;
  if (status.status().code() == StatusCode::kUnimplemented) {
    notes.push_back(bucket.place() +
                    ": does not say whether it keeps versions of what is removed; "
                    "see that it does not");
    return OkStatus();
  }
  if (!document.ok()) return document.status();
  if (!status.ok()) return bucket.Fail(status.status().code(), status.status().message());
  if (*status != "Enabled") return OkStatus();
  return bucket.Fail(
      StatusCode::kFailedPrecondition,
      "keeps old versions of what is removed, so nothing would be erased in it; take "
      "a bucket without versioning");
}

}  // namespace

Status CheckS3Bucket(S3Bucket& bucket, std::vector<std::string>& notes) {
  RETURN_IF_ERROR(CheckLocation(bucket, notes));
  return CheckVersioning(bucket, notes);
}

}  // namespace lethe
