// Goal:   no bytes on a connection make the server crash, hang or leak: HTTP requests, chunked
//         bodies, WebSocket handshakes and frames.
// Method: a real server on loopback with routes of each kind; each input is a connection. The first
//         byte says how many bytes go out at once, and whether a good handshake goes before them.

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <string>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "server/http_server.h"

namespace {

using namespace lethe;

Awaitable<HttpResponse> Echo(const HttpRequest& request) {
  HttpResponse response;
  response.body = request.query + request.body;
  co_return response;
}

Awaitable<void> EchoMessages(const HttpRequest&, WebSocket& socket) {
  while (const auto message = co_await socket.Read()) {
    const bool there = co_await socket.Send(message->binary ? "binary" : message->data);
    if (!there) co_return;
  }
}

HttpServer& Server() {
  static const std::unique_ptr<HttpServer> server = [] {
    std::signal(SIGPIPE, SIG_IGN);
    Router router;
    router.Add({.method = "POST", .path = "/", .max_body = 100'000, .http = Echo});
    router.Add({.method = "GET",
                .path = "/",
                .http = Echo,
                .websocket = EchoMessages,
                .max_message = 10'000});
    HttpServerOptions options;
    options.listen = {ListenAddress{}};
    options.header_patience = options.idle_patience = options.body_patience = Millis(200);
    auto started = HttpServer::Start(options, std::move(router));
    LETHE_CHECK(started.ok());
    return *std::move(started);
  }();
  return *server;
}

constexpr std::string_view kHandshake =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  HttpServer& server = Server();
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(server.ports().at(0));
  LETHE_CHECK(connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  std::string bytes(data[0] % 2 == 0 ? kHandshake : std::string_view());
  bytes.append(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t piece = data[0] < 128 ? bytes.size() : std::size_t{data[0]};
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t sent = send(connection, bytes.data() + at, std::min(piece, bytes.size() - at), 0);
    if (sent <= 0) break;
    at += static_cast<std::size_t>(sent);
  }
  shutdown(connection, SHUT_WR);
  char answer[4096];
  while (recv(connection, answer, sizeof answer, 0) > 0) {
  }
  close(connection);
  return 0;
}
