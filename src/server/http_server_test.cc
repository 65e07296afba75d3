// Goal: requests come to their handlers as they were sent, and no client can hold, fill or stop the
// server: broken, slow, huge and silent ones get a clear answer or a closed connection. Method:
// real sockets on loopback, raw bytes.

#include "server/http_server.h"

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <zlib.h>

#include <gmock/gmock.h>

#include "tests/support/test_certificate.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Awaitable<HttpResponse> Echo(const HttpRequest& request) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = request.method + " " + request.path + " [" + request.query + "] " + request.body;
  co_return response;
}

Awaitable<HttpResponse> CountDown(const HttpRequest&) {
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.stream = [](BodyWriter& writer) -> Awaitable<void> {
    for (const char* piece : {"three ", "two ", "one"}) {
      const bool there = co_await writer.Write(piece);
      if (!there) co_return;
    }
  };
  co_return response;
}

Awaitable<void> EchoMessages(const HttpRequest& request, WebSocket& socket) {
  const bool there = co_await socket.Send("hello " + request.query);
  if (!there) co_return;
  while (true) {
    const auto message = co_await socket.Read();
    if (!message) co_return;
    const std::string answer =
        message->binary ? std::to_string(message->data.size()) : message->data;
    if (message->data == "end") break;
    const bool still = co_await socket.Send(answer);
    if (!still) co_return;
  }
  co_await socket.Close(1000, "bye");
}

// What a head's query says of it: "no", "throw", an application's number, or nothing of a stranger.
Awaitable<HeadVerdict> JudgeByQuery(const HttpRequest& request) {
  EXPECT_EQ(request.body, "");
  if (request.query == "throw") throw std::bad_alloc();
  if (request.query == "no") co_return HeadVerdict{.refusal = HttpResponse{.status = 401}};
  if (request.query == "less") co_return HeadVerdict{.max_body = 20'000};
  co_return HeadVerdict{.app_id = std::strtoull(request.query.c_str(), nullptr, 10)};
}

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() { Start({}); }

  void Start(HttpServerOptions options) {
    server_.reset();
    options.listen = {ListenAddress{}};
    if (!options.tls_key.empty()) options.listen[0].tls = true;
    Router router;
    router.Add({.method = "POST", .path = "/echo", .max_body = 1'000'000, .http = Echo});
    router.Add({.method = "POST",
                .path = "/judged",
                .max_body = 1'000'000,
                .http = Echo,
                .head = JudgeByQuery});
    router.Add({.method = "GET", .path = "/under/*", .http = Echo});
    router.Add({.method = "GET", .path = "/count", .http = CountDown});
    router.Add(
        {.method = "POST", .path = "/shared", .cross_origin = true, .max_body = 100, .http = Echo});
    router.Add(
        {.method = "GET", .path = "/socket/*", .websocket = EchoMessages, .max_message = 100'000});
    router.Add({.method = "GET",
                .path = "/asked",
                .upgrade = [](const HttpRequest& request) -> Awaitable<Upgrade> {
                  if (request.query == "throw") throw std::bad_alloc();
                  Upgrade upgrade{.subprotocol = "second",
                                  .refusal = {.status = 401, .body = "no"}};
                  if (request.query == "yes") upgrade.websocket = EchoMessages;
                  co_return upgrade;
                }});
    router.Add({.method = "GET",
                .path = "/throws",
                .http = [](const HttpRequest&) -> Awaitable<HttpResponse> {
                  throw std::bad_alloc();
                  co_return HttpResponse();
                }});
    auto started = HttpServer::Start(options, std::move(router));
    ASSERT_TRUE(started.ok()) << started.status().message();
    server_ = *std::move(started);
  }

  tcp::socket Connect() {
    tcp::socket socket(io_);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), server_->ports().at(0)));
    return socket;
  }

  // Sends bytes and reads until the server closes.
  std::string Exchange(const std::string& bytes) {
    tcp::socket socket = Connect();
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    return ReadAll(socket);
  }

  static std::string ReadAll(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }

  asio::io_context io_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, PathQueryAndBodyArriveAsSent) {
  const std::string answer = Exchange(
      "POST /echo?a=\xe8\x85\xbe|1,b+c&d=%20 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
      "Content-Length: 5\r\n\r\nhello");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("POST /echo [a=\xe8\x85\xbe|1,b+c&d=%20] hello"));
}

