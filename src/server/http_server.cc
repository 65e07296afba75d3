#include "server/http_server.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/mutex.h"
#include "server/certificate.h"
#include "server/internal/connection.h"

namespace lethe {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

Status PortError(const boost::system::error_code& error, const std::string& what) {
  const std::string message = what + ": " + error.message();
  if (error == boost::system::errc::permission_denied) {
    return PermissionDenied(message + " (ports below 1024 need the right to them)");
  }
  if (error == boost::system::errc::address_in_use) {
    return Unavailable(message + "; another process has it; --listen takes another port");
  }
  if (error == boost::system::errc::address_not_available) {
    return Unavailable(message + "; --listen takes an address that this machine has");
  }
  return Unavailable(message);
}

class Server : public HttpServer {
 public:
  Server(const HttpServerOptions& options, Router router)
      : options_(options),
        router_(std::move(router)),
        bodies_(options.max_body_memory),
        connections_(options.max_connections),
        cross_origin_(options.cors_origins),
        context_{options_, router_, bodies_, counters_, stopping_, cross_origin_} {}

  // Joining threads that are there to be joined throws nothing.
  ~Server() override { Stop(Millis(0)); }  // NOLINT(bugprone-exception-escape)

  Status Open() {
    std::string problems;
    StatusCode code = StatusCode::kOk;
    const auto note = [&](const Status& status) {
      if (status.ok()) return;
      if (code == StatusCode::kOk) code = status.code();
      problems += (problems.empty() ? "" : "; ") + status.message();
    };
    for (const ListenAddress& address : options_.listen) {
      note(OpenPort(address));
    }
    note(ReadCertificate());
    if (code != StatusCode::kOk) return {code, problems};
    for (std::size_t i = 0; i < acceptors_.size(); ++i) {
      asio::co_spawn(acceptors_[i].get_executor(), Accept(acceptors_[i], options_.listen[i].tls),
                     asio::detached);
    }
    for (int i = 0; i < options_.num_threads; ++i) {
      threads_.emplace_back([this] { io_.run(); });
    }
    return OkStatus();
  }

  std::vector<std::uint16_t> ports() const override {
    std::vector<std::uint16_t> ports;
    for (const tcp::endpoint& endpoint : endpoints_) ports.push_back(endpoint.port());
    return ports;
  }

  ServerCounts counts() const override {
    return {.connections = counters_.connections,
            .open = connections_.size(),
            .requests = counters_.requests,
            .refused = counters_.refused,
            .bad_requests = counters_.bad_requests,
            .certificate_until = certificate().until};
  }

  Status ReadCertificate() override {
    const auto is_tls = [](const ListenAddress& address) { return address.tls; };
    if (std::none_of(options_.listen.begin(), options_.listen.end(), is_tls)) return OkStatus();
    ASSIGN_OR_RETURN(Certificate loaded, LoadCertificate());
    const MutexLock lock(certificate_mutex_);
    certificate_ = std::move(loaded);
    return OkStatus();
  }

  void Drain(Millis grace) override {
    stopping_ = true;
    for (tcp::acceptor& acceptor : acceptors_) {
      asio::post(acceptor.get_executor(), [&acceptor] {
        boost::system::error_code ignored;
        acceptor.close(ignored);
      });
    }
    connections_.CutIdle();
    const auto deadline = std::chrono::steady_clock::now() + grace;
    while (connections_.size() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kPoll);
      connections_.CutIdle();
    }
  }

