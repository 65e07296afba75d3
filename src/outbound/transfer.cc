#include "outbound/internal/transfer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/sigpipe_guard.h"
#include "base/trim.h"

namespace lethe {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How often the caller is asked whether it gave up.
constexpr Millis kTick{100};
// All of an answer's headers together, interim answers included; servers send one or two KiB.
constexpr std::size_t kMaxHeaderBytes = 65'536;

bool StartsWithIgnoringCase(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(),
                    [](char x, char y) { return x == (y >= 'A' && y <= 'Z' ? y - 'A' + 'a' : y); });
}

// libcurl declares less room than an IPv6 address has, and gives as much as addrlen says.
std::optional<IpAddress> AddressOf(const curl_sockaddr& peer, int& port) {
  const auto* raw = reinterpret_cast<const std::byte*>(&peer) + offsetof(curl_sockaddr, addr);
  IpAddress address;
  if (peer.family == AF_INET && peer.addrlen >= sizeof(sockaddr_in)) {
    sockaddr_in v4;
    std::memcpy(&v4, raw, sizeof v4);
    std::memcpy(address.bytes.data(), &v4.sin_addr, 4);
    port = ntohs(v4.sin_port);
    return address;
  }
  if (peer.family == AF_INET6 && peer.addrlen >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, raw, sizeof v6);
    std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
    address.v6 = true;
    port = ntohs(v6.sin6_port);
    return address;
  }
  return std::nullopt;
}

class Exchange {
 public:
  using Sink = std::function<Status(std::span<const std::byte>)>;

  Exchange(const TransferRequest& request, const Sink& sink) : request_(request), sink_(sink) {}
  ~Exchange() {
    if (multi_ && easy_) curl_multi_remove_handle(multi_.get(), easy_.get());
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Result<TransferAnswer> Run();

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    LETHE_CHECK(curl_easy_setopt(easy_.get(), option, value) == CURLE_OK);
  }
  void SetOptions();
  void SetCage();
  void SetRequest();

  // Goes on until libcurl is done or one of our limits is reached.
  Result<CURLcode> Drive();
  Status CheckTime();
  Status Explain(CURLcode code) const;
  Status Fail(StatusCode code, const std::string& what) const {
    return {code, request_.url.host + ": " + what};
  }

  bool Allows(const std::optional<IpAddress>& address, int port);
  static curl_socket_t OnSocket(void* self, curlsocktype purpose, curl_sockaddr* peer);
  static int OnConnected(void* self, char* peer, char* local, int peer_port, int local_port);
  static std::size_t OnHeader(char* line, std::size_t one, std::size_t size, void* self);
  static std::size_t OnBody(char* bytes, std::size_t one, std::size_t size, void* self);
  // Whether the answer goes on behind its headers.
  bool EndHeaders();
  Status Take(std::span<const std::byte> bytes);

  const TransferRequest& request_;
  const Sink& sink_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_{curl_easy_init(), curl_easy_cleanup};
  std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_{curl_multi_init(),
                                                               curl_multi_cleanup};
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_{nullptr,
                                                                       curl_slist_free_all};
  TransferAnswer answer_;
  Status failure_;         // why a callback of ours ended it
  bool refused_ = false;   // an address was
  bool complete_ = false;  // what we wanted is here, though more would have come
  std::size_t header_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  // The stretch over which the rate is measured.
  SteadyClock::time_point stretch_begin_ = SteadyClock::now();
  std::uint64_t stretch_bytes_ = 0;
};

void Exchange::SetCage() {
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_PROXY, "");  // also none of the environment's
  Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  Set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  Set(CURLOPT_FOLLOWLOCATION, 0L);  // every redirect is a request of ours
  Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(CURLOPT_HTTP09_ALLOWED, 0L);
  Set(CURLOPT_SSL_VERIFYPEER, 1L);
  Set(CURLOPT_SSL_VERIFYHOST, 2L);
  Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!request_.ca_file.empty()) {
    Set(CURLOPT_CAINFO, request_.ca_file.c_str());
    Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  Set(CURLOPT_OPENSOCKETFUNCTION, &OnSocket);
  Set(CURLOPT_OPENSOCKETDATA, this);
  Set(CURLOPT_PREREQFUNCTION, &OnConnected);
  Set(CURLOPT_PREREQDATA, this);
}

