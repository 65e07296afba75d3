// Goal:   whatever a server does, an object that Put() acknowledged is there, one that Remove()
//         acknowledged is gone, and Get() gives all of it or an error; requests are repeated where
//         that is safe and nowhere else.
// Method: a server in memory that misbehaves in one way in each test; what it holds afterwards, and
//         what it was asked. Behaving servers: objects_contract_test.cc.

#include "store/s3_objects.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "tests/support/fake_s3.h"
#include "tests/support/object_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_certificate.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::size_t kLarge = 3'000'000;  // is streamed; "small" is held
const std::string kPath = "/bucket/p/a/secret-name";
const std::string kName = "a/secret-name";

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
    EXPECT_THAT(status.message(), Not(HasSubstr("s3cr3tkey")));
    EXPECT_THAT(status.message(), Not(HasSubstr("AKIDTEST")));
    EXPECT_THAT(status.message(), Not(HasSubstr("secret-name")));
    EXPECT_THAT(status.message(), Not(HasSubstr("\n")));
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
FakeS3::Fault First(int times, const std::string& method, const FakeS3Reply& reply) {
  return [=, left = std::make_shared<std::atomic<int>>(times)](
             const FakeS3Request& request, const FakeS3::Honest&) -> std::optional<FakeS3Reply> {
    if (!request.Is(method) || !request.query.empty() || (*left)-- <= 0) return std::nullopt;
    return reply;
  };
}
constexpr int kAlways = 1'000'000;

const FakeS3Reply kBusy = FakeS3Error("503 Slow Down", "SlowDown");
const FakeS3Reply kInternal = FakeS3Error("500 Internal", "InternalError");
const FakeS3Reply kHangUp = {.most = 0};

// Of a request that has neither query nor prefix, what the method answers.
FakeS3::Fault Whenever(
    const std::string& method,
    const std::function<FakeS3Reply(const FakeS3Request&, const FakeS3::Honest&)>& then) {
  return [=](const FakeS3Request& request,
             const FakeS3::Honest& honest) -> std::optional<FakeS3Reply> {
    if (!request.Is(method) || request.query.find("list-type") != std::string::npos) return {};
    return then(request, honest);
  };
}

// ---- Busy servers and broken connections.

