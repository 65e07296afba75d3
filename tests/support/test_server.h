#pragma once

// A server for tests, on a loopback port of its own: each connection is given to a handler that
// says byte by byte what goes over it, so that a test can misbehave as servers do.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mutex.h"
#include "base/sigpipe_guard.h"

namespace lethe {

class TestConnection {
 public:
  TestConnection(int fd, SSL* tls) : fd_(fd), tls_(tls) {}

  /// Returns head and body of the next request, as they came; what there was, if it ends early.
  std::string ReadRequest() {
    std::string text = ReadHead();
    ReadBody(text);
    return text;
  }

  /// The head of the next request, and what came with it of the body.
  std::string ReadHead() {
    std::string text;
    while (text.find(kBlankLine) == text.npos && ReadSome(text)) {
    }
    return text;
  }

  /// Appends what is missing of the body, or of its first `most` bytes.
  void ReadBody(std::string& text, std::size_t most = SIZE_MAX) {
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t head = text.find(kBlankLine);
    if (head == text.npos) return;
    const std::size_t length = text.find(kLength);
    const std::size_t body =
        length < head ? std::strtoul(text.c_str() + length + kLength.size(), nullptr, 10) : 0;
    const std::size_t end = head + kBlankLine.size() + std::min(body, most);
    while (text.size() < end && ReadSome(text)) {
    }
  }

  /// False once the other end is gone.
  bool Send(std::string_view text) {
    while (!text.empty()) {
      const auto n = tls_ ? SSL_write(tls_, text.data(), static_cast<int>(text.size()))
                          : send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  /// Answers in full and lets the connection end.
  void Answer(std::string_view status, std::string_view headers, std::string_view body) {
    Send("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(headers) + "\r\n" + std::string(body));
  }

  void WaitUntilTheOtherEndCloses() {
    std::string ignored;
    while (ReadSome(ignored)) ignored.clear();
  }

 private:
  static constexpr std::string_view kBlankLine = "\r\n\r\n";

  bool ReadSome(std::string& text) {
    char buffer[4096];
    const auto n = tls_ ? SSL_read(tls_, buffer, sizeof buffer) : read(fd_, buffer, sizeof buffer);
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  SSL* tls_;
};

class TestServer {
 public:
  using Handler = std::function<void(TestConnection&)>;

  /// `tls` null: plain. Borrowed. `address` is one of 127.0.0.0/8.
  explicit TestServer(Handler handler, SSL_CTX* tls = nullptr, const char* address = "127.0.0.1")
      : handler_(std::move(handler)), tls_(tls), address_(address) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    LETHE_CHECK(inet_pton(AF_INET, address, &own.sin_addr) == 1);
    socklen_t size = sizeof own;
    auto* const any = reinterpret_cast<sockaddr*>(&own);
    LETHE_CHECK(bind(listener_, any, size) == 0 && listen(listener_, 64) == 0 &&
                getsockname(listener_, any, &size) == 0);
    port_ = ntohs(own.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  ~TestServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const MutexLock lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  int num_connections() const { return num_connections_; }
  std::string Url(std::string_view path) const {
    return (tls_ ? "https://" : "http://") + address_ + ":" + std::to_string(port_) +
           std::string(path);
  }

 private:
  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++num_connections_;
      const MutexLock lock(mutex_);
      open_.insert(fd);
      threads_.emplace_back([this, fd] { Serve(fd); });
    }
  }

  void Serve(int fd) {
    const SigpipeGuard guard;
    SSL* const tls = tls_ ? SSL_new(tls_) : nullptr;
    if (tls) SSL_set_fd(tls, fd);
    if (!tls || SSL_accept(tls) == 1) {
      TestConnection connection(fd, tls);
      handler_(connection);
      if (tls) SSL_shutdown(tls);
    }
    SSL_free(tls);
    // Without this, closing with unread bytes would reset, and the client lose what was sent.
    shutdown(fd, SHUT_WR);
    const MutexLock lock(mutex_);
    open_.erase(fd);
    close(fd);
  }

  const Handler handler_;
  SSL_CTX* const tls_;
  const std::string address_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> num_connections_ = 0;
  std::thread acceptor_;
  Mutex mutex_;
  std::set<int> open_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;  // written by the acceptor, read when it has ended
};

}  // namespace lethe
