// Goal:   an object that Put() acknowledged is there, whatever a server says. Method: a server in
//         memory that lies in one way in each test; what it holds afterwards, and what it was
//         asked. Behaving servers: objects_contract_test.cc.

#include "store/s3_objects.h"

#include <atomic>

#include <gmock/gmock.h>

#include "tests/support/s3_objects_fixture.h"

namespace lethe {
namespace {

using ::testing::EndsWith;
using ::testing::IsEmpty;

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

}  // namespace
}  // namespace lethe