TEST_F(S3ObjectsTest, ASmallObjectIsSentAgainWhileTheServerIsBusy) {
  for (const FakeS3Reply& reply : {kBusy, kInternal, kHangUp}) {
    s3_.fault = First(2, "PUT", reply);
    EXPECT_THAT(Put(1'000), IsOk());
    EXPECT_EQ(s3_.objects()[kPath].bytes, bytes_.substr(0, 1'000));
    EXPECT_THAT(Remove(), IsOk());
  }
}

TEST_F(S3ObjectsTest, TheNumberOfAttemptsIsLimited) {
  s3_.fault = First(kAlways, "PUT", kBusy);
  const Status status = Put(1'000);
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(status.message(), "bucket bucket at 127.0.0.1: HTTP 503 SlowDown");
  EXPECT_EQ(Puts(), 3);
}

TEST_F(S3ObjectsTest, ALargeObjectIsSentAgainIfNothingOfItWasSent) {
  s3_.fault_before_body = First(2, "PUT", kBusy);
  EXPECT_THAT(Put(kLarge), IsOk());
  EXPECT_EQ(Puts(), 3);
  EXPECT_TRUE(s3_.objects()[kPath].bytes == bytes_.substr(0, kLarge));
}

TEST_F(S3ObjectsTest, ALargeObjectIsSentOnce) {
  s3_.fault = First(kAlways, "PUT", kBusy);
  EXPECT_THAT(Put(kLarge), HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(Puts(), 1);
  EXPECT_THAT(s3_.objects(), IsEmpty());
}

TEST_F(S3ObjectsTest, ReadingAndRemovingAreRepeated) {
  ASSERT_THAT(Put(1'000), IsOk());
  for (const FakeS3Reply& reply : {kBusy, kInternal, kHangUp}) {
    std::string got;
    s3_.fault = First(2, "GET", reply);
    EXPECT_THAT(Get(got), IsOk());
    EXPECT_EQ(got, bytes_.substr(0, 1'000));
    s3_.fault = First(2, "HEAD", reply);
    EXPECT_THAT(Remove(), IsOk());
    EXPECT_THAT(s3_.objects(), IsEmpty());
    ASSERT_THAT(Put(1'000), IsOk());
    s3_.fault = First(2, "DELETE", reply);
    EXPECT_THAT(Remove(), IsOk());
    EXPECT_THAT(s3_.objects(), IsEmpty());
    ASSERT_THAT(Put(1'000), IsOk());
  }
  s3_.fault = First(kAlways, "GET", kInternal);
  EXPECT_THAT(Get(), HasCode(StatusCode::kUnavailable));
  s3_.fault = First(kAlways, "DELETE", kInternal);
  EXPECT_THAT(Remove(), HasCode(StatusCode::kUnavailable));
}

TEST_F(S3ObjectsTest, WhatIsSlowIsGivenUp) {
  S3Options options = Options();
  options.idle_time = std::chrono::seconds(1);
  options.attempts = 1;
  objects_ = *OpenS3Objects(options);
  // The server's thread may outlive the test's body.
  const auto over = std::make_shared<std::atomic<bool>>(false);
  s3_.fault = Whenever("GET", [over](const auto&, const auto& honest) {
    while (!*over) std::this_thread::sleep_for(Millis(10));
    return honest();
  });
  const Status status = Get();
  *over = true;
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(status.message(), EndsWith("not done in its time, or too slow"));
}

TEST_F(S3ObjectsTest, NobodyListeningIsUnavailable) {
  S3Options options = Options();
  {
    FakeS3 gone;
    options.endpoint = gone.Url();
  }
  const auto objects = OpenS3Objects(options);
  EXPECT_THAT(objects, HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(objects.status().message(), "bucket bucket at 127.0.0.1: no connection");
}

// ---- Lies about Put.

TEST_F(S3ObjectsTest, AStoredObjectThatIsNotThereIsNoticed) {
  s3_.fault = First(1, "PUT", {});
  const Status status = Put(1'000);
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(status.message(), EndsWith("said that it stored an object, and does not have it"));
}

TEST_F(S3ObjectsTest, AStoredObjectThatIsAnotherIsNoticedAndRemoved) {
  for (const std::size_t size : {std::size_t{1'000}, kLarge}) {
    for (const bool cut : {true, false}) {
      s3_.fault = Whenever("PUT", [&](const FakeS3Request& request, const auto&) {
        std::string bytes = request.body;
        if (cut) bytes.pop_back();
        if (!cut) bytes[size / 2] ^= 1;
        s3_.Store(request.path, bytes);
        return FakeS3Reply{};
      });
      EXPECT_THAT(Put(size), HasCode(StatusCode::kUnavailable));
      EXPECT_THAT(s3_.objects(), IsEmpty());
    }
  }
}

TEST_F(S3ObjectsTest, AnEtagThatIsNoMd5IsNotComparedWithOne) {
  const auto with = [&](const std::string& etag, const std::string& more) {
    s3_.fault = Whenever("HEAD", [=](const auto&, const auto& honest) {
      FakeS3Reply reply = honest();
      const std::size_t at = reply.headers.find("ETag");
      if (at == reply.headers.npos) return reply;
      reply.headers.replace(at, reply.headers.find('\n', at) + 1 - at, "");
      reply.headers += (etag.empty() ? "" : "ETag: " + etag + "\r\n") + more;
      return reply;
    });
    Status status = Put(1'000);
    if (status.ok()) {
      EXPECT_THAT(Remove(), IsOk());
    }
    return status;
  };
  const std::string other(32, 'a');
  EXPECT_THAT(with("\"" + other + "\"", ""), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(with(other, ""), HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(with("\"" + other + "\"", "x-amz-server-side-encryption: AES256\r\n"),
              HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(with("", ""), IsOk());
  EXPECT_THAT(with("\"" + other + "-1\"", ""), IsOk());
  EXPECT_THAT(with("W/\"" + other + "\"", ""), IsOk());
  EXPECT_THAT(with("\"" + other + "\"", "x-amz-server-side-encryption: aws:kms\r\n"), IsOk());
  EXPECT_THAT(
      with("\"" + other + "\"", "x-amz-server-side-encryption-customer-algorithm: AES256\r\n"),
      IsOk());
  S3Options options = Options();
  options.etags_are_md5 = false;
  objects_ = *OpenS3Objects(options);
  EXPECT_THAT(with("\"" + other + "\"", ""), IsOk());
}

TEST_F(S3ObjectsTest, WithoutAnEtagTheLengthIsCompared) {
  for (const bool cut : {true, false}) {
    s3_.fault = [&](const FakeS3Request& request,
                    const auto& honest) -> std::optional<FakeS3Reply> {
      if (!request.Is("HEAD") || Puts() == 0) return std::nullopt;
      FakeS3Reply reply = honest();
      if (reply.body.empty() || reply.status != "200 OK") return reply;
      // Less of it, or all of it without what it carries.
      if (cut) reply.body.pop_back();
      reply.headers = cut ? "x-amz-meta-lethe-size: 1000\r\n" : "";
      return reply;
    };
    EXPECT_THAT(Put(1'000), HasCode(StatusCode::kUnavailable));
    EXPECT_THAT(s3_.objects(), IsEmpty());
  }
}

TEST_F(S3ObjectsTest, AnErrorBehind200IsAnError) {
  FakeS3Reply error = kInternal;
  error.status = "200 OK";
  s3_.fault = First(1, "PUT", error);
  EXPECT_THAT(Put(1'000), IsOk());
  EXPECT_EQ(Puts(), 2);
  s3_.fault = First(1, "DELETE", error);
  EXPECT_THAT(Remove(), IsOk());
  s3_.fault = First(kAlways, "PUT", error);
  const Status status = Put(kLarge);
  EXPECT_THAT(status, HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(status.message(), EndsWith("HTTP 200 InternalError"));
}

TEST_F(S3ObjectsTest, AnAnswerThatIsLostIsLookedFor) {
  // Stored, and the connection ends: the next attempt is told that the name is taken.
  for (const std::size_t size : {std::size_t{1'000}, kLarge}) {
    s3_.fault = Whenever("PUT", [&](const auto&, const auto& honest) {
      (void)honest();
      return kHangUp;
    });
    EXPECT_THAT(Put(size), IsOk()) << size;
    EXPECT_TRUE(s3_.objects()[kPath].bytes == bytes_.substr(0, size));
    EXPECT_THAT(Remove(), IsOk());
  }
}

TEST_F(S3ObjectsTest, APutThatIsCutOffLeavesNothing) {
  for (const std::size_t size : {std::size_t{1'000}, kLarge}) {
    for (const bool keeps : {false, true}) {
      s3_.fault_before_body = [&](const FakeS3Request& request, const auto&) {
        if (keeps) s3_.Store(request.path, bytes_.substr(0, 500));
        return FakeS3Reply{.most = 0, .reads_first = 500};
      };
      EXPECT_THAT(Put(size), HasCode(StatusCode::kUnavailable)) << size;
      // Also on a server that stores the half of a body.
      EXPECT_THAT(s3_.objects(), IsEmpty()) << size;
    }
  }
}

TEST_F(S3ObjectsTest, ASourceThatFailsLeavesNothingEvenOnAServerThatKeepsHalves) {
  std::atomic<bool> stored = false;
  s3_.fault = Whenever("HEAD", [&](const FakeS3Request& request, const auto& honest) {
    // Behind the Put.
    if (Puts() > 0 && !stored.exchange(true)) s3_.Store(request.path, "half");
    return honest();
  });
  std::size_t given = 0;
  EXPECT_THAT(Objects().Put(kName, kLarge,
                            [&](std::span<char> block) -> Result<std::size_t> {
                              if (given > kLarge / 2) return DataLoss("of the source");
                              given += block.size();
                              return block.size();
                            }),
              HasCode(StatusCode::kDataLoss));
  EXPECT_TRUE(stored);
  EXPECT_THAT(s3_.objects(), IsEmpty());
}

// ---- Names that are taken.

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

// ---- Get.

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

// ---- Lies about Remove.

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

// ---- What answers mean.

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

// ---- List.

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

// ---- Opening.

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

// ---- What is sent.

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
