#include "server/internal/connection_over.h"

namespace lethe::server_internal {

Awaitable<void> ServeTls(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> tls,
                         std::shared_ptr<ConnectionControl> control, ConnectionContext& context) {
  Connection<TlsStream> connection(TlsStream(PlainStream(std::move(socket)), *tls), control,
                                   context);
  beast::get_lowest_layer(connection.stream()).expires_after(context.options.header_patience);
  const auto [error] =
      co_await connection.stream().async_handshake(asio::ssl::stream_base::server, kToken);
  if (error) {
    ++context.counters.bad_requests;
    co_return;
  }
  co_await connection.Serve();
}

}  // namespace lethe::server_internal
