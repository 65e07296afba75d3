#pragma once

// A WebSocket over a plain or an encrypted stream (RFC 6455, by Boost.Beast).

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include "server/internal/limits.h"
#include "server/websocket.h"

namespace lethe::server_internal {

template <class Stream>
class WebSocketOver : public WebSocket {
 public:
  /// `memory` is for messages that are being received.
  WebSocketOver(Stream stream, std::size_t max_message, Millis write_patience, ByteBudget& memory)
      : socket_(std::move(stream)),
        executor_(socket_.get_executor()),
        write_patience_(write_patience),
        memory_(memory) {
    namespace websocket = boost::beast::websocket;
    // The stream's own timers would end a silent but healthy stream; the handlers know how long a
    // client may be silent.
    boost::beast::get_lowest_layer(socket_).expires_never();
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = write_patience;
    timeout.idle_timeout = websocket::stream_base::none();
    timeout.keep_alive_pings = false;
    socket_.set_option(timeout);
    socket_.read_message_max(max_message);
    socket_.auto_fragment(false);
  }

  /// `subprotocol` is told the client unless it is empty.
  template <class Request>
  Awaitable<bool> Accept(const Request& request, std::string subprotocol) {
    namespace websocket = boost::beast::websocket;
    // One decorator: a stream keeps the last.
    socket_.set_option(websocket::stream_base::decorator(
        [subprotocol = std::move(subprotocol)](websocket::response_type& response) {
          namespace http = boost::beast::http;
          response.set(http::field::server, "lethe");
          if (!subprotocol.empty()) response.set(http::field::sec_websocket_protocol, subprotocol);
        }));
    const auto [error] = co_await socket_.async_accept(request, kToken);
    over_ = static_cast<bool>(error);
    co_return !over_;
  }

  /// Ends the connection at once.
  void Cut() { boost::beast::get_lowest_layer(socket_).close(); }

  Awaitable<std::optional<WebSocketMessage>> Read() override {
    if (over_) co_return std::nullopt;
    WebSocketMessage message;
    auto buffer = boost::asio::dynamic_buffer(message.data);
    ByteLoan loan(memory_);
    do {
      const auto [error, size] = co_await socket_.async_read_some(buffer, kReadSome, kToken);
      if (error) {
        over_ = true;
        co_return std::nullopt;
      }
      if (!loan.Grow(message.data.size())) {
        co_await Close(kTryAgainLater, "too much is being uploaded at the moment");
        co_return std::nullopt;
      }
    } while (!socket_.is_message_done());
    message.binary = socket_.got_binary();
    co_return message;
  }

  Awaitable<bool> Send(std::string_view text) override { return SendAs(text, true); }
  Awaitable<bool> SendBinary(std::string_view bytes) override { return SendAs(bytes, false); }

  Awaitable<void> Close(std::uint16_t code, std::string_view reason) override {
    if (over_ || closing_) co_return;
    closing_ = true;
    const Watch watch(*this, kCloseHandshake);
    boost::beast::websocket::close_reason why(code);
    why.reason.assign(reason.data(), std::min(reason.size(), why.reason.max_size()));
    co_await socket_.async_close(why, kToken);
    over_ = true;
    // Whoever is still reading is woken.
    Cut();
  }

 private:
  static constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);
  static constexpr Millis kCloseHandshake{3'000};
  static constexpr std::size_t kReadSome = std::size_t{64} << 10;
  static constexpr std::uint16_t kTryAgainLater = 1013;

  Awaitable<bool> SendAs(std::string_view message, bool is_text) {
    if (over_ || closing_) co_return false;
    const Watch watch(*this, write_patience_);
    socket_.text(is_text);
    const auto [error, size] =
        co_await socket_.async_write(boost::asio::buffer(message.data(), message.size()), kToken);
    if (error) over_ = true;
    co_return !error;
  }

  // Cuts the connection if it still stands when the patience is over.
  class Watch {
   public:
    Watch(WebSocketOver& owner, Millis patience) : timer_(owner.executor_, patience) {
      timer_.async_wait([&owner](boost::system::error_code error) {
        if (!error) owner.Cut();
      });
    }

   private:
    boost::asio::steady_timer timer_;  // destroying it calls the wait off
  };

  boost::beast::websocket::stream<Stream> socket_;
  boost::asio::any_io_executor executor_;
  const Millis write_patience_;
  ByteBudget& memory_;
  bool over_ = false, closing_ = false;
};

}  // namespace lethe::server_internal
