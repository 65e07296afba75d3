// Goal:   a callback is the contract's form, byte for byte, tells whether to try again, and is
// signed so
//         that its receiver can check it; posting obeys the same rules as fetching.
// Method: a receiver on loopback that answers as each test says; a clock that stands.

#include "outbound/callback.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "base/mutex.h"
#include "outbound/internal/test_fetch.h"
#include "tests/support/test_server.h"

namespace lethe {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kAccepted = R"({"code":0,"message":"success"})";

struct Answer {
  std::string status = "200 OK";
  std::string body = kAccepted;
};

class Receiver {
 public:
  explicit Receiver(Answer answer) : answer_(std::move(answer)) {}

  std::vector<std::string> requests() {
    const MutexLock lock(mutex_);
    return requests_;
  }
  const TestServer& server() const { return server_; }

 private:
  void Serve(TestConnection& connection) {
    std::string request = connection.ReadRequest();
    {
      const MutexLock lock(mutex_);
      requests_.push_back(std::move(request));
    }
    connection.Answer(answer_.status, "Content-Type: application/json\r\n", answer_.body);
  }

  const Answer answer_;
  Mutex mutex_;
  std::vector<std::string> requests_ GUARDED_BY(mutex_);
  TestServer server_{[this](TestConnection& connection) { Serve(connection); }};
};

CallbackFields Fields() {
  return {.task_id = 18'446'744'073'709'551'615U,
          .app_id = 1'250'000'000,
          .audio_url = "https://h.example/a b.wav?sign=1&x=2",
          .text = "[0:0.000,0:8.420]  It's \xe8\x85\xbe.\n",
          .result_detail = R"([{"StartMs":0}])",
          .audio_seconds = 8.42};
}

constexpr const char* kForm =
    "code=0&message=&requestId=18446744073709551615&appid=1250000000&projectid=0"
    "&audioUrl=https%3A%2F%2Fh.example%2Fa%20b.wav%3Fsign%3D1%26x%3D2"
    "&text=%5B0%3A0.000%2C0%3A8.420%5D%20%20It%27s%20%E8%85%BE.%0A"
    "&resultDetail=%5B%7B%22StartMs%22%3A0%7D%5D&audioTime=8.420000";

class CallbackTest : public ::testing::Test {
 protected:
  CallbackOutcome Send(Receiver& receiver, std::string_view key = "") {
    return sender_.Send(receiver.server().Url("/done?token=s3cr3t"), Fields(), key);
  }

