#include "server/internal/peer.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace lethe::server_internal {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr Millis kFirstLook{1}, kLongestPause{50};

// As the kernel describes it (linux/tcp.h), of which the C library knows the beginning.
struct TcpInfo {
  tcp_info begin;
  std::uint64_t pacing_rate, max_pacing_rate, bytes_acked;
};
static_assert(sizeof(tcp_info) == 104 && sizeof(TcpInfo) == 128);

std::optional<TcpInfo> InfoOf(tcp::socket& socket) {
  TcpInfo info{};
  socklen_t size = sizeof info;
  if (!socket.is_open() ||
      getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    return std::nullopt;
  }
  return info;
}

}  // namespace

PeerState LookAtPeer(tcp::socket& socket) {
  const auto info = InfoOf(socket);
  if (!info) return PeerState::kGone;
  switch (info->begin.tcpi_state) {
    case TCP_ESTABLISHED:
      return PeerState::kThere;
    case TCP_CLOSE_WAIT:
      return PeerState::kSilent;
    default:
      return PeerState::kGone;
  }
}

std::uint64_t BytesWritten(tcp::socket& socket) {
  const auto info = InfoOf(socket);
  int on_the_way = 0;
  if (!info || ioctl(socket.native_handle(), SIOCOUTQ, &on_the_way) != 0) return 0;
  return info->bytes_acked + static_cast<std::uint64_t>(std::max(on_the_way, 0));
}

// Whoever has closed answers the first bytes by a reset, whoever only ended its own sending
// acknowledges them (RFC 9293, sections 3.5.2 and 3.6). What was acknowledged before a reset stays
// known after it.
Awaitable<bool> HasArrived(tcp::socket& socket, std::uint64_t before, Millis patience) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto last = std::chrono::steady_clock::now() + patience;
  for (Millis pause = kFirstLook;; pause = std::min(2 * pause, kLongestPause)) {
    const PeerState peer = LookAtPeer(socket);
    const auto info = InfoOf(socket);
    if (!info) co_return false;
    if (info->bytes_acked > before) co_return true;
    if (peer == PeerState::kGone || std::chrono::steady_clock::now() >= last) co_return false;
    timer.expires_after(pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

ResetWatch::ResetWatch(tcp::socket& socket)
    : socket_(socket), watched_(std::make_shared<tcp::socket*>(&socket)) {
  // Not woken by what is sent meanwhile, nor by the end of that.
  socket.async_wait(tcp::socket::wait_error,
                    [watched = watched_, reset = reset_](const boost::system::error_code& error) {
                      if (error || *watched == nullptr) return;
                      *reset = LookAtPeer(**watched) == PeerState::kGone;
                    });
}

ResetWatch::~ResetWatch() {
  *watched_ = nullptr;
  // Nothing else is waited for.
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace lethe::server_internal
