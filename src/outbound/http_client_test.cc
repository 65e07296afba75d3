// Goal:   what a server sends arrives, within the limits; whatever a server does wrong is an error
//         that says what happened and shows nothing of the URL's query.
// Method: servers on loopback that misbehave in one way each, with short limits; no test looks at a
//         clock.

#include "outbound/http_client.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "outbound/internal/test_fetch.h"
#include "tests/support/test_server.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::Le;

TestServer::Handler Sends(std::string bytes) {
  return [bytes = std::move(bytes)](TestConnection& connection) {
    connection.ReadRequest();
    connection.Send(bytes);
  };
}

TestServer::Handler SendsAndWaits(std::string bytes) {
  return [bytes = std::move(bytes)](TestConnection& connection) {
    connection.ReadRequest();
    connection.Send(bytes);
    connection.WaitUntilTheOtherEndCloses();
  };
}

// Until the other end closes.
TestServer::Handler SendsForever(const std::string& begin, const std::string& again,
                                 Millis pause = Millis(0)) {
  return [=](TestConnection& connection) {
    connection.ReadRequest();
    connection.Send(begin);
    while (connection.Send(again)) std::this_thread::sleep_for(pause);
  };
}

class HttpClientTest : public ::testing::Test {
 protected:
  Fetched Fetch(const TestServer& server, const FetchLimits& limits = {}) {
    return FetchAll(client_, server.Url(std::string("/a") + kSecretQuery), limits);
  }

  OutboundClient client_{RulesAllowing({"127.0.0.1/32"})};
};

TEST_F(HttpClientTest, TheRequestHoldsNothingButWhatItNeeds) {
  std::string request;
  const TestServer server([&](TestConnection& connection) {
    request = connection.ReadRequest();
    connection.Answer("200 OK", "", "samples");
  });
  const auto fetched = Fetch(server);
  ASSERT_TRUE(fetched.status.ok()) << fetched.message();
  EXPECT_EQ(fetched.body, "samples");
  EXPECT_EQ(request,
            "GET /a?sign=s3cr3t HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nUser-Agent: Lethe\r\nAccept: */*\r\n\r\n");
}

