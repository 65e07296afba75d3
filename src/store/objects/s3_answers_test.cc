// Goal: Get() gives all of an object or an error, what Remove() acknowledged is gone, a name that
// is taken stays the other's, and errors say what to do. Method: a server in memory that answers
// wrongly in one way in each test.

#include <gmock/gmock.h>

#include "tests/support/s3_objects_fixture.h"

namespace lethe {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST_F(S3ObjectsTest, ANameThatIsTakenInTheMomentBetweenStaysTheOthers) {
  for (const std::size_t size : {std::size_t{1'000}, kLarge}) {
    s3_.fault = Whenever("PUT", [&](const FakeS3Request& request, const auto& honest) {
      s3_.Store(request.path, "another's");
      return honest();
    });
    EXPECT_THAT(Put(size), HasCode(StatusCode::kFailedPrecondition));
    EXPECT_EQ(s3_.objects()[kPath].bytes, "another's");
    EXPECT_THAT(Remove(), IsOk());
  }
}

TEST_F(S3ObjectsTest, AServerWithoutConditionsIsAskedWithoutThem) {
  s3_.fault = s3_.fault_before_body = [&](const FakeS3Request& request,
                                          const auto&) -> std::optional<FakeS3Reply> {
    if (request.Header("if-none-match").empty()) return std::nullopt;
    return FakeS3Error("501 Not Implemented", "NotImplemented");
  };
  EXPECT_THAT(Put(kLarge), IsOk());
  EXPECT_EQ(Puts(), 2);
  EXPECT_THAT(Put(kLarge), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Puts(), 2);
  EXPECT_THAT(Remove(), IsOk());
  EXPECT_THAT(Put(1'000), IsOk());
  EXPECT_EQ(Puts(), 3);
}

TEST_F(S3ObjectsTest, AnObjectThatBreaksOffIsAnErrorAndNotBegunAgain) {
  ASSERT_THAT(Put(kLarge), IsOk());
  s3_.fault = Whenever("GET", [](const auto&, const auto& honest) {
    FakeS3Reply reply = honest();
    reply.most = kLarge / 2;
    return reply;
  });
  std::string got;
  EXPECT_THAT(Get(got), HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(s3_.Count("GET " + kPath), 1);
  EXPECT_TRUE(bytes_.starts_with(got));
}

TEST_F(S3ObjectsTest, AnObjectOfWhichTheServerHasLessIsDataLoss) {
  ASSERT_THAT(Put(1'000), IsOk());
  s3_.fault = Whenever("GET", [](const auto&, const auto& honest) {
    FakeS3Reply reply = honest();
    reply.body.pop_back();
    return reply;
  });
  std::string got;
  EXPECT_THAT(Get(got), HasCode(StatusCode::kDataLoss));
  EXPECT_EQ(got, "");
  s3_.fault = Whenever("GET", [](const auto&, const auto& honest) {
    FakeS3Reply reply = honest();
    reply.body.clear();
    return reply;
  });
  EXPECT_THAT(Get(got), HasCode(StatusCode::kDataLoss));
}

TEST_F(S3ObjectsTest, WhatHasNoLengthIsCounted) {
  ASSERT_THAT(Put(1'000), IsOk());
  const auto answered_with = [&](const std::string& headers, const std::string& body) {
    s3_.fault = Whenever("GET", [=](const auto&, const auto& honest) {
      FakeS3Reply reply = honest();
      reply.headers += headers;
      reply.body = body;
      reply.has_length = false;
      return reply;
    });
    std::string got;
    Status status = Get(got);
    EXPECT_LE(got.size(), 1'000u);
    return status;
  };
  const std::string all = bytes_.substr(0, 1'000), chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_THAT(answered_with(chunked, "3e8\r\n" + all + "\r\n0\r\n\r\n"), IsOk());
  EXPECT_THAT(answered_with(chunked, "3\r\nabc\r\n0\r\n\r\n"), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(answered_with(chunked, "3e8\r\n" + all + "\r\n1\r\nx\r\n0\r\n\r\n"),
              HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(answered_with(chunked, "3e8\r\n" + all), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(answered_with("", all), IsOk());
  EXPECT_THAT(answered_with("", all.substr(1)), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(answered_with("", all + "x"), HasCode(StatusCode::kUnavailable));
}

TEST_F(S3ObjectsTest, AnotherPageIsNotTakenForTheObject) {
  ASSERT_THAT(Put(1'000), IsOk());
  std::string got;
  for (const char* body : {"<html>log in first</html>", ""}) {
    s3_.fault =
        Whenever("GET", [=](const auto&, const auto&) { return FakeS3Reply{.body = body}; });
    EXPECT_THAT(Get(got), HasCode(StatusCode::kUnavailable));
    EXPECT_EQ(got, "");
  }
}

TEST_F(S3ObjectsTest, ARemovedObjectThatIsStillThereIsNoticed) {
  ASSERT_THAT(Put(1'000), IsOk());
  s3_.fault = First(1, "DELETE", {.status = "204 No Content", .has_length = false});
  const Status status = Remove();
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(status.message(), EndsWith("said that it removed an object, and has it still"));
  EXPECT_THAT(Remove(), IsOk());
}

TEST_F(S3ObjectsTest, ABucketThatBeginsToKeepVersionsIsNoticed) {
  ASSERT_THAT(Put(1'000), IsOk());
  const auto with_version = [&](const std::string& method, const std::string& version) {
    s3_.fault = Whenever(method, [=](const auto&, const auto& honest) {
      FakeS3Reply reply = honest();
      reply.headers += "x-amz-version-id: " + version + "\r\n";
      return reply;
    });
  };
  with_version("DELETE", "null");
  EXPECT_THAT(Remove(), IsOk());
  with_version("PUT", "null");
  EXPECT_THAT(Put(1'000), IsOk());
  with_version("DELETE", "v1");
  const Status status = Remove();
  EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition));
  EXPECT_THAT(status.message(), HasSubstr("keeps versions"));
  with_version("PUT", "v/2");
  EXPECT_THAT(Put(1'000), HasCode(StatusCode::kFailedPrecondition));
  EXPECT_EQ(s3_.requests().back(), "DELETE " + kPath + "?versionId=v%2F2");
}

TEST_F(S3ObjectsTest, ABucketThatIsGoneHasNotRemovedAnything) {
  ASSERT_THAT(Put(1'000), IsOk());
  const FakeS3Reply no_bucket = FakeS3Error("404 Not Found", "NoSuchBucket");
  for (const char* method : {"DELETE", "GET", "PUT"}) {
    s3_.fault = First(kAlways, method, no_bucket);
    const Status status = method == std::string("PUT")   ? Objects().Put("b", 0, BytesSource(""))
                          : method == std::string("GET") ? Get()
                                                         : Remove();
    EXPECT_THAT(status, HasCode(StatusCode::kFailedPrecondition)) << method;
    EXPECT_THAT(status.message(), HasSubstr("no such bucket"));
  }
}

TEST_F(S3ObjectsTest, ErrorsSayWhatToDo) {
  struct Case {
    FakeS3Reply reply;
    StatusCode code;
    std::string says;
  };
  const std::string region = "<Region>eu-west-1</Region>";
  for (const Case& c : std::vector<Case>{
           {FakeS3Error("403 Forbidden", "AccessDenied"), StatusCode::kPermissionDenied,
            "needs s3:GetObject"},
           {FakeS3Error("403 Forbidden", "SignatureDoesNotMatch"), StatusCode::kPermissionDenied,
            "refuses the keys"},
           {FakeS3Error("403 Forbidden", "InvalidAccessKeyId"), StatusCode::kPermissionDenied,
            "refuses the keys"},
           {FakeS3Error("403 Forbidden", "RequestTimeTooSkewed"), StatusCode::kFailedPrecondition,
            "clock"},
           {FakeS3Error("301 Moved Permanently", "PermanentRedirect", region),
            StatusCode::kFailedPrecondition, "region= and its endpoint: eu-west-1"},
           {FakeS3Error("307 Temporary Redirect", "TemporaryRedirect"),
            StatusCode::kFailedPrecondition, "its own region: HTTP 307 TemporaryRedirect"},
           {FakeS3Error("400 Bad Request", "AuthorizationHeaderMalformed", region),
            StatusCode::kFailedPrecondition, "region= and its endpoint: eu-west-1"},
           {{.status = "301 Moved Permanently",
           .headers = "x-amz-bucket-region: eu-west-1\r\nLocation: http://127.0.0.1:1/\r\n"},
            StatusCode::kFailedPrecondition,
            "region= and its endpoint: eu-west-1"},
           {{.status = "301 Moved Permanently", .headers = "x-amz-bucket-region: <b>\r\n"},
            StatusCode::kFailedPrecondition,
            "its own region: HTTP 301"},
           {FakeS3Error("507 Insufficient Storage", "XMinioStorageFull"),
            StatusCode::kResourceExhausted, "is full"},
           {FakeS3Error("400 Bad Request", "Odd"), StatusCode::kUnavailable, "HTTP 400 Odd"},
           {{.status = "404 Not Found", .body = "nothing here"}, StatusCode::kNotFound, "no such"},
           {{.status = "418 Teapot", .body = std::string(100'000, 'x')},
            StatusCode::kUnavailable,
            "more than was asked for"},
       }) {
    s3_.fault = First(kAlways, "GET", c.reply);
    const Status status = Get();
    EXPECT_THAT(status, HasCode(c.code)) << c.reply.status.substr(0, 100);
    EXPECT_THAT(status.message(), HasSubstr(c.says));
  }
}

TEST_F(S3ObjectsTest, EndlessHeadersAreNotReadToTheirEnd) {
  ASSERT_THAT(Put(1'000), IsOk());
  s3_.fault = Whenever("GET", [](const auto&, const auto& honest) {
    FakeS3Reply reply = honest();
    for (int i = 0; i < 10'000; ++i) reply.headers += "X-More: and more\r\n";
    return reply;
  });
  const Status status = Get();
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(status.message(), EndsWith("answers with endless headers"));
}

}  // namespace
}  // namespace lethe