  OutboundClient client_{RulesAllowing({"127.0.0.1/32"})};
  ManualClock clock_{WallTime(Millis(1'790'000'000'999))};
  CallbackSender sender_{client_, clock_};
};

TEST(CallbackFormTest, FieldsComeInTheContractsOrder) { EXPECT_EQ(FormEncode(Fields()), kForm); }

TEST(CallbackFormTest, WhatThereIsNotIsLeftOut) {
  EXPECT_EQ(FormEncode({.code = 10'007, .message = "a&b=c", .task_id = 7, .app_id = 8}),
            "code=10007&message=a%26b%3Dc&requestId=7&appid=8&projectid=0&text="
            "&audioTime=0.000000");
}

TEST(CallbackFormTest, TheSignatureIsTheHmacOfTimeAndBody) {
  // printf '1790000000.%s' 'a=b' | openssl dgst -sha256 -hmac key
  EXPECT_EQ(SignCallback("key", WallTime(Millis(1'790'000'000'999)), "a=b"),
            "t=1790000000,v1=838fa19dcd37c9f8c372d42dc2d06ea99b5e0d288bfdcb1615078e21a67dbc78");
}

TEST_F(CallbackTest, AcceptedIsDelivered) {
  Receiver receiver(Answer{});
  const auto outcome = Send(receiver);
  EXPECT_TRUE(outcome.delivered) << outcome.reason;
  EXPECT_FALSE(outcome.may_try_again);
  EXPECT_EQ(outcome.reason, "");
  ASSERT_THAT(receiver.requests(), SizeIs(1));
  EXPECT_EQ(receiver.requests()[0], "POST /done?token=s3cr3t HTTP/1.1\r\nHost: 127.0.0.1:" +
                                        std::to_string(receiver.server().port()) +
                                        "\r\nUser-Agent: Lethe\r\nAccept: */*\r\nContent-Type: "
                                        "application/x-www-form-urlencoded\r\nContent-Length: " +
                                        std::to_string(std::string(kForm).size()) + "\r\n\r\n" +
                                        kForm);
}

TEST_F(CallbackTest, WithAKeyItIsSigned) {
  Receiver receiver(Answer{});
  EXPECT_TRUE(Send(receiver, "of the application").delivered);
  ASSERT_THAT(receiver.requests(), SizeIs(1));
  EXPECT_THAT(receiver.requests()[0],
              AllOf(HasSubstr("\r\nX-Lethe-Signature: " +
                              SignCallback("of the application", clock_.Now(), kForm) + "\r\n"),
                    HasSubstr("\r\nX-Lethe-Signature: t=1790000000,v1="), EndsWith(kForm)));
}

TEST_F(CallbackTest, WhatIsNotAcceptedMayBeTriedAgain) {
  for (const Answer& answer :
       std::vector<Answer>{{.status = "500 Oops"},
                           {.status = "404 Not Found"},
                           {.status = "201 Created"},
                           {.status = "302 Found"},
                           {.body = R"({"code":1})"},
                           {.body = R"({"code":"0"})"},
                           {.body = R"({"code":0.0})"},
                           {.body = R"({"message":"ok"})"},
                           {.body = "[0]"},
                           {.body = "0"},
                           {.body = "ok"},
                           {.body = ""},
                           {.body = std::string(60'000, '[')},
                           {.body = std::string(kMaxAnswerBytes + 1, ' ')}}) {
    Receiver receiver(answer);
    const auto outcome = Send(receiver);
    EXPECT_FALSE(outcome.delivered) << answer.status << answer.body.substr(0, 80);
    EXPECT_TRUE(outcome.may_try_again) << answer.status << answer.body.substr(0, 80);
    EXPECT_THAT(receiver.requests(), SizeIs(1));
  }
}

TEST_F(CallbackTest, ReasonIsWithoutContent) {
  Receiver receiver(Answer{.status = "500 Oops", .body = "private"});
  EXPECT_EQ(Send(receiver).reason, "receiver answered HTTP 500");
}

TEST_F(CallbackTest, WhatTheRulesRefuseIsNotTriedAgain) {
  const auto refused = sender_.Send("http://169.254.169.254/?token=s3cr3t", Fields(), "");
  EXPECT_FALSE(refused.delivered);
  EXPECT_FALSE(refused.may_try_again);
  EXPECT_THAT(refused.reason, AllOf(StartsWith("169.254.169.254: "), Not(HasSubstr("s3cr3t"))));
  EXPECT_FALSE(sender_.Send("ftp://h.example/", Fields(), "").may_try_again);
}

TEST_F(CallbackTest, CancellingEndsIt) {
  const TestServer silent([](TestConnection& connection) {
    connection.ReadRequest();
    connection.WaitUntilTheOtherEndCloses();
  });
  CallbackSender patient(client_, clock_, {.total_time = Millis(3'600'000)});
  const auto outcome =
      patient.Send(silent.Url("/"), Fields(), "", [&] { return silent.num_connections() > 0; });
  EXPECT_FALSE(outcome.delivered);
  EXPECT_FALSE(outcome.may_try_again);
}

TEST_F(CallbackTest, PostGivesTheAnswerWhateverItsStatusAndFollowsNothing) {
  const TestServer server([](TestConnection& connection) {
    connection.ReadRequest();
    connection.Answer("307 Temporary Redirect", "Location: /elsewhere\r\n", "there");
  });
  const auto answer = client_.Post(server.Url("/"), "text/plain", "", {{"X-A", "b"}}, {});
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->status, 307);
  EXPECT_EQ(answer->body, "there");
  EXPECT_EQ(server.num_connections(), 1);
}

TEST_F(CallbackTest, AHeaderCannotBringAnother) {
  Receiver receiver(Answer{});
  const std::string url = receiver.server().Url("/");
  for (const auto& [name, value] : HttpHeaders{{"X-A", "b\r\nX-C: d"},
                                               {"X-A", "b\nX-C: d"},
                                               {"X-A", std::string("b\0c", 3)},
                                               {"X-A", ""},
                                               {"", "b"},
                                               {"X-A: b\r\nX-C", "d"},
                                               {"X A", "b"}}) {
    EXPECT_EQ(client_.Post(url, "text/plain", "x", {{name, value}}, {}).status().code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(client_.Post(url, "text/plain\r\nX-C: d", "x", {}, {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_THAT(receiver.requests(), SizeIs(0));
}

}  // namespace
}  // namespace lethe