TEST_F(HttpClientTest, ABodyMayBeChunkedOrEndWithTheConnectionOrBeEmpty) {
  const TestServer chunked(Sends(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"));
  EXPECT_EQ(Fetch(chunked).body, "abcde");
  const TestServer until_the_end(Sends("HTTP/1.0 200 OK\r\n\r\nabcde"));
  EXPECT_EQ(Fetch(until_the_end).body, "abcde");
  const TestServer empty(Sends("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_TRUE(Fetch(empty).status.ok());
  const TestServer interim(
      Sends("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
  EXPECT_EQ(Fetch(interim).body, "x");
}

TEST_F(HttpClientTest, CompressedBytesStayCompressed) {
  const TestServer server(
      Sends("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8bz"));
  EXPECT_EQ(Fetch(server).body, "\x1f\x8bz");
}

TEST_F(HttpClientTest, OtherStatusesAreErrorsWithTheirNumberAndNoBody) {
  for (const auto& [line, code] : std::vector<std::pair<std::string, StatusCode>>{
           {"304 Not Modified", StatusCode::kNotFound},
           {"403 Forbidden", StatusCode::kNotFound},
           {"404 Not Found", StatusCode::kNotFound},
           {"429 Too Many Requests", StatusCode::kUnavailable},
           {"500 Oops", StatusCode::kUnavailable},
           {"503 Busy", StatusCode::kUnavailable}}) {
    // The length is a lie that would be too long; the status is what counts.
    const TestServer server(
        SendsAndWaits("HTTP/1.1 " + line + "\r\nContent-Length: 99999999\r\n\r\nsorry"));
    const auto fetched = Fetch(server, {.max_bytes = 10});
    EXPECT_EQ(fetched.code(), code) << line;
    EXPECT_EQ(fetched.message(), "127.0.0.1: HTTP " + line.substr(0, 3));
    EXPECT_EQ(fetched.body, "");
  }
}

TEST_F(HttpClientTest, AnAnnouncedLengthBeyondTheLimitIsRefusedBeforeTheBody) {
  const TestServer server(SendsAndWaits("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"));
  const auto fetched = Fetch(server, {.max_bytes = 10});
  EXPECT_EQ(fetched.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(fetched.message(), "127.0.0.1: answers with more than 10 bytes");
}

TEST_F(HttpClientTest, ABodyOfUnknownLengthIsCounted) {
  for (const auto& [begin, again] : std::vector<std::pair<std::string, std::string>>{
           {"HTTP/1.1 200 OK\r\n\r\n", "0123456789"},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "a\r\n0123456789\r\n"}}) {
    const TestServer server(SendsForever(begin, again));
    const auto fetched = Fetch(server, {.max_bytes = 100'000});
    EXPECT_EQ(fetched.code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(fetched.body.size(), Le(100'000));
  }
  const TestServer exact(Sends("HTTP/1.1 200 OK\r\n\r\n0123456789"));
  EXPECT_TRUE(Fetch(exact, {.max_bytes = 10}).status.ok());
  EXPECT_FALSE(Fetch(exact, {.max_bytes = 9}).status.ok());
}

TEST_F(HttpClientTest, AnEndInTheMiddleIsAnError) {
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabc"}) {
    const TestServer server(Sends(answer));
    const auto fetched = Fetch(server);
    EXPECT_EQ(fetched.code(), StatusCode::kUnavailable) << answer;
    EXPECT_EQ(fetched.message(), "127.0.0.1: the connection ended in the middle") << answer;
  }
}

TEST_F(HttpClientTest, WhatIsNoHttpIsAnError) {
  for (const char* answer : {"samples without a head", "SSH-2.0-OpenSSH_9.2\r\n",
                             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"}) {
    const TestServer server(Sends(answer));
    EXPECT_EQ(Fetch(server).code(), StatusCode::kUnavailable) << answer;
  }
}

TEST_F(HttpClientTest, EndlessHeadersAreCutOff) {
  const TestServer headers(SendsForever("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n"));
  EXPECT_EQ(Fetch(headers).code(), StatusCode::kResourceExhausted);
  const TestServer one_line(SendsForever("HTTP/1.1 200 OK\r\nX-More: ", "and more"));
  EXPECT_FALSE(Fetch(one_line).status.ok());
  const TestServer interim(SendsForever("", "HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_EQ(Fetch(interim).code(), StatusCode::kResourceExhausted);
  const TestServer trailers(
      SendsForever("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
                   "X-More: and more\r\n"));
  EXPECT_FALSE(Fetch(trailers).status.ok());
}

TEST_F(HttpClientTest, AServerThatTricklesIsGivenUp) {
  const FetchLimits limits{.idle_time = Millis(200), .min_bytes_per_second = 2000};
  const TestServer silent(SendsAndWaits(""));
  const TestServer stalls(SendsAndWaits("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"));
  const TestServer trickles(
      SendsForever("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", "x", Millis(20)));
  for (const TestServer* server : {&silent, &stalls, &trickles}) {
    const auto fetched = Fetch(*server, limits);
    EXPECT_EQ(fetched.code(), StatusCode::kUnavailable);
    EXPECT_EQ(fetched.message(), "127.0.0.1: sends less than 2000 bytes a second");
  }
}

TEST_F(HttpClientTest, TheTimeOfTheSinkIsNotTheServers) {
  std::atomic<bool> taken = false;
  const TestServer server([&](TestConnection& connection) {
    connection.ReadRequest();
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    while (!taken) std::this_thread::sleep_for(Millis(1));
    std::this_thread::sleep_for(Millis(50));  // so that the client looks at the time
    connection.Send("def");
  });
  // A sink slower than idle_time.
  const Status status =
      client_.Fetch(server.Url("/"), {.idle_time = Millis(500), .min_bytes_per_second = 100'000},
                    [&](std::span<const std::byte>) {
                      if (!taken) std::this_thread::sleep_for(Millis(600));
                      taken = true;
                      return OkStatus();
                    });
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(HttpClientTest, TheWholeCallHasATimeToo) {
  const TestServer server(SendsForever("HTTP/1.1 200 OK\r\n\r\n", "0123456789", Millis(1)));
  const auto fetched = Fetch(server, {.total_time = Millis(200)});
  EXPECT_EQ(fetched.code(), StatusCode::kUnavailable);
  EXPECT_EQ(fetched.message(), "127.0.0.1: not done in its time");
}

TEST_F(HttpClientTest, NobodyListeningAndUnknownNamesAreUnavailable) {
  std::string url;
  {
    const TestServer gone(Sends(""));
    url = gone.Url("/");
  }
  const auto nobody = FetchAll(client_, url);
  EXPECT_EQ(nobody.code(), StatusCode::kUnavailable);
  EXPECT_EQ(nobody.message(), "127.0.0.1: no connection");
  // RFC 6761: no such name exists. Without a network the resolver says so in other words, or late.
  const auto unknown =
      FetchAll(client_, "http://nobody.invalid/?s3cr3t", {.connect_time = Millis(2000)});
  EXPECT_EQ(unknown.code(), StatusCode::kUnavailable);
}

TEST_F(HttpClientTest, TheSinkMayRefuse) {
  const TestServer server(SendsForever("HTTP/1.1 200 OK\r\n\r\n", "0123456789"));
  const Status status = client_.Fetch(
      server.Url("/"), {}, [](std::span<const std::byte>) { return DataLoss("of the sink"); });
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "of the sink");
}

TEST_F(HttpClientTest, TheCallerMayGiveUp) {
  std::atomic<bool> answered = false;
  const TestServer server([&](TestConnection& connection) {
    connection.ReadRequest();
    answered = connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    connection.WaitUntilTheOtherEndCloses();
  });
  EXPECT_EQ(Fetch(server, {.cancelled = [&] { return answered.load(); }}).code(),
            StatusCode::kCancelled);
}

TEST_F(HttpClientTest, StopEndsWhatRunsAndRefusesWhatComes) {
  std::atomic<bool> begun = false;
  const TestServer server([&](TestConnection& connection) {
    connection.ReadRequest();
    begun = true;
    connection.WaitUntilTheOtherEndCloses();
  });
  Status status;
  std::thread caller([&] { status = Fetch(server).status; });
  while (!begun) std::this_thread::yield();
  client_.Stop();
  caller.join();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(Fetch(server).code(), StatusCode::kCancelled);
  EXPECT_EQ(client_.Post(server.Url("/"), "a/b", "", {}, {}).status().code(),
            StatusCode::kCancelled);
  EXPECT_EQ(server.num_connections(), 1);
}

TEST(HttpClientConcurrencyTest, NoMoreCallsThanAllowedAreUnderWay) {
  constexpr int kAllowed = 3;
  std::atomic<int> now = 0, most = 0;
  const TestServer server([&](TestConnection& connection) {
    connection.ReadRequest();
    const int here = ++now;
    for (int seen = most; seen < here && !most.compare_exchange_weak(seen, here);) {
    }
    std::this_thread::sleep_for(Millis(10));
    --now;  // before the answer, after which the next one may come
    connection.Answer("200 OK", "", "x");
  });
  OutboundClient client(RulesAllowing({"127.0.0.1/32"}), {.max_concurrent = kAllowed});
  std::vector<std::thread> callers;
  for (int i = 0; i < 12; ++i) {
    callers.emplace_back([&] { EXPECT_EQ(FetchAll(client, server.Url("/")).body, "x"); });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(most.load(), Le(kAllowed));
}

TEST(HttpClientConcurrencyTest, WaitingForATurnEndsWithTheCallsTime) {
  std::atomic<bool> begun = false, over = false;
  const TestServer server([&](TestConnection& connection) {
    connection.ReadRequest();
    begun = true;
    connection.WaitUntilTheOtherEndCloses();
  });
  OutboundClient client(RulesAllowing({"127.0.0.1/32"}), {.max_concurrent = 1});
  std::thread first(
      [&] { FetchAll(client, server.Url("/"), {.cancelled = [&] { return over.load(); }}); });
  while (!begun) std::this_thread::yield();
  const auto late = FetchAll(client, server.Url("/"), {.total_time = Millis(50)});
  EXPECT_EQ(late.code(), StatusCode::kUnavailable);
  EXPECT_THAT(late.message(), HasSubstr("under way: 1"));
  EXPECT_EQ(FetchAll(client, server.Url("/"), {.cancelled = [] { return true; }}).code(),
            StatusCode::kCancelled);
  over = true;
  first.join();
}

}  // namespace
}  // namespace lethe