void Exchange::SetRequest() {
  if (request_.post) {
    Set(CURLOPT_POST, 1L);
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    // Null would make libcurl read standard input.
    Set(CURLOPT_POSTFIELDS, request_.body.empty() ? "" : request_.body.data());
  }
  // Without "Expect", a body is not held back until the server asks for it: many never do.
  for (const char* line : {"Expect:", "Accept: */*"}) {
    headers_.reset(curl_slist_append(headers_.release(), line));
  }
  for (const std::string& line : request_.headers) {
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
  }
  LETHE_CHECK(headers_ != nullptr);
  Set(CURLOPT_HTTPHEADER, headers_.get());
}

void Exchange::SetOptions() {
  SetCage();
  Set(CURLOPT_URL, request_.url.text.c_str());
  Set(CURLOPT_USERAGENT, "Lethe");
  SetRequest();
  Set(CURLOPT_NOSIGNAL, 1L);
  // A name server that does not answer would hold a call beyond its time: the thread that asks it
  // is left to end by itself.
  Set(CURLOPT_QUICK_EXIT, 1L);
  const auto left = std::chrono::ceil<Millis>(request_.deadline - SteadyClock::now());
  Set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(
          std::clamp(request_.connect_time, Millis(1), std::max(left, Millis(1))).count()));
  Set(CURLOPT_HEADERFUNCTION, &OnHeader);
  Set(CURLOPT_HEADERDATA, this);
  Set(CURLOPT_WRITEFUNCTION, &OnBody);
  Set(CURLOPT_WRITEDATA, this);
}

Result<TransferAnswer> Exchange::Run() {
  LETHE_CHECK(easy_ && multi_);
  SetOptions();
  LETHE_CHECK(curl_multi_add_handle(multi_.get(), easy_.get()) == CURLM_OK);
  ASSIGN_OR_RETURN(const CURLcode code, Drive());
  if (!complete_) RETURN_IF_ERROR(Explain(code));
  return std::move(answer_);
}

