#include "store/objects/internal/s3_bucket.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/random.h"
#include "store/objects/internal/s3_xml.h"

namespace lethe {
namespace {

constexpr Millis kLongestPause{5'000};

// What a server says that may do it the next time.
bool SaysTryAgain(const S3Answer& answer) {
  switch (answer.status) {
    case 408:
    case 409:  // another write to the same name is under way
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      // Some work is answered with 200 before it is done, and its error follows in the body.
      return IsS3Success(answer) && IsS3Error(answer.body);
  }
}

// Half to all of it, so that nodes that were refused together do not come back together.
void Rest(Millis pause) {
  std::uint32_t random = 0;
  FillRandom(std::as_writable_bytes(std::span(&random, 1)));
  const auto half = pause / 2;
  std::this_thread::sleep_for(half + Millis(random % (half.count() + 1)));
}

}  // namespace

S3Bucket::S3Bucket(const S3Options& options, S3Address address)
    : options_(options.Clone()), transfer_(options_, std::move(address)) {}

Result<S3Answer> S3Bucket::Ask(const S3Request& request, bool* body_began) {
  Millis pause = options_.pause;
  for (int attempt = 1;; ++attempt) {
    S3Outcome outcome = transfer_.Send(request);
    if (body_began) *body_began = *body_began || outcome.body_began;
    if (!outcome.own.ok()) return outcome.own;
    const bool answered = outcome.transport.ok();
    if (answered && !SaysTryAgain(outcome.answer)) return std::move(outcome.answer);
    const bool may_repeat = request.rewind || !outcome.body_began;
    if (attempt >= options_.attempts || !may_repeat ||
        (!answered && outcome.transport.code() != StatusCode::kUnavailable)) {
      if (answered) return Fail(StatusCode::kUnavailable, DescribeS3Answer(outcome.answer));
      return outcome.transport.WithContext(transfer_.place());
    }
    Rest(pause);
    pause = std::min(2 * pause, kLongestPause);
    if (request.rewind) request.rewind();
  }
}

Status S3Bucket::Explain(const S3Answer& answer, std::string_view permission) const {
  S3Error error = ParseS3Error(answer.body);
  const std::string region = answer.region.empty() ? error.region : answer.region;
  const bool redirected = answer.status >= 300 && answer.status < 400;
  // S3 tells a request that was signed for another region by its header, or in its error.
  const bool elsewhere = !region.empty() && region != options_.region;
  if (redirected || (answer.status == 400 && elsewhere)) {
    if (elsewhere) {
      return Fail(StatusCode::kFailedPrecondition,
                  "is in another region than " + options_.region +
                      "; if that is allowed, say region= and its endpoint: " + region);
    }
    return Fail(
        StatusCode::kFailedPrecondition,
        "is answered elsewhere; say the endpoint of its own region: " + DescribeS3Answer(answer));
  }
  if (error.code == "NoSuchBucket") {
    return Fail(StatusCode::kFailedPrecondition, "there is no such bucket; create it first");
  }
  if (error.code == "RequestTimeTooSkewed") {
    return Fail(StatusCode::kFailedPrecondition,
                "this machine's clock and the server's differ by more than the server allows");
  }
  if (error.code == "SignatureDoesNotMatch" || error.code == "InvalidAccessKeyId") {
    return Fail(StatusCode::kPermissionDenied,
                "refuses the keys; look at the access key id, the secret access key and the "
                "region: " +
                    DescribeS3Answer(answer));
  }
  if (answer.status == 507 || answer.status == 413 || error.code == "QuotaExceeded") {
    return Fail(StatusCode::kResourceExhausted, "is full: " + DescribeS3Answer(answer));
  }
  switch (answer.status) {
    case 401:
    case 403:
      return Fail(StatusCode::kPermissionDenied, "the key may not do that, it needs " +
                                                     std::string(permission) + ": " +
                                                     DescribeS3Answer(answer));
    case 404:
      return NotFound("there is no such object");
    case 405:
    case 501:
      return Fail(StatusCode::kUnimplemented,
                  "the server does not offer that: " + DescribeS3Answer(answer));
    default:
      return Fail(
          error.code == "NotImplemented" ? StatusCode::kUnimplemented : StatusCode::kUnavailable,
          DescribeS3Answer(answer));
  }
}

std::string DescribeS3Answer(const S3Answer& answer) {
  const std::string code = ParseS3Error(answer.body).code;
  return "HTTP " + std::to_string(answer.status) + (code.empty() ? "" : " " + code);
}

}  // namespace lethe
