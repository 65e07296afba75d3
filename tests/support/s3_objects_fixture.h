#pragma once

// For tests of objects in S3: a bucket on a server in memory that misbehaves in one way in each
// test (tests/support/fake_s3.h), and calls whose messages are looked at for what they must not
// say.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "store/s3_objects.h"
#include "tests/support/fake_s3.h"
#include "tests/support/object_bytes.h"
#include "tests/support/status_matchers.h"

namespace lethe {

inline constexpr std::size_t kLarge = 3'000'000;  // is streamed; "small" is held
inline const std::string kPath = "/bucket/p/a/secret-name";
inline const std::string kName = "a/secret-name";

class S3ObjectsTest : public testing::Test {
 protected:
  S3Options Options() {
    S3Options options = *ParseS3Url("s3://bucket/p?endpoint=" + s3_.Url());
    options.access_key_id = "AKIDTEST";
    options.secret_access_key = Secret("s3cr3tkey");
    options.pause = Millis(1);
    options.attempts = 3;
    return options;
  }
  ObjectStore& Objects() {
    if (!objects_) objects_ = *OpenS3Objects(Options());
    return *objects_;
  }

  // Nothing that a message shows is a key or a name.
  static Status Checked(Status status) {
    EXPECT_THAT(status.message(), testing::Not(testing::HasSubstr("s3cr3tkey")));
    EXPECT_THAT(status.message(), testing::Not(testing::HasSubstr("AKIDTEST")));
    EXPECT_THAT(status.message(), testing::Not(testing::HasSubstr("secret-name")));
    EXPECT_THAT(status.message(), testing::Not(testing::HasSubstr("\n")));
    return status;
  }
  Status Put(std::size_t size) {
    return Checked(
        Objects().Put(kName, size, BytesSource(std::string_view(bytes_).substr(0, size))));
  }
  Status Get(std::string& got) {
    got.clear();
    return Checked(Objects().Get(kName, [&](std::string_view more) {
      got += more;
      return OkStatus();
    }));
  }
  Status Get() {
    std::string ignored;
    return Get(ignored);
  }
  Status Remove() { return Checked(Objects().Remove(kName)); }
  Status OpenStatus(std::vector<std::string>* notes = nullptr) {
    return Checked(OpenS3Objects(Options(), notes).status());
  }
  int Puts() { return s3_.Count("PUT"); }

  static std::string Pattern() {
    std::string bytes;
    while (bytes.size() < kLarge + 10) bytes += "pattern " + std::to_string(bytes.size()) + " ";
    return bytes;
  }

  const std::string bytes_ = Pattern();
  FakeS3 s3_;
  std::unique_ptr<ObjectStore> objects_;
};

// Answers the first `times` requests of a method otherwise.
inline FakeS3::Fault First(int times, const std::string& method, const FakeS3Reply& reply) {
  return [=, left = std::make_shared<std::atomic<int>>(times)](
             const FakeS3Request& request, const FakeS3::Honest&) -> std::optional<FakeS3Reply> {
    if (!request.Is(method) || !request.query.empty() || (*left)-- <= 0) return std::nullopt;
    return reply;
  };
}
inline constexpr int kAlways = 1'000'000;

inline const FakeS3Reply kBusy = FakeS3Error("503 Slow Down", "SlowDown");
inline const FakeS3Reply kInternal = FakeS3Error("500 Internal", "InternalError");
inline const FakeS3Reply kHangUp = {.most = 0};

// Of a request that has neither query nor prefix, what the method answers.
inline FakeS3::Fault Whenever(
    const std::string& method,
    const std::function<FakeS3Reply(const FakeS3Request&, const FakeS3::Honest&)>& then) {
  return [=](const FakeS3Request& request,
             const FakeS3::Honest& honest) -> std::optional<FakeS3Reply> {
    if (!request.Is(method) || request.query.find("list-type") != std::string::npos) return {};
    return then(request, honest);
  };
}

}  // namespace lethe
