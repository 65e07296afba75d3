// A server for tests of the WebSocket protocol itself: the server's own sockets, and handlers that
// say back what they are told. Prints the port it listens on; ends when its standard input does.
//
//   /echo   text comes back as it is; binary, which our server never sends, as its size and SHA-256
//   /small  the same, for messages of at most 64 KiB
//   /close  begins the closing handshake at once, with code 4321 and a reason

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "base/sha256.h"
#include "server/http_server.h"
#include "server/router.h"
#include "server/websocket.h"

namespace lethe {
namespace {

Awaitable<void> Echo(const HttpRequest&, WebSocket& socket) {
  while (true) {
    const auto message = co_await socket.Read();
    if (!message) co_return;
    std::string answer;
    if (message->binary) {
      answer = std::to_string(message->data.size()) + " " +
               Sha256Hex(std::as_bytes(std::span(message->data)));
    } else {
      answer = message->data;
    }
    const bool there = co_await socket.Send(answer);
    if (!there) co_return;
  }
}

// As it came, for the suite of tests/conformance/.
Awaitable<void> Mirror(const HttpRequest&, WebSocket& socket) {
  while (true) {
    const auto message = co_await socket.Read();
    if (!message) co_return;
    const bool there = message->binary ? co_await socket.SendBinary(message->data)
                                       : co_await socket.Send(message->data);
    if (!there) co_return;
  }
}

Awaitable<void> CloseAtOnce(const HttpRequest&, WebSocket& socket) {
  co_await socket.Close(4321, "enough");
}

int Run() {
  Router router;
  router.Add(
      {.method = "GET", .path = "/echo", .websocket = Echo, .max_message = std::size_t{16} << 20});
  router.Add(
      {.method = "GET", .path = "/small", .websocket = Echo, .max_message = std::size_t{64} << 10});
  router.Add({.method = "GET",
              .path = "/mirror",
              .websocket = Mirror,
              .max_message = std::size_t{32} << 20});
  router.Add({.method = "GET", .path = "/close", .websocket = CloseAtOnce});
  const auto server = HttpServer::Start({.listen = {ListenAddress{}}}, std::move(router));
  if (!server.ok()) {
    std::fprintf(stderr, "websocket_echo: %s\n", server.status().message().c_str());
    return EXIT_FAILURE;
  }
  std::printf("%d\n", static_cast<int>((*server)->ports().at(0)));
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  (*server)->Stop(Millis(0));
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace lethe

int main() { return lethe::Run(); }
