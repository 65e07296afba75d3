// Goal: who reads an answer is told to have been reached, also who only sends no more, and who
// resets the connection when it has all; who closed before is not, and a reset is noticed while the
// answer is made. Method: real sockets on loopback; a route that answers when it is let; an answer
// that is whole, and a stream.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>

#include "server/http_server.h"

namespace lethe {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;

// The parameter is the path.
class AnswerReceiptTest : public testing::TestWithParam<const char*> {
 protected:
  AnswerReceiptTest() {
    Router router;
    router.Add({.method = "GET", .path = "/answer/*", .http = [this](const HttpRequest& request) {
                  return Answer(request);
                }});
    auto started = HttpServer::Start({.listen = {ListenAddress{}}}, std::move(router));
    EXPECT_TRUE(started.ok()) << started.status().message();
    server_ = *std::move(started);
  }
  // While there is something to be told to.
  ~AnswerReceiptTest() override { server_.reset(); }

  // Sends a request that is under way when this returns.
  tcp::socket Ask() {
    tcp::socket socket(io_);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), server_->ports().at(0)));
    asio::write(socket,
                asio::buffer("GET " + std::string(GetParam()) + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    Await(has_arrived_);
    return socket;
  }

  static std::string ReadToTheEnd(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }

  static void Reset(tcp::socket socket) {
    socket.set_option(tcp::socket::linger(true, 0));
    socket.close();
  }

  static void Await(const std::atomic<bool>& flag) {
    while (!flag) std::this_thread::yield();
  }

  // What became of the answer, once that is known.
  bool reached() const {
    Await(is_known_);
    return reached_;
  }

  asio::io_context io_;
  std::atomic<bool> may_answer_ = false, reset_ = false;
  std::unique_ptr<HttpServer> server_;

 private:
  Awaitable<HttpResponse> Answer(const HttpRequest& request) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    has_arrived_ = true;
    while (!may_answer_ && !*request.reset) {
      timer.expires_after(Millis(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
    reset_ = request.reset->load();
    HttpResponse response{.body = "all of it"};
    response.receipt = std::make_shared<AnswerReceipt>([this](bool reached) {
      reached_ = reached;
      is_known_ = true;
    });
    if (request.path == "/answer/stream") {
      response.stream = [](BodyWriter& writer) -> Awaitable<void> {
        co_await writer.Write("all of it");
      };
    }
    co_return response;
  }

  std::atomic<bool> has_arrived_ = false, is_known_ = false, reached_ = false;
};

TEST_P(AnswerReceiptTest, WhoReadsIsReached) {
  tcp::socket socket = Ask();
  may_answer_ = true;
  EXPECT_TRUE(reached());
  EXPECT_FALSE(reset_);
  server_.reset();
  EXPECT_THAT(ReadToTheEnd(socket), HasSubstr("all of it"));
}

TEST_P(AnswerReceiptTest, WhoSendsNoMoreIsAnsweredAndReached) {
  tcp::socket socket = Ask();
  socket.shutdown(tcp::socket::shutdown_send);
  may_answer_ = true;
  EXPECT_THAT(ReadToTheEnd(socket), HasSubstr("all of it"));
  EXPECT_TRUE(reached());
  EXPECT_FALSE(reset_);
}

TEST_P(AnswerReceiptTest, WhoReadsAllAndResetsIsReached) {
  tcp::socket socket = Ask();
  socket.shutdown(tcp::socket::shutdown_send);
  may_answer_ = true;
  std::string got;
  asio::read_until(socket, asio::dynamic_buffer(got), "all of it");
  Reset(std::move(socket));
  EXPECT_TRUE(reached());
}

TEST_P(AnswerReceiptTest, WhoHasClosedIsNotReached) {
  Ask().close();
  may_answer_ = true;
  EXPECT_FALSE(reached());
}

TEST_P(AnswerReceiptTest, AResetIsNoticedWhileTheAnswerIsMade) {
  Reset(Ask());
  Await(reset_);
  EXPECT_FALSE(reached());
}

TEST_P(AnswerReceiptTest, WhatIsSentBehindARequestIsNoReset) {
  tcp::socket socket = Ask();
  asio::write(socket, asio::buffer(std::string("GET /x HTTP/1.1\r\nHost: x\r\n\r\n")));
  socket.send(asio::buffer("!", 1), tcp::socket::message_out_of_band);
  std::this_thread::sleep_for(Millis(20));  // it would be noticed by then, mostly
  may_answer_ = true;
  EXPECT_TRUE(reached());
  EXPECT_FALSE(reset_);
}

INSTANTIATE_TEST_SUITE_P(Paths, AnswerReceiptTest,
                         testing::Values("/answer/whole", "/answer/stream"), [](const auto& path) {
                           return std::string(path.param).substr(sizeof("/answer/") - 1);
                         });

}  // namespace
}  // namespace lethe
