#include "server/internal/connection_over.h"

namespace lethe::server_internal {

Awaitable<void> ServePlain(asio::ip::tcp::socket socket, std::shared_ptr<ConnectionControl> control,
                           ConnectionContext& context) {
  Connection<PlainStream> connection(PlainStream(std::move(socket)), control, context);
  co_await connection.Serve();
}

}  // namespace lethe::server_internal
