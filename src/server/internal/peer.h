#pragma once

// Who is at the other end of a connection while it is not read: there still, or gone.

#include <atomic>
#include <cstdint>
#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "base/units.h"
#include "server/http.h"

namespace lethe::server_internal {

enum class PeerState {
  kThere,
  kSilent,  // sends no more: it has closed, or waits for its answer; what arrives there will show
  kGone,    // reset, or closed by ourselves
};

PeerState LookAtPeer(boost::asio::ip::tcp::socket& socket);

/// Bytes that were ever written to a connection, under TLS those of its records.
std::uint64_t BytesWritten(boost::asio::ip::tcp::socket& socket);

/// Waits until the other end has acknowledged anything behind the first `before` bytes, though it
/// be gone since; false if it never will, or not within `patience`.
Awaitable<bool> HasArrived(boost::asio::ip::tcp::socket& socket, std::uint64_t before,
                           Millis patience);

/// Notices when a connection that nobody reads or writes is reset.
///
/// Thread: the connection's strand. Lifetime: the socket outlives it
class ResetWatch {
 public:
  explicit ResetWatch(boost::asio::ip::tcp::socket& socket);
  ~ResetWatch();
  ResetWatch(const ResetWatch&) = delete;
  ResetWatch& operator=(const ResetWatch&) = delete;

  /// May be read by any thread, and kept.
  std::shared_ptr<const std::atomic<bool>> reset() const { return reset_; }

 private:
  boost::asio::ip::tcp::socket& socket_;
  const std::shared_ptr<std::atomic<bool>> reset_ = std::make_shared<std::atomic<bool>>(false);
  // Null once the watch has ended: what waits may be told after that.
  const std::shared_ptr<boost::asio::ip::tcp::socket*> watched_;
};

}  // namespace lethe::server_internal
