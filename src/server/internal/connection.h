#pragma once

// One connection, from accepting to closing.

#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "server/http_server.h"
#include "server/internal/cross_origin.h"
#include "server/internal/limits.h"

namespace lethe::server_internal {

/// What connections need of their server, which outlives them.
struct ConnectionContext {
  const HttpServerOptions& options;
  const Router& router;
  ByteBudget& bodies;
  Counters& counters;
  std::atomic<bool>& stopping;
  const CrossOriginPolicy& cross_origin;
};

/// Serves a connection to its end. The socket's executor is the connection's strand.
Awaitable<void> ServePlain(boost::asio::ip::tcp::socket socket,
                           std::shared_ptr<ConnectionControl> control, ConnectionContext& context);
Awaitable<void> ServeTls(boost::asio::ip::tcp::socket socket,
                         std::shared_ptr<boost::asio::ssl::context> tls,
                         std::shared_ptr<ConnectionControl> control, ConnectionContext& context);

}  // namespace lethe::server_internal