Result<CURLcode> Exchange::Drive() {
  while (true) {
    int running = 0;
    LETHE_CHECK(curl_multi_perform(multi_.get(), &running) == CURLM_OK);
    if (running == 0) break;
    RETURN_IF_ERROR(CheckTime());
    const auto left = std::chrono::ceil<Millis>(request_.deadline - SteadyClock::now());
    const Millis wait = std::clamp(left, Millis(0), kTick);
    curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
  int queued = 0;
  const CURLMsg* message = curl_multi_info_read(multi_.get(), &queued);
  LETHE_CHECK(message != nullptr && message->msg == CURLMSG_DONE);
  return message->data.result;
}

Status Exchange::CheckTime() {
  if (request_.cancelled && request_.cancelled()) return Cancelled("cancelled");
  const auto now = SteadyClock::now();
  if (now >= request_.deadline) return Fail(StatusCode::kUnavailable, "not done in its time");
  const auto stretch = std::chrono::floor<Millis>(now - stretch_begin_);
  if (request_.idle_time > Millis(0) && stretch >= request_.idle_time) {
    const auto rate = static_cast<std::uint64_t>(std::max(request_.min_bytes_per_second, 1));
    if (stretch_bytes_ * 1000 < rate * static_cast<std::uint64_t>(stretch.count())) {
      return Fail(StatusCode::kUnavailable,
                  "sends less than " + std::to_string(rate) + " bytes a second");
    }
    stretch_begin_ = now;
    stretch_bytes_ = 0;
  }
  return OkStatus();
}

Status Exchange::Explain(CURLcode code) const {
  if (!failure_.ok()) return failure_;
  // Of several addresses of a name, those allowed were tried and did not answer.
  if (code != CURLE_OK && refused_) {
    return Fail(StatusCode::kPermissionDenied,
                "has an address that may not be reached (private, reserved or of this machine)");
  }
  switch (code) {
    case CURLE_OK:
      return OkStatus();
    case CURLE_COULDNT_RESOLVE_HOST:
      return Fail(StatusCode::kUnavailable, "no address is known for this name");
    case CURLE_COULDNT_CONNECT:
      return Fail(StatusCode::kUnavailable, "no connection");
    case CURLE_OPERATION_TIMEDOUT:
      return Fail(StatusCode::kUnavailable, "no connection in its time");
    case CURLE_PEER_FAILED_VERIFICATION:
      return Fail(StatusCode::kUnavailable, "its TLS certificate is not to be trusted");
    case CURLE_SSL_CONNECT_ERROR:
      return Fail(StatusCode::kUnavailable, "no TLS connection");
    case CURLE_SSL_CACERT_BADFILE:
      return FailedPrecondition("the file of trusted certificates cannot be read");
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return Fail(StatusCode::kUnavailable, "the connection ended in the middle");
    default:
      // libcurl's own words for the kind of error, without anything of this call.
      return Fail(StatusCode::kUnavailable, curl_easy_strerror(code));
  }
}

bool Exchange::Allows(const std::optional<IpAddress>& address, int port) {
  if (address && request_.rules.Allows(*address) && request_.rules.AllowsPort(port)) return true;
  refused_ = true;
  return false;
}

// Called for every address that libcurl is about to connect to.
curl_socket_t Exchange::OnSocket(void* self, curlsocktype purpose, curl_sockaddr* peer) {
  int port = 0;
  const auto address = AddressOf(*peer, port);
  if (purpose != CURLSOCKTYPE_IPCXN || peer->socktype != SOCK_STREAM ||
      !static_cast<Exchange*>(self)->Allows(address, port)) {
    return CURL_SOCKET_BAD;
  }
  return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

// A second look before the first byte of the request, at who is at the other end now.
int Exchange::OnConnected(void* self, char* peer, char* /*local*/, int peer_port,
                          int /*local_port*/) {
  return static_cast<Exchange*>(self)->Allows(ParseIpAddress(peer), peer_port)
             ? CURL_PREREQFUNC_OK
             : CURL_PREREQFUNC_ABORT;
}

std::size_t Exchange::OnHeader(char* line, std::size_t /*one*/, std::size_t size, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  constexpr std::string_view kLocation = "location:";
  exchange.header_bytes_ += size;
  exchange.stretch_bytes_ += size;
  if (exchange.header_bytes_ > kMaxHeaderBytes) {
    exchange.failure_ =
        exchange.Fail(StatusCode::kResourceExhausted, "answers with endless headers");
    return 0;
  }
  const std::string_view text(line, size);
  if (text.starts_with("HTTP/")) {
    exchange.answer_ = {};
  } else if (StartsWithIgnoringCase(text, kLocation)) {
    exchange.answer_.location = Trim(text.substr(kLocation.size()));
  } else if (Trim(text).empty() && exchange.body_bytes_ == 0) {
    return exchange.EndHeaders() ? size : 0;
  }
  return size;
}

bool Exchange::EndHeaders() {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  if (status < 200) return true;  // an interim answer; the real one follows
  if (!request_.any_status && status >= 300) {
    complete_ = true;
    return false;
  }
  curl_off_t length = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length > 0 && static_cast<std::uint64_t>(length) > request_.max_bytes) {
    failure_ = Fail(StatusCode::kResourceExhausted,
                    "answers with more than " + std::to_string(request_.max_bytes) + " bytes");
    return false;
  }
  return true;
}

std::size_t Exchange::OnBody(char* bytes, std::size_t /*one*/, std::size_t size, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.failure_ = exchange.Take(std::as_bytes(std::span(bytes, size)));
  return exchange.failure_.ok() ? size : 0;
}

Status Exchange::Take(std::span<const std::byte> bytes) {
  body_bytes_ += bytes.size();
  stretch_bytes_ += bytes.size();
  if (body_bytes_ > request_.max_bytes) {
    return Fail(StatusCode::kResourceExhausted,
                "answers with more than " + std::to_string(request_.max_bytes) + " bytes");
  }
  const auto before = SteadyClock::now();
  Status taken = sink_(bytes);
  stretch_begin_ += SteadyClock::now() - before;
  return taken;
}

}  // namespace

Result<TransferAnswer> Transfer(const TransferRequest& request,
                                const std::function<Status(std::span<const std::byte>)>& sink) {
  PrepareTransfers();
  const SigpipeGuard guard;
  return Exchange(request, sink).Run();
}

void PrepareTransfers() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  LETHE_CHECK(code == CURLE_OK);
}

}  // namespace lethe
