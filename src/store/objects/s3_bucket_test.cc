// Goal: a bucket that cannot keep the promise is refused, listings end, what is sent is signed, and
// only to whom is trusted. Method: a server in memory, with and without TLS; what it was sent.

#include <thread>

#include <gmock/gmock.h>

#include "tests/support/s3_objects_fixture.h"
#include "tests/support/test_certificate.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(S3ObjectsTest, AFolderIsListedOverPages) {
  s3_.page = 2;
  for (const char* name : {"p/a/1", "p/a/2", "p/a/3", "p/a/4", "p/a/5", "p/b/1", "a/0"}) {
    s3_.Store("/bucket/" + std::string(name), "x");
  }
  EXPECT_THAT(*Objects().List("a", 100), ElementsAre("a/1", "a/2", "a/3", "a/4", "a/5"));
  EXPECT_THAT(*Objects().List("a", 3), ElementsAre("a/1", "a/2", "a/3"));
}

TEST_F(S3ObjectsTest, WhatIsNotOursIsNotListed) {
  for (const char* name : {"p/a/..", "p/a/A b&<\x01", "p/a/", "p/a/x", "p/a/y.part"}) {
    s3_.Store("/bucket/" + std::string(name), "x");
  }
  EXPECT_THAT(*Objects().List("a", 100), ElementsAre("a/x"));
}