TEST_F(HttpServerTest, ChunkedBodiesAndPipelinedRequestsAreUnderstood) {
  const std::string answer = Exchange(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
      "GET /under/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("POST /echo [] abc"));
  EXPECT_THAT(answer, HasSubstr("GET /under/x [] "));
}

TEST_F(HttpServerTest, ExpectedContinueIsGiven) {
  tcp::socket socket = Connect();
  asio::write(socket,
              asio::buffer(std::string("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                       "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")));
  std::string first(25, ' ');
  asio::read(socket, asio::buffer(first));
  EXPECT_THAT(first, StartsWith("HTTP/1.1 100 Continue"));
  asio::write(socket, asio::buffer(std::string("ok")));
  EXPECT_THAT(ReadAll(socket), HasSubstr("POST /echo [] ok"));
}

TEST_F(HttpServerTest, HeadHasTheHeaderAlone) {
  const std::string answer =
      Exchange("HEAD /under/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 17"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, AnswersCanBeToldPieceByPiece) {
  const std::string answer =
      Exchange("GET /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(answer, HasSubstr("6\r\nthree \r\n4\r\ntwo \r\n3\r\none\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, OldClientsAreToldWithoutChunks) {
  const std::string answer = Exchange("GET /count HTTP/1.0\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.0 200"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("chunked")));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nthree two one")) << answer;
  // Nor do they know that they may go on.
  EXPECT_THAT(Exchange("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"),
              StartsWith("HTTP/1.0 200"));
}

TEST_F(HttpServerTest, TargetsMayBeWholeUrlsAndBeginWithTwoSlashes) {
  const std::string rest = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (const char* target : {"/under/a?b", "http://x:1/under/a?b", "https://x/under/a?b",
                             "//under/a?b", "http://x//under/a?b"}) {
    EXPECT_THAT(Exchange("GET " + std::string(target) + rest), HasSubstr("GET /under/a [b]"))
        << target;
  }
  EXPECT_THAT(Exchange("GET http://x" + rest), StartsWith("HTTP/1.1 404"));
}

// As zlib makes it; 31 is gzip, 15 is what HTTP calls deflate.
std::string Packed(std::string text, int window) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string PostOf(const std::string& coding, const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: " + coding +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(HttpServerTest, ACompressedBodyIsUnpacked) {
  constexpr int kGzip = 31, kDeflate = 15;
  std::string text;
  for (int i = 0; text.size() < 900'000; ++i) text += std::to_string(i * 7919);
  for (const auto& [coding, body] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", Packed(text, kGzip)},
           {"x-gzip", Packed(text, kGzip)},
           {"GZIP", Packed(text.substr(0, 500'000), kGzip) + Packed(text.substr(500'000), kGzip)},
           {"deflate", Packed(text, kDeflate)},
           {"identity", text}}) {
    const std::string answer = Exchange(PostOf(coding, body));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200")) << coding;
    EXPECT_TRUE(answer.ends_with("POST /echo [] " + text)) << coding;
  }
  EXPECT_THAT(Exchange(PostOf("gzip", "")), HasSubstr("POST /echo [] "));
  EXPECT_THAT(Exchange(PostOf("gzip", Packed("", kGzip))), HasSubstr("POST /echo [] "));
}

TEST_F(HttpServerTest, ACompressedBodyThatIsNoneOrCutIsRefused) {
  const std::string packed = Packed(std::string(1'000, 'x'), 31);
  for (const auto& [coding, body] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", "x"},
           {"gzip", packed.substr(0, packed.size() - 1)},
           {"gzip", packed + "x"},
           {"deflate", packed},
           {"deflate", Packed("abc", 15) + "x"}}) {
    EXPECT_THAT(Exchange(PostOf(coding, body)), StartsWith("HTTP/1.1 400")) << coding;
  }
}

TEST_F(HttpServerTest, WhatBecomesTooLargeOnceUnpackedIsRefused) {
  const std::string packed = Packed(std::string(8'000'000, 'x'), 31);
  ASSERT_LT(packed.size(), 20'000U);
  EXPECT_THAT(Exchange(PostOf("gzip", packed)), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Exchange(PostOf("gzip", Packed(std::string(1'000'001, 'x'), 31))),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Exchange(PostOf("gzip", Packed(std::string(1'000'000, 'x'), 31))),
              StartsWith("HTTP/1.1 200"));
  // It takes of the memory that all bodies share.
  HttpServerOptions options;
  options.max_body_memory = 500'000;
  Start(options);
  EXPECT_THAT(Exchange(PostOf("gzip", Packed(std::string(600'000, 'x'), 31))),
              StartsWith("HTTP/1.1 503"));
}

TEST_F(HttpServerTest, AnotherCodingIsRefusedWithThoseThatAreRead) {
  for (const char* coding : {"br", "gzip, gzip", "gzip\r\nContent-Encoding: gzip"}) {
    const std::string answer = Exchange(PostOf(coding, "x"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 415")) << coding;
    EXPECT_THAT(answer, HasSubstr("\r\nAccept-Encoding: gzip, deflate\r\n")) << coding;
  }
}

TEST_F(HttpServerTest, ARequestNamesOneHost) {
  const auto ask = [&](const std::string& version, const std::string& hosts) {
    return Exchange("GET /under/a HTTP/" + version + "\r\n" + hosts + "Connection: close\r\n\r\n");
  };
  for (const char* host :
       {"x", "", "x:80", "x:", "127.0.0.1:8080", "[::1]", "[::1]:80", "a_b.c-d", "a%20b"}) {
    EXPECT_THAT(ask("1.1", "Host: " + std::string(host) + "\r\n"), StartsWith("HTTP/1.1 200"))
        << host;
  }
  EXPECT_THAT(ask("1.0", ""), StartsWith("HTTP/1.0 200"));
  EXPECT_THAT(ask("1.1", ""), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("1.1", "Host: x\r\nHost: x\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("1.0", "Host: x\r\nHost: y\r\n"), StartsWith("HTTP/1.0 400"));
  for (const char* host :
       {"x y", "x/y", "u@x", "x:80a", "x:80:90", "[::1", "[]", "[::1]80", "\xc3\xa9", "http://x"}) {
    EXPECT_THAT(ask("1.1", "Host: " + std::string(host) + "\r\n"), StartsWith("HTTP/1.1 400"))
        << host;
  }
}

TEST_F(HttpServerTest, PagesOfOtherOriginsMayReadWhatIsForThemWhereTheyAreNamed) {
  const auto ask = [&](const std::string& method, const std::string& path,
                       const std::string& more) {
    return Exchange(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more +
                    (method == "POST" ? "Content-Length: 1\r\n\r\nx" : "\r\n"));
  };
  const std::string from = "Origin: https://a.example\r\n";
  const std::string preflight =
      from +
      "Access-Control-Request-Method: POST\r\n"
      "Access-Control-Request-Headers: authorization, X-Lethe-Console\r\n";
  const std::string allowed = "Access-Control-Allow-Origin: https://a.example\r\n";
  EXPECT_THAT(ask("POST", "/shared", from), testing::Not(HasSubstr("Access-Control")));

  Start({.cors_origins = {"https://a.example"}});
  EXPECT_THAT(ask("POST", "/shared", from),
              testing::AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(allowed)));
  // A page has to be able to read what was wrong.
  EXPECT_THAT(ask("GET", "/shared", from),
              testing::AllOf(StartsWith("HTTP/1.1 405"), HasSubstr(allowed)));
  EXPECT_THAT(ask("POST", "/shared", "Origin: https://b.example\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Vary: Origin"),
                             testing::Not(HasSubstr("Access-Control"))));
  EXPECT_THAT(ask("POST", "/echo", from), testing::Not(HasSubstr("Access-Control")));
  const std::string answer = ask("OPTIONS", "/shared", preflight);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(answer, HasSubstr(allowed));
  EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Methods: POST\r\n"));
  EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Headers: authorization\r\n"));
  EXPECT_THAT(answer, testing::Not(HasSubstr("Credentials")));
  EXPECT_THAT(ask("OPTIONS", "/echo", preflight), StartsWith("HTTP/1.1 405"));

  Start({.cors_origins = {"*"}});
  EXPECT_THAT(ask("POST", "/shared", from), HasSubstr(allowed));
}

TEST_F(HttpServerTest, UnknownPathsAndMethodsAreNamed) {
  EXPECT_THAT(Exchange("GET /none HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Exchange("GET /v1/none HTTP/1.1\r\nHost: x\r\n\r\n"),
              testing::HasSubstr("\"type\":\"invalid_request_error\""));
  const std::string answer = Exchange("DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(answer, HasSubstr("\r\nAllow: POST\r\n"));
}

TEST_F(HttpServerTest, AHandlerThatThrowsCostsItsRequestOnly) {
  EXPECT_THAT(Exchange("GET /throws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(Exchange("GET /under/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, BodiesBeyondTheLimitAreRefusedBeforeTheyAreRead) {
  EXPECT_THAT(Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(
      Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffff0\r\n"),
      StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, AHeadThatIsRefusedCostsNoBody) {
  const auto ask = [&](const std::string& query, const std::string& rest) {
    return Exchange("POST /judged?" + query + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                    rest);
  };
  const std::string large = "Content-Length: 50000\r\n\r\n";
  EXPECT_THAT(ask("no", large), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("no", "Expect: 100-continue\r\n" + large), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("no", "Transfer-Encoding: chunked\r\n\r\n"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("less", large), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask("throw", large), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(ask("7", large + std::string(50'000, 'x')), HasSubstr("POST /judged [7] xxx"));
  // Of what is too large nobody is asked; what is small is read at once.
  EXPECT_THAT(ask("no", "Content-Length: 1000001\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask("no", "Content-Length: 2\r\n\r\nok"), HasSubstr("POST /judged [no] ok"));
}

TEST_F(HttpServerTest, AClientThatIsStillSendingHearsWhyItIsRefused) {
  const TestFolder folder;
  const TestCertificate certificate("IP:127.0.0.1");
  certificate.WriteTo(folder / "certificate");
  certificate.WriteKeyTo(folder / "key");
  std::string request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n";
  request.resize(request.size() + 30'000'000, 'x');
  EXPECT_THAT(Exchange(request), StartsWith("HTTP/1.1 413"));
  Start({.tls_certificate = folder / "certificate", .tls_key = folder / "key"});
  asio::ssl::context context(asio::ssl::context::tls_client);
  asio::ssl::stream<tcp::socket> stream(Connect(), context);
  stream.handshake(asio::ssl::stream_base::client);
  boost::system::error_code error;
  asio::write(stream, asio::buffer(request), error);
  EXPECT_FALSE(error) << error.message();
  std::string answer;
  asio::read(stream, asio::dynamic_buffer(answer), error);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, AFastBeginningIsNoLicenceToBeSlow) {
  Start({.body_patience = Millis(100)});
  tcp::socket socket = Connect();
  asio::write(socket,
              asio::buffer("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n" +
                           std::string(500'000, 'x')));
  // A byte now and then, never later than the patience: 500,000 of them would give it a quarter of
  // an hour.
  boost::system::error_code error;
  int sent = 0;
  for (; !error && socket.available(error) == 0 && sent < 500; ++sent) {
    asio::write(socket, asio::buffer("x", 1), error);
    std::this_thread::sleep_for(Millis(20));
  }
  EXPECT_LT(sent, 500);
  EXPECT_EQ(server_->counts().bad_requests, 1U);
}

TEST_F(HttpServerTest, WhatIsNoHttpIsRefused) {
  EXPECT_THAT(Exchange("\x16\x03\x01 this is TLS\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(
      Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
      StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Exchange("GET /" + std::string(70'000, 'x') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_EQ(server_->counts().bad_requests, 3U);
}

TEST_F(HttpServerTest, SlowAndSilentClientsAreCutOff) {
  Start({.header_patience = Millis(50), .idle_patience = Millis(50), .body_patience = Millis(50)});
  EXPECT_EQ(Exchange(""), "");
  EXPECT_EQ(Exchange("GET /under/x HT"), "");
  const std::string body =
      Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsome");
  EXPECT_THAT(body, ::testing::AnyOf("", StartsWith("HTTP/1.1 408")));
}

TEST_F(HttpServerTest, TooManyConnectionsAreTurnedAwayAndRoomIsFoundAgain) {
  Start({.max_connections = 2});
  {
    tcp::socket first = Connect(), second = Connect();
    EXPECT_EQ(Exchange("GET /under/x HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  }
  std::string answer;
  while (answer.empty()) {
    answer = Exchange("GET /under/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, WhatAllUploadTogetherIsBounded) {
  Start({.max_body_memory = 1000});
  const auto header = [](int length) {
    return "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
           std::to_string(length) + "\r\n\r\n";
  };
  // A promise keeps nobody out.
  tcp::socket promises = Connect();
  asio::write(promises, asio::buffer(header(999'999)));
  EXPECT_THAT(Exchange(header(200) + std::string(200, 'x')), StartsWith("HTTP/1.1 200"));
  tcp::socket holder = Connect();
  asio::write(holder, asio::buffer(header(901) + std::string(900, 'y')));
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 503")) {  // until what the holder sent was seen
    answer = Exchange(header(200) + std::string(200, 'x'));
  }
  asio::write(holder, asio::buffer(std::string("y")));
  EXPECT_THAT(ReadAll(holder), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, StrangersAndSingleApplicationsHaveAShareOfIt) {
  Start({.max_body_memory = 400'000});
  const auto send = [&](const std::string& who, std::size_t length) {
    return Exchange("POST /judged?" + who +
                    " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                    std::to_string(length) + "\r\n\r\n" + std::string(length, 'x'));
  };
  for (const auto& [who, share] : {std::pair("0", 100'000U), {"1", 300'000U}}) {
    EXPECT_THAT(send(who, share + 1), StartsWith("HTTP/1.1 503")) << who;
    EXPECT_THAT(send(who, share), StartsWith("HTTP/1.1 200")) << who;
  }
}

TEST_F(HttpServerTest, WebSocketMessagesGoBothWaysUntilTheServerCloses) {
  beast::websocket::stream<tcp::socket> socket(Connect());
  socket.handshake("x", "/socket/1?q=1");
  beast::flat_buffer buffer;
  socket.read(buffer);
  EXPECT_EQ(beast::buffers_to_string(buffer.cdata()), "hello q=1");
  buffer.clear();
  socket.binary(true);
  socket.write(asio::buffer(std::string(70'000, 'x')));
  socket.read(buffer);
  EXPECT_EQ(beast::buffers_to_string(buffer.cdata()), "70000");
  socket.text(true);
  socket.write(asio::buffer(std::string("end")));
  boost::system::error_code error;
  buffer.clear();
  socket.read(buffer, error);
  EXPECT_EQ(error, beast::websocket::error::closed);
  EXPECT_EQ(socket.reason().code, 1000);
}

TEST_F(HttpServerTest, AnUpgradeIsRefusedWithAnAnswerOrGoesOnWithASubprotocol) {
  for (const auto& [query, status] : {std::pair("no", 401), {"throw", 500}}) {
    beast::websocket::stream<tcp::socket> refused(Connect());
    beast::websocket::response_type answer;
    boost::system::error_code error;
    refused.handshake(answer, "x", std::string("/asked?") + query, error);
    EXPECT_EQ(error, beast::websocket::error::upgrade_declined);
    EXPECT_EQ(answer.result_int(), status);
  }
  beast::websocket::stream<tcp::socket> socket(Connect());
  socket.set_option(
      beast::websocket::stream_base::decorator([](beast::websocket::request_type& request) {
        request.set(beast::http::field::sec_websocket_protocol, "first, second");
      }));
  beast::websocket::response_type answer;
  socket.handshake(answer, "x", "/asked?yes");
  EXPECT_EQ(answer[beast::http::field::sec_websocket_protocol], "second");
  EXPECT_EQ(answer[beast::http::field::server], "lethe");
  beast::flat_buffer buffer;
  socket.read(buffer);
  EXPECT_EQ(beast::buffers_to_string(buffer.cdata()), "hello yes");
}

TEST_F(HttpServerTest, MessagesBeingReceivedShareTheMemoryOfBodies) {
  Start({.max_body_memory = 50'000});
  beast::websocket::stream<tcp::socket> socket(Connect());
  socket.handshake("x", "/socket/1");
  boost::system::error_code error;
  socket.write(asio::buffer(std::string(60'000, 'x')), error);
  beast::flat_buffer buffer;
  while (!error) socket.read(buffer, error);
  EXPECT_EQ(socket.reason().code, 1013);
}

TEST_F(HttpServerTest, AMessageBeyondTheLimitClosesTheSocket) {
  beast::websocket::stream<tcp::socket> socket(Connect());
  socket.handshake("x", "/socket/1");
  boost::system::error_code error;
  socket.write(asio::buffer(std::string(100'001, 'x')), error);
  beast::flat_buffer buffer;
  while (!error) socket.read(buffer, error);
  EXPECT_EQ(socket.reason().code, beast::websocket::close_code::too_big);
}

TEST_F(HttpServerTest, StoppingCutsOffWhatDoesNotEnd) {
  beast::websocket::stream<tcp::socket> socket(Connect());
  socket.handshake("x", "/socket/1");
  tcp::socket idle = Connect();
  server_->Stop(Millis(50));
  EXPECT_EQ(ReadAll(idle), "");
  boost::system::error_code error;
  beast::flat_buffer buffer;
  while (!error) socket.read(buffer, error);
  EXPECT_EQ(server_->counts().open, 0U);
}

TEST_F(HttpServerTest, DrainingCutsNobodyOff) {
  beast::websocket::stream<tcp::socket> socket(Connect());
  socket.handshake("x", "/socket/1");
  server_->Drain(Millis(50));
  EXPECT_EQ(server_->counts().open, 1U);
  socket.text(true);
  socket.write(asio::buffer(std::string("end")));
  boost::system::error_code error;
  beast::flat_buffer buffer;
  while (!error) socket.read(buffer, error);
  EXPECT_EQ(socket.reason().code, 1000);
}

TEST_F(HttpServerTest, PortsInUseAndBadAddressesAreAllNamed) {
  const auto started = HttpServer::Start(
      {.listen = {{.port = server_->ports().at(0)}, {.host = "nowhere"}, {.tls = true}}}, Router());
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.status().message(), HasSubstr("cannot listen on 127.0.0.1:"));
  EXPECT_THAT(started.status().message(), HasSubstr("nowhere"));
  EXPECT_THAT(started.status().message(), HasSubstr("TLS needs both"));
}

}  // namespace
}  // namespace lethe
