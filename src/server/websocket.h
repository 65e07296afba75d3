#pragma once

// One WebSocket connection, whatever carries it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http.h"

namespace lethe {

struct WebSocketMessage {
  bool binary = false;
  std::string data;
};

/// One message may be read while one is written. All of it on the connection's own executor, the
/// one the handler's coroutine runs on.
class WebSocket {
 public:
  virtual ~WebSocket() = default;

  /// The next message, put together from its fragments; nothing once the connection is over, for
  /// whatever reason (closed by either side, broken frames, a message larger than allowed, text
  /// that is no UTF-8). Pings are answered on the way.
  virtual Awaitable<std::optional<WebSocketMessage>> Read() = 0;

  /// Sends a text message. False once the connection is over; a client that does not read for
  /// `write_patience` is disconnected.
  virtual Awaitable<bool> Send(std::string_view text) = 0;

  /// The same of a binary message.
  virtual Awaitable<bool> SendBinary(std::string_view bytes) = 0;

  /// Begins the closing handshake, waits for its answer a little, and closes. Afterwards Read()
  /// and Send() end. Harmless when it is over already.
  virtual Awaitable<void> Close(std::uint16_t code, std::string_view reason) = 0;
};

}  // namespace lethe