TEST_F(S3ObjectsTest, AListingThatNeverEndsDoesEnd) {
  Objects();
  const auto listed = [&](const std::string& entries) {
    s3_.fault = [=](const FakeS3Request&, const auto&) {
      return FakeS3Reply{.body =
                             "<ListBucketResult><IsTruncated>true</IsTruncated>"
                             "<NextContinuationToken>t</NextContinuationToken>" +
                             entries + "</ListBucketResult>"};
    };
    return Objects().List("a", 10).status();
  };
  EXPECT_THAT(listed(""), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(listed("<Contents><Key>p/b/1</Key></Contents>"), HasCode(StatusCode::kUnavailable));
  std::string eleven;
  for (int i = 0; i < 11; ++i) eleven += "<Contents><Key>p/a/1</Key></Contents>";
  EXPECT_THAT(listed(eleven), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(listed(std::string(5'000'000, ' ')), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(listed("<Contents>"), HasCode(StatusCode::kUnavailable));
}

TEST_F(S3ObjectsTest, ABucketThatKeepsVersionsIsRefused) {
  s3_.versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  const Status status = OpenStatus();
  EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(status.message(), HasSubstr("take a bucket without versioning"));
  s3_.versioning = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
  EXPECT_THAT(OpenStatus(), IsOk());
  s3_.versioning = "<html/>";
  EXPECT_THAT(OpenStatus(), HasCode(StatusCode::kUnavailable));
}

TEST_F(S3ObjectsTest, ABucketInAnotherPlaceIsRefused) {
  const auto opened_in = [&](const std::string& constraint, const std::string& region,
                             const std::string& location) {
    s3_.location = "<LocationConstraint>" + constraint + "</LocationConstraint>";
    S3Options options = Options();
    options.region = region;
    options.location = location;
    return OpenS3Objects(options).status();
  };
  EXPECT_THAT(opened_in("", "us-east-1", ""), IsOk());
  EXPECT_THAT(opened_in("EU", "eu-west-1", ""), IsOk());
  EXPECT_THAT(opened_in("eu-west-2", "eu-west-2", ""), IsOk());
  EXPECT_THAT(opened_in("default", "us-east-1", "default"), IsOk());
  for (const Status& status : {opened_in("us-west-2", "eu-west-1", ""),
                               opened_in("us-west-2", "us-west-2", "eu-west-1")}) {
    EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
    EXPECT_THAT(status.message(), EndsWith("is not in eu-west-1; if that is where it has to be, "
                                           "say location=us-west-2"));
  }
  EXPECT_THAT(opened_in("", "eu-west-1", ""), HasCode(StatusCode::kFailedPrecondition));
}

TEST_F(S3ObjectsTest, WhatTheServerDoesNotSayIsNoted) {
  std::vector<std::string> notes;
  EXPECT_THAT(OpenStatus(&notes), IsOk());
  EXPECT_THAT(notes, IsEmpty());
  s3_.fault = [](const FakeS3Request& request, const auto&) -> std::optional<FakeS3Reply> {
    if (request.query != "location=" && request.query != "versioning=") return std::nullopt;
    return FakeS3Error("501 Not Implemented", "NotImplemented");
  };
  EXPECT_THAT(OpenStatus(&notes), IsOk());
  EXPECT_THAT(notes, ElementsAre(HasSubstr("does not say where it is; taken to be in us-east-1"),
                                 HasSubstr("does not say whether it keeps versions")));
  notes.clear();
  s3_.fault = nullptr;
  s3_.versioning = "<ListBucketResult/>";
  EXPECT_THAT(OpenStatus(&notes), IsOk());
  EXPECT_THAT(notes, ElementsAre(HasSubstr("does not say whether it keeps versions")));
}

TEST_F(S3ObjectsTest, WhatTheKeyMayNotDoIsSaidAtOnce) {
  for (const auto& [query, permission] : std::vector<std::pair<std::string, std::string>>{
           {"location=", "s3:GetBucketLocation"},
           {"versioning=", "s3:GetBucketVersioning"},
           {"encoding-type=url&list-type=2&max-keys=1&prefix=p%2F", "s3:ListBucket"}}) {
    s3_.fault = [refused = query](const FakeS3Request& request,
                                  const auto&) -> std::optional<FakeS3Reply> {
      if (request.query != refused) return std::nullopt;
      return FakeS3Error("403 Forbidden", "AccessDenied");
    };
    const Status status = OpenStatus();
    EXPECT_THAT(status, HasCode(StatusCode::kPermissionDenied)) << query;
    EXPECT_THAT(status.message(), HasSubstr("it needs " + permission + ": HTTP 403 AccessDenied"));
  }
  s3_.fault = [&](const FakeS3Request&, const auto&) {
    return FakeS3Error("404 Not Found", "NoSuchBucket");
  };
  EXPECT_THAT(OpenStatus(), HasCode(StatusCode::kFailedPrecondition));
  S3Options options = Options();
  options.secret_access_key = Secret();
  EXPECT_THAT(OpenS3Objects(options), HasCode(StatusCode::kFailedPrecondition));
}

TEST_F(S3ObjectsTest, WhatIsShortIsSignedWhatIsLongIsNot) {
  std::vector<std::string> hashes;
  s3_.fault = Whenever("PUT", [&](const FakeS3Request& request, const auto& honest) {
    hashes.push_back(request.Header("x-amz-content-sha256"));
    EXPECT_THAT(request.Header("authorization"),
                HasSubstr("SignedHeaders=content-type;host;if-none-match;x-amz-content-sha256;"
                          "x-amz-date;x-amz-meta-lethe-size"));
    return honest();
  });
  EXPECT_THAT(Put(0), IsOk());
  EXPECT_THAT(Remove(), IsOk());
  EXPECT_THAT(Put(kLarge), IsOk());
  EXPECT_THAT(hashes,
              ElementsAre("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                          "UNSIGNED-PAYLOAD"));
  EXPECT_THAT(s3_.objects(), SizeIs(1));
}

TEST_F(S3ObjectsTest, ManyThreadsShareTheConnections) {
  Objects();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const std::string name = std::to_string(t) + "/" + std::to_string(i);
        EXPECT_THAT(Objects().Put(name, name.size(), BytesSource(name)), IsOk());
        EXPECT_EQ(*GetBytes(Objects(), name), name);
        EXPECT_THAT(Objects().Remove(name), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(s3_.objects(), IsEmpty());
}

TEST(S3TlsTest, OnlyATrustedServerIsSpokenTo) {
  const TestFolder folder;
  const TestCertificate right("IP:127.0.0.1"), other("IP:127.0.0.1"), elsewhere("DNS:example.com");
  right.WriteTo(folder / "right.pem");
  elsewhere.WriteTo(folder / "elsewhere.pem");
  const auto open = [&](const TestCertificate& certificate, const std::string& ca) {
    FakeS3 s3(certificate.context());
    S3Options options = *ParseS3Url("s3://bucket?endpoint=" + s3.Url() + "&ca=" + (folder / ca));
    options.access_key_id = "AKIDTEST";
    options.secret_access_key = Secret("s3cr3tkey");
    options.attempts = 1;
    const auto objects = OpenS3Objects(options);
    if (!objects.ok()) {
      EXPECT_THAT(s3.requests(), IsEmpty());
      return objects.status();
    }
    EXPECT_THAT((*objects)->Put("a", 1, BytesSource("x")), IsOk());
    EXPECT_EQ(*GetBytes(**objects, "a"), "x");
    return objects.status();
  };
  EXPECT_THAT(open(right, "right.pem"), IsOk());
  EXPECT_THAT(open(other, "right.pem"), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(open(elsewhere, "elsewhere.pem"), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(open(right, "nothing.pem"), HasCode(StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace lethe