  void Stop(Millis grace) override {
    if (stopped_.exchange(true)) return;
    Drain(grace);
    connections_.CutAll();
    // Handlers that wait for something outside see their connection gone; they end when it comes.
    const auto last = std::chrono::steady_clock::now() + kLastWait;
    while (connections_.size() > 0 && std::chrono::steady_clock::now() < last) {
      std::this_thread::sleep_for(kPoll);
    }
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  static constexpr Millis kPoll{20}, kLastWait{5'000}, kAcceptPause{50};

  struct Certificate {
    std::shared_ptr<asio::ssl::context> tls;
    std::optional<WallTime> until;
  };

  Result<Certificate> LoadCertificate() const {
    if (options_.tls_certificate.empty() || options_.tls_key.empty()) {
      return InvalidArgument("TLS needs both a certificate and its key");
    }
    // What is wrong with the files is said by this; of a key with a password OpenSSL would ask the
    // terminal for it.
    ASSIGN_OR_RETURN(const WallTime until,
                     lethe::ReadCertificate(options_.tls_certificate, options_.tls_key));
    auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    boost::system::error_code error;
    tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                     asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                     asio::ssl::context::no_tlsv1_1);
    SSL_CTX_set_options(tls->native_handle(), SSL_OP_CLEANSE_PLAINTEXT);
    tls->use_certificate_chain_file(options_.tls_certificate, error);
    if (error) {
      return InvalidArgument("cannot use the certificate " + options_.tls_certificate + ": " +
                             error.message());
    }
    tls->use_private_key_file(options_.tls_key, asio::ssl::context::pem, error);
    if (error) {
      return InvalidArgument("cannot use the key " + options_.tls_key + ": " + error.message());
    }
    return Certificate{.tls = std::move(tls), .until = until};
  }

  Certificate certificate() const {
    const MutexLock lock(certificate_mutex_);
    return certificate_;
  }

  Status OpenPort(const ListenAddress& address) {
    const std::string name = address.host + ":" + std::to_string(address.port);
    boost::system::error_code error;
    const asio::ip::address ip = asio::ip::make_address(
        address.host == "localhost" ? std::string("127.0.0.1") : address.host, error);
    if (error) {
      return InvalidArgument("listening needs an address in digits, such as 127.0.0.1: " +
                             address.host);
    }
    const tcp::endpoint endpoint(ip, address.port);
    tcp::acceptor acceptor(asio::make_strand(io_));  // closed from another thread
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kBacklog, error);
    if (error) return PortError(error, "cannot listen on " + name);
    endpoints_.push_back(acceptor.local_endpoint());
    acceptors_.push_back(std::move(acceptor));
    return OkStatus();
  }

  Awaitable<void> Accept(tcp::acceptor& acceptor, bool tls) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    while (!stopping_) {
      auto [error, socket] = co_await acceptor.async_accept(asio::make_strand(io_), token);
      if (error == asio::error::operation_aborted || stopping_) co_return;
      if (error) {
        // Out of descriptors, most likely: connections that end give some back.
        asio::steady_timer pause(acceptor.get_executor(), kAcceptPause);
        co_await pause.async_wait(token);
        continue;
      }
      ++counters_.connections;
      socket.set_option(tcp::no_delay(true), error);
      const auto strand = socket.get_executor();
      const auto control = connections_.Add(strand);
      if (control == nullptr) {
        ++counters_.refused;
        continue;  // closes it
      }
      auto serve =
          tls ? server_internal::ServeTls(std::move(socket), certificate().tls, control, context_)
              : server_internal::ServePlain(std::move(socket), control, context_);
      asio::co_spawn(strand, std::move(serve),
                     [this, control](const std::exception_ptr&) { connections_.Remove(control); });
    }
  }

  static constexpr int kBacklog = 1024;

  const HttpServerOptions options_;
  const Router router_;
  server_internal::ByteBudget bodies_;
  server_internal::Counters counters_;
  server_internal::ConnectionList connections_;
  std::atomic<bool> stopping_ = false, stopped_ = false;
  const server_internal::CrossOriginPolicy cross_origin_;
  server_internal::ConnectionContext context_;
  mutable Mutex certificate_mutex_;
  Certificate certificate_ GUARDED_BY(certificate_mutex_);
  asio::io_context io_;
  std::vector<tcp::acceptor> acceptors_;
  std::vector<tcp::endpoint> endpoints_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                      Router router) {
  auto server = std::make_unique<Server>(options, std::move(router));
  RETURN_IF_ERROR(server->Open());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace lethe
