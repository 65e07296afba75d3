#pragma once

// HTTP/1.1 and WebSocket on any number of ports, with or without TLS.
//
// One coroutine serves one connection, on a strand of a small pool of I/O threads, which only parse
// and frame: what computes or blocks happens elsewhere, and the coroutine waits for it. Everything
// that a client could make grow has a limit in HttpServerOptions, and everything it could make last
// has a time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/units.h"
#include "server/router.h"

namespace lethe {

struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses
  bool tls = false;
};

struct HttpServerOptions {
  std::vector<ListenAddress> listen;
  // PEM files; needed when a listener wants TLS.
  std::string tls_certificate;
  std::string tls_key;
  int num_threads = 2;
  std::size_t max_connections = 10'000;
  // Of all requests that are being read or answered together.
  std::size_t max_body_memory = std::size_t{1} << 30;
  std::size_t max_header = std::size_t{64} << 10;
  // Origins whose pages may read the answers of routes that are for other origins; "*": all.
  std::vector<std::string> cors_origins;
  Millis header_patience{15'000};  // from the first byte of a header to its last
  Millis idle_patience{75'000};    // of a connection without a request
  Millis body_patience{15'000};    // without a byte, besides a least rate over all of it
  Millis write_patience{20'000};   // for a client to take what it was sent
};

/// What happened, for whoever counts: an answer's status, or why a connection ended without one.
struct ServerCounts {
  std::uint64_t connections = 0;   // accepted
  std::uint64_t open = 0;          // now
  std::uint64_t requests = 0;      // answered
  std::uint64_t refused = 0;       // connections turned away: too many
  std::uint64_t bad_requests = 0;  // no HTTP, too large, too slow
  // Until when the certificate holds that new connections are shown; none without TLS.
  std::optional<WallTime> certificate_until = std::nullopt;
};

/// Thread: any
class HttpServer {
 public:
  /// Opens every port. Errors: kInvalidArgument for an address that is none; as
  /// lethe::ReadCertificate(); kPermissionDenied, kUnavailable for ports that cannot be had: all
  /// are named, not only the first.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, Router router);
  virtual ~HttpServer() = default;  // as Stop(0)

  /// The ports that were opened, in the order of options.listen.
  virtual std::vector<std::uint16_t> ports() const = 0;
  virtual ServerCounts counts() const = 0;

  /// Reads the certificate and its key again, for connections that come from now on; nothing where
  /// no listener wants TLS. Errors: as Start(), and then those from before stay
  virtual Status ReadCertificate() = 0;

  /// Takes no new connection or request, and waits until those under way have finished, for at most
  /// `grace`.
  virtual void Drain(Millis grace) = 0;
  /// As Drain(), then cuts off those that have not.
  virtual void Stop(Millis grace) = 0;
};

}  // namespace lethe
