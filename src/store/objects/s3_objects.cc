#include "store/s3_objects.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <utility>

#include "base/sha256.h"
#include "store/objects/internal/s3_body.h"
#include "store/objects/internal/s3_bucket.h"
#include "store/objects/internal/s3_opening.h"
#include "store/objects/internal/s3_xml.h"

namespace lethe {
namespace {

// What S3 takes in one request; more would want an upload in parts.
constexpr std::uint64_t kMaxObject = std::uint64_t{5} << 30;
constexpr std::size_t kMaxPage = 1'000;
// Pages of a listing that may hold nothing of ours. A server may say "there is more" for ever.
constexpr int kMaxForeignPages = 50;

constexpr std::string_view kPutPermission = "s3:PutObject";
constexpr std::string_view kGetPermission = "s3:GetObject and s3:ListBucket";
constexpr std::string_view kRemovePermission = "s3:DeleteObject";

Status NoName() { return InvalidArgument("this is no name of an object"); }

bool IsMd5(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A server keeps versions if it gives what is written a name of its own; "null" is the one version
// of a bucket that has stopped to.
bool KeepsVersions(const S3Answer& answer) {
  return !answer.version.empty() && answer.version != "null";
}

std::optional<std::uint64_t> StoredSize(const S3Answer& answer) {
  std::uint64_t size = 0;
  const char* const end = answer.stored_size.data() + answer.stored_size.size();
  const auto [stop, error] = std::from_chars(answer.stored_size.data(), end, size);
  if (answer.stored_size.empty() || error != std::errc() || stop != end) return std::nullopt;
  return size;
}

class S3Objects final : public ObjectStore {
 public:
  S3Objects(const S3Options& options, S3Address address) : bucket_(options, std::move(address)) {}

  Status Prepare(std::vector<std::string>& notes) {
    RETURN_IF_ERROR(CheckS3Bucket(bucket_, notes));
    // Whether it may be listed: without that, S3 says "forbidden" of what is not there.
    return ListPage("", 1, "").status();
  }

  Status Put(const std::string& name, std::uint64_t size, const ObjectSource& source) override {
    if (!IsObjectName(name)) return NoName();
    if (size > kMaxObject) {
      return ResourceExhausted("an object in S3 has 5 GiB at most, in bytes: " +
                               std::to_string(size));
    }
    ASSIGN_OR_RETURN(const S3Answer before, Head(name));
    if (before.status == 200) return Taken();
    if (before.status != 404) return bucket_.Explain(before, kGetPermission);
    ASSIGN_OR_RETURN(S3Body body, S3Body::Create(size, source));
    bool uncertain = false;
    Status sent = Send(name, size, body, uncertain);
    if (!sent.ok() && !uncertain) return sent;
    return Settle(name, size, body, sent);
  }

  Status Get(const std::string& name, const ObjectSink& sink) override {
    if (!IsObjectName(name)) return NoName();
    std::uint64_t expected = 0, received = 0;
    bool began = false;
    S3Request request = Request("GET", name);
    request.max_body = kMaxS3Document;
    request.begin = [&](const S3Answer& answer) {
      began = true;
      const auto size = StoredSize(answer);
      if (!size) {
        return Fail(StatusCode::kUnavailable, "answers with something that was not stored there");
      }
      expected = *size;
      if (answer.length && *answer.length != expected) {
        return Fail(StatusCode::kDataLoss, "has " + std::to_string(*answer.length) +
                                               " bytes of an object of " +
                                               std::to_string(expected));
      }
      return OkStatus();
    };
    request.sink = [&](std::string_view bytes) {
      received += bytes.size();
      if (received > expected) return Fail(StatusCode::kUnavailable, "sends too much");
      return sink(bytes);
    };
    ASSIGN_OR_RETURN(const S3Answer answer, bucket_.Ask(request));
    if (answer.status != 200) return bucket_.Explain(answer, kGetPermission);
    if (!began) RETURN_IF_ERROR(request.begin(answer));
    if (received != expected) {
      return Fail(StatusCode::kUnavailable, "ends in the middle of an object");
    }
    return OkStatus();
  }

  Status Remove(const std::string& name) override {
    if (!IsObjectName(name)) return NoName();
    S3Request request = Request("DELETE", name);
    request.max_body = kMaxS3Document;
    ASSIGN_OR_RETURN(const S3Answer answer, bucket_.Ask(request));
    if (!IsS3Success(answer)) {
      Status status = bucket_.Explain(answer, kRemovePermission);
      if (status.code() != StatusCode::kNotFound) return status;
    }
    if (KeepsVersions(answer)) return KeptVersion();
    ASSIGN_OR_RETURN(const S3Answer after, Head(name));
    if (after.status == 404) return OkStatus();
    if (after.status != 200) return bucket_.Explain(after, kGetPermission);
    return Fail(StatusCode::kUnavailable, "said that it removed an object, and has it still");
  }

  Result<std::vector<std::string>> List(const std::string& folder, int limit) override {
    if (!IsObjectName(folder)) return InvalidArgument("this is no name of a folder");
    const std::string begin = bucket_.options().prefix + folder + "/";
    const std::size_t most = limit > 0 ? static_cast<std::size_t>(limit) : 0;
    std::vector<std::string> names;
    std::string next;
    int foreign_pages = 0;
    while (names.size() < most) {
      const std::size_t before = names.size();
      ASSIGN_OR_RETURN(S3Listing page, ListPage(begin, std::min(most - before, kMaxPage), next));
      for (const std::string& key : page.keys) {
        if (!key.starts_with(begin)) continue;
        std::string name = key.substr(bucket_.options().prefix.size());
        if (IsObjectName(name)) names.push_back(std::move(name));
      }
      if (page.next.empty()) break;
      if (names.size() == before && ++foreign_pages > kMaxForeignPages) {
        return Fail(StatusCode::kUnavailable, "lists no end of objects that are none of Lethe's");
      }
      next = std::move(page.next);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

 private:
  static S3Request Request(std::string method, const std::string& name) {
    S3Request request;
    request.method = std::move(method);
    request.name = name;
    return request;
  }

  Status Fail(StatusCode code, std::string_view what) const { return bucket_.Fail(code, what); }
  static Status Taken() { return FailedPrecondition("there is an object of that name already"); }
  Status KeptVersion() const {
    return Fail(StatusCode::kFailedPrecondition,
                "keeps versions of what is removed (it did not when it was opened); suspend "
                "versioning and remove the old versions");
  }

  Result<S3Answer> Head(const std::string& name) { return bucket_.Ask(Request("HEAD", name)); }

  // Sends the body once, or again as far as that is possible. `uncertain`: whether something may
  // have been stored.
  Status Send(const std::string& name, std::uint64_t size, S3Body& body, bool& uncertain) {
    S3Request request = Request("PUT", name);
    request.size = size;
    request.max_body = kMaxS3Document;
    request.headers = {{"content-type", "application/octet-stream"},
                       {"x-amz-meta-lethe-size", std::to_string(size)}};
    const bool conditional = conditional_.load();
    if (conditional) request.headers.emplace_back("if-none-match", "*");
    request.read = [&body](std::span<char> bytes) { return body.Read(bytes); };
    if (body.is_whole()) {
      request.payload_hash = Sha256Hex(std::as_bytes(std::span(body.whole())));
      request.rewind = [&body] { body.Rewind(); };
    } else {
      request.payload_hash = kUnsignedPayload;
    }
    Result<S3Answer> asked = bucket_.Ask(request, &uncertain);
    RETURN_IF_ERROR(asked.status());
    if (KeepsVersions(*asked)) {
      // Only its version's name removes it.
      S3Request remove = Request("DELETE", name);
      remove.query = {{"versionId", asked->version}};
      remove.max_body = kMaxS3Document;
      (void)bucket_.Ask(remove);
      uncertain = false;
      return KeptVersion();
    }
    if (IsS3Success(*asked)) return OkStatus();
    // An earlier attempt of ours may be the one that took the name.
    if (asked->status == 412) return Taken();
    Status status = bucket_.Explain(*asked, kPutPermission);
    if (conditional && status.code() == StatusCode::kUnimplemented &&
        (body.is_whole() || !uncertain)) {
      conditional_ = false;
      body.Rewind();
      return Send(name, size, body, uncertain);
    }
    return status;
  }

  // Looks at what is there now. What is all of the body was stored, whatever the answer was, and
  // what is a part of it goes.
  Status Settle(const std::string& name, std::uint64_t size, S3Body& body, const Status& sent) {
    auto after = Head(name);
    if (!after.ok()) return sent.ok() ? after.status() : sent;
    if (after->status == 404) {
      return sent.ok() ? Fail(StatusCode::kUnavailable,
                              "said that it stored an object, and does not have it")
                       : sent;
    }
    if (after->status != 200) return sent.ok() ? bucket_.Explain(*after, kGetPermission) : sent;
    const Status same = Compare(*after, size, body);
    if (same.ok()) return OkStatus();
    // Somebody else was there first, in the moment between.
    if (sent.code() == StatusCode::kFailedPrecondition) return sent;
    Status removed = Remove(name);
    if (!removed.ok()) return removed;
    return sent.ok() ? same : sent;
  }

  Status Compare(const S3Answer& answer, std::uint64_t size, S3Body& body) const {
    const auto wrong = [&](std::string_view what) {
      return Fail(StatusCode::kUnavailable,
                  "said that it stored an object, and has another: " + std::string(what));
    };
    if (!body.is_sent()) return wrong("it was not sent to its end");
    if (answer.length != size || StoredSize(answer) != size) return wrong("of another length");
    const std::string& md5 = body.Md5Digits();
    // Encrypted with a key of its own, an object's ETag is of 32 digits and no MD5.
    const bool comparable = bucket_.options().etags_are_md5 && IsMd5(answer.etag) && !md5.empty() &&
                            !answer.customer_key &&
                            (answer.encryption.empty() || answer.encryption == "AES256");
    if (comparable && answer.etag != md5) {
      return wrong("its ETag is not the MD5 of what was sent (etag=any if it never is)");
    }
    return OkStatus();
  }

  Result<S3Listing> ListPage(const std::string& begin, std::size_t max_keys,
                             const std::string& next) {
    S3Request request = Request("GET", "");
    request.of_bucket = true;
    request.query = {{"list-type", "2"},
                     {"encoding-type", "url"},
                     {"max-keys", std::to_string(max_keys)},
                     {"prefix", begin.empty() ? bucket_.options().prefix : begin}};
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    request.max_body = kMaxS3Listing;
    ASSIGN_OR_RETURN(const S3Answer answer, bucket_.Ask(request));
    if (answer.status != 200) {
      Status status = bucket_.Explain(answer, "s3:ListBucket");
      if (status.code() != StatusCode::kNotFound) return status;
      return Fail(StatusCode::kFailedPrecondition,
                  "there is no such bucket: " + DescribeS3Answer(answer));
    }
    auto listing = ParseS3Listing(answer.body, max_keys);
    if (!listing.ok()) return Fail(listing.status().code(), listing.status().message());
    return listing;
  }

  S3Bucket bucket_;
  // Whether the server takes If-None-Match with a PUT, as far as is known.
  std::atomic<bool> conditional_ = true;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenS3Objects(const S3Options& options,
                                                   std::vector<std::string>* notes) {
  ASSIGN_OR_RETURN(S3Address address, AddressOf(options));
  if (options.access_key_id.empty() || options.secret_access_key.empty()) {
    return FailedPrecondition("no keys for S3");
  }
  std::vector<std::string> ignored;
  auto objects = std::make_unique<S3Objects>(options, std::move(address));
  RETURN_IF_ERROR(objects->Prepare(notes ? *notes : ignored));
  return std::unique_ptr<ObjectStore>(std::move(objects));
}

}  // namespace lethe
