#pragma once

// Which handler answers what: by method and path.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"
#include "server/websocket.h"

namespace lethe {

/// Answers one request. The request lives until the answer was sent.
using HttpHandler = std::function<Awaitable<HttpResponse>(const HttpRequest&)>;

/// Talks on one WebSocket until the returned coroutine ends; then the connection is closed if it
/// is not yet.
using WebSocketHandler = std::function<Awaitable<void>(const HttpRequest&, WebSocket&)>;

/// What becomes of an upgrade.
struct Upgrade {
  WebSocketHandler websocket;  // goes on with the connection; empty: refused
  std::string subprotocol;     // the chosen one of those the client offered; empty: none
  HttpResponse refusal;        // sent instead of the upgrade
};

/// Decides about an upgrade before it is answered. The request lives until the connection ends.
using UpgradeHandler = std::function<Awaitable<Upgrade>(const HttpRequest&)>;

/// What a request's head says about its body.
struct HeadVerdict {
  std::optional<HttpResponse> refusal;  // sent instead of reading the body
  std::size_t max_body = std::numeric_limits<std::size_t>::max();  // besides the route's
  std::uint64_t app_id = 0;  // whose share of the memory for bodies it needs; 0: a stranger's
};

/// Judges a request by its head: its body is not there yet. It need not be sure of who calls, for
/// the handler is asked again. The request lives until the verdict.
using HeadHandler = std::function<Awaitable<HeadVerdict>(const HttpRequest&)>;

/// A path, or a beginning of paths when it ends with a slash and an asterisk: "/asr/v2/*".
struct Route {
  std::string method;  // "GET", "POST", ...; "*" for any
  std::string path;
  bool cross_origin = false;  // pages of HttpServerOptions::cors_origins may read its answers
  std::size_t max_body = 0;   // bytes; a larger one is answered with 413 before it is read
  HttpHandler http;           // may be empty
  HeadHandler head;  // may be empty; asked before more of a body is read than costs nothing
  // Shapes an answer to a request that never reached the handler: a status and one line. May be
  // empty.
  std::function<HttpResponse(int status, std::string_view why)> refuse;
  WebSocketHandler websocket;                      // may be empty; answers upgrades
  UpgradeHandler upgrade;                          // may be empty; goes before `websocket`
  std::size_t max_message = std::size_t{1} << 20;  // bytes of one WebSocket message
};

/// Thread: any once it is filled
class Router {
 public:
  void Add(Route route) { routes_.push_back(std::move(route)); }

  struct Match {
    const Route* route = nullptr;  // null: nothing is there
    bool path_known = false;       // something is there, for another method
    std::string allowed;           // for which, as the header Allow lists them
    bool cross_origin = false;     // of any route at that path
  };
  Match Find(std::string_view method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace lethe
