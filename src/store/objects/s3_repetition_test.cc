// Goal:   requests are repeated where that is safe and nowhere else, and none for ever. Method: a
//         server in memory that is busy, slow or hangs up; what it was asked.

#include <atomic>

#include <gmock/gmock.h>

#include "tests/support/s3_objects_fixture.h"

namespace lethe {
namespace {

using ::testing::EndsWith;
using ::testing::IsEmpty;

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

}  // namespace
}  // namespace lethe
