#pragma once

// One connection over a plain or an encrypted stream. A template in a header of its own, because
// each of the two takes the compiler long enough.

#include <chrono>
#include <exception>
#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/encoding.h"
#include "server/internal/body_decoder.h"
#include "server/internal/connection.h"
#include "server/internal/host_header.h"
#include "server/internal/openai_error.h"
#include "server/internal/peer.h"
#include "server/internal/websocket_over.h"

namespace lethe::server_internal {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using Parser = http::request_parser<http::string_body>;
using Time = std::chrono::steady_clock;

inline constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

// Slower than this, and the connection is cut. Bodies may be speech that is sent as it is spoken:
// AMR has 600 bytes a second, Opus not much more. Answers are there already.
inline constexpr std::size_t kMillisPerBodyByte = 2;
inline constexpr std::size_t kLeastBytesPerMilli = 12;

inline HttpResponse PlainRefusal(int status, std::string_view why) {
  HttpResponse response;
  response.status = status;
  response.body = "{\"error\":{\"code\":" + std::to_string(status) + ",\"message\":\"" +
                  std::string(why) + "\"}}";
  return response;
}

inline HttpRequest ToRequest(const Parser::value_type& message, std::string peer) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  // The absolute form, as to a proxy (RFC 9112, section 3.2.2), and what joining a base URL that
  // ends with a slash makes.
  std::string_view target = request.target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  }
  while (target.starts_with("//")) target.remove_prefix(1);
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = mark == 0 ? "/" : PercentDecode(target.substr(0, mark), false);
  request.query = target.substr(std::min(mark + 1, target.size()));
  for (const auto& field : message) {
    request.headers.emplace_back(field.name_string(), field.value());
  }
  request.peer = std::move(peer);
  return request;
}

// 16 bytes in base64 (RFC 6455, section 4.2.1). Beast checks the rest of a handshake, but takes
// anything for a key.
inline bool HasWebSocketKey(const Parser::value_type& message) {
  constexpr std::size_t kKeyBytes = 16;
  const auto key = Base64Decode(std::string_view(message[http::field::sec_websocket_key]));
  return key && key->size() == kKeyBytes;
}

// Reads requests of one connection and answers them, one after the other.
template <class Stream>
class Connection {
 public:
  Connection(Stream stream, std::shared_ptr<ConnectionControl> control, ConnectionContext& context)
      : stream_(std::move(stream)),
        control_(std::move(control)),
        context_(context),
        options_(context.options) {
    boost::system::error_code error;
    const auto endpoint = beast::get_lowest_layer(stream_).socket().remote_endpoint(error);
    if (!error) peer_ = endpoint.address().to_string();
    control_->close = [this] { lowest().close(); };
  }
  ~Connection() { control_->close = nullptr; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Stream& stream() { return stream_; }

  Awaitable<void> Serve() {
    while (!context_.stopping) {
      const bool again = co_await ServeOne();
      control_->busy = false;
      if (!again) break;
    }
    if (!upgraded_) co_await Finish();
  }

 private:
  auto& lowest() { return beast::get_lowest_layer(stream_); }

  // True if another request may follow.
  Awaitable<bool> ServeOne() {
    if (buffer_.size() == 0) {
      lowest().expires_after(options_.idle_patience);
      auto room = buffer_.prepare(kFirstRead);
      const auto [error, size] = co_await stream_.async_read_some(room, kToken);
      if (error) co_return false;
      buffer_.commit(size);
    }
    const auto begun = Time::now();
    control_->busy = true;
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(options_.max_header));
    parser.body_limit(boost::none);
    lowest().expires_after(options_.header_patience);
    const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kToken);
    if (error) {
      co_await RefuseHeader(error);
      co_return false;
    }
    HttpRequest request = ToRequest(parser.get(), peer_);
    request.begun = begun;
    cross_origin_.clear();
    const bool head = request.method == "HEAD";
    // Clients of OpenAI's read what they get there in its form.
    const auto refuse = request.path.starts_with("/v1/") ? RefuseOpenAi : PlainRefusal;
    if (const auto why = HostProblem(request, parser.get().version()); !why.empty()) {
      ++context_.counters.bad_requests;
      co_await Answer(refuse(400, why), parser.get().version(), false, head);
      co_return false;
    }
    const Router::Match match =
        context_.router.Find(head ? "GET" : std::string_view(request.method), request.path);
    const bool upgrade = beast::websocket::is_upgrade(parser.get());
    if (match.route != nullptr && upgrade && (match.route->websocket || match.route->upgrade)) {
      if (!HasWebSocketKey(parser.get())) {
        ++context_.counters.bad_requests;
        co_await Answer(PlainRefusal(400, "Sec-WebSocket-Key is not 16 bytes in base64"),
                        parser.get().version(), false, head);
        co_return false;
      }
      co_await ServeWebSocket(parser, request, *match.route);
      co_return false;
    }
    if (match.route == nullptr || !match.route->http) {
      // Its body, if it has one, is not worth reading.
      const bool here = match.path_known;
      ++context_.counters.bad_requests;
      const std::string_view why =
          here ? "this path does not answer that method" : "there is nothing at this path";
      cross_origin_ = CrossOriginHeaders(match, request);
      if (match.cross_origin && CrossOriginPolicy::IsPreflight(request)) {
        co_return co_await Answer(context_.cross_origin.AnswerPreflight(request, match.allowed),
                                  parser.get().version(), parser.get().keep_alive(), head);
      }
      HttpResponse answer = refuse(here ? 405 : 404, why);
      if (here) answer.headers.emplace_back("Allow", match.allowed);
      co_await Answer(std::move(answer), parser.get().version(), false, head);
      co_return false;
    }
    cross_origin_ = CrossOriginHeaders(match, request);
    const Route& route = *match.route;
    std::size_t max_body = route.max_body;
    ByteBudget::Owner owner = ByteBudget::kNobody;
    if (route.head && IsLarge(parser, max_body)) {
      lowest().expires_never();
      HeadVerdict verdict = co_await Judge(route, request);
      if (verdict.refusal) {
        co_await Answer(*std::move(verdict.refusal), parser.get().version(), false, head);
        co_return false;
      }
      max_body = std::min(max_body, verdict.max_body);
      owner = verdict.app_id != 0 ? verdict.app_id : ByteBudget::kStrangers;
    }
    ByteLoan loan(context_.bodies, owner);
    const auto refusal = co_await ReadBody(parser, max_body, loan);
    if (refusal.first != 0) {
      ++context_.counters.bad_requests;
      if (refusal.first > 0) {
        HttpResponse answer = route.refuse ? route.refuse(refusal.first, refusal.second)
                                           : PlainRefusal(refusal.first, refusal.second);
        if (refusal.first == 415) {
          answer.headers.emplace_back("Accept-Encoding", BodyDecoder::kCodings);
        }
        co_await Answer(std::move(answer), parser.get().version(), false, head);
      }
      co_return false;
    }
    if (buffer_.size() == 0) buffer_.shrink_to_fit();  // the room for a body
    request.body = std::move(parser.get().body());
    const bool keep = parser.get().keep_alive() && !context_.stopping;
    lowest().expires_never();
    HttpResponse response = co_await HandleWatched(route, request);
    co_return co_await Answer(std::move(response), parser.get().version(), keep, head);
  }

  NamedValues CrossOriginHeaders(const Router::Match& match, const HttpRequest& request) const {
    return match.cross_origin ? context_.cross_origin.AnswerHeaders(request) : NamedValues();
  }

  Awaitable<HttpResponse> HandleWatched(const Route& route, HttpRequest& request) {
    const ResetWatch watch(lowest().socket());
    request.reset = watch.reset();
    co_return co_await Handle(route, request);
  }

  static Awaitable<HttpResponse> Handle(const Route& route, const HttpRequest& request) {
    // What the standard library throws for want of memory costs this request, not the service.
    try {
      co_return co_await route.http(request);
    } catch (const std::exception&) {
    }
    co_return RefuseBroken(route);
  }

  static Awaitable<HeadVerdict> Judge(const Route& route, const HttpRequest& request) {
    // As for requests.
    try {
      co_return co_await route.head(request);
    } catch (const std::exception&) {
    }
    co_return HeadVerdict{.refusal = RefuseBroken(route)};
  }

  static Awaitable<Upgrade> Decide(const Route& route, const HttpRequest& request) {
    // As for requests.
    try {
      co_return co_await route.upgrade(request);
    } catch (const std::exception&) {
    }
    co_return Upgrade{.refusal = RefuseBroken(route)};
  }

  static HttpResponse RefuseBroken(const Route& route) {
    constexpr std::string_view kWhy = "the service could not answer this request";
    return route.refuse ? route.refuse(500, kWhy) : PlainRefusal(500, kWhy);
  }

  Awaitable<void> RefuseHeader(boost::system::error_code error) {
    if (error == http::error::end_of_stream) co_return;
    ++context_.counters.bad_requests;
    if (error == beast::error::timeout) {
      co_return;  // the stream is closed already
    }
    const bool large = error == http::error::header_limit || error == http::error::buffer_overflow;
    if (error.category() != http::make_error_code(http::error::bad_method).category()) co_return;
    co_await Answer(PlainRefusal(large ? 431 : 400, large ? "the request's header is too large"
                                                          : "this is no HTTP request"),
                    11, false, false);
  }

  // Whether it is worth asking who sends a body: all connections together hold no more of smaller
  // ones than there is memory for. What is too large is refused without asking.
  static bool IsLarge(const Parser& parser, std::size_t max_body) {
    if (parser.is_done()) return false;
    const auto length = parser.content_length();
    const bool coded = parser.get().count(http::field::content_encoding) > 0;  // it may be a bomb
    return !length || coded || (*length > kSmallBody && *length <= max_body);
  }

  // Reads the body. A status and a reason to refuse it; a status of -1 if nobody is there to hear
  // them; 0 if all is well.
  Awaitable<std::pair<int, std::string_view>> ReadBody(Parser& parser, std::size_t max_body,
                                                       ByteLoan& loan) {
    using Refusal = std::pair<int, std::string_view>;
    constexpr std::string_view kTooLarge = "the request's body is too large";
    constexpr std::string_view kBusy = "too much is being uploaded at the moment";
    const auto length = parser.content_length();
    const std::string_view coding = parser.get()[http::field::content_encoding];
    std::optional<BodyDecoder> decoder;
    if (!coding.empty() && !beast::iequals(coding, "identity")) {
      if (!BodyDecoder::Knows(coding) || parser.get().count(http::field::content_encoding) > 1) {
        co_return Refusal(415,
                          "a body in that Content-Encoding is not read here: send it as it is");
      }
      decoder.emplace(coding);
    }
    if (length && *length > max_body) co_return Refusal(413, kTooLarge);
    parser.body_limit(max_body);
    // What is promised costs nothing, or promises would be enough to keep others out; what has come
    // is counted.
    const bool expects = parser.get().version() >= 11 &&
                         beast::iequals(parser.get()[http::field::expect], "100-continue");
    if (!parser.is_done() && expects) {
      http::response<http::empty_body> go_on(http::status::continue_, parser.get().version());
      const auto [error, size] = co_await http::async_write(stream_, go_on, kToken);
      if (error) co_return Refusal(-1, "");
    }
    // Every byte puts it off, but what came fast at first is no licence to be slow for hours.
    auto deadline = Time::now() + options_.body_patience;
    std::size_t seen = 0;
    // Beast reads as much at once as the buffer has room for.
    if (!parser.is_done()) {
      buffer_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(
          std::max<std::uint64_t>(length.value_or(kBodyRead), kFirstRead), kBodyRead)));
    }
    std::string& body = parser.get().body();
    std::size_t unpacked = 0;  // of what came
    while (!parser.is_done()) {
      const auto now = Time::now();
      const std::size_t came = unpacked + body.size() - seen;
      seen += came;
      deadline = std::min(deadline + Millis(came * kMillisPerBodyByte),
                          now + kMostAhead * options_.body_patience);
      if (now > deadline) co_return Refusal(408, "the request's body came too slowly");
      lowest().expires_after(options_.body_patience);
      const auto [error, size] = co_await http::async_read_some(stream_, buffer_, parser, kToken);
      if (error == http::error::body_limit) co_return Refusal(413, kTooLarge);
      if (error.category() == http::make_error_code(http::error::bad_method).category() && error &&
          error != http::error::partial_message && error != http::error::end_of_stream) {
        co_return Refusal(400, "the request's body is not well-formed");
      }
      if (error) co_return Refusal(-1, "");
      if (decoder) {
        unpacked += body.size();
        const Refusal refusal = decoder->Take(&body, max_body, loan);
        if (refusal.first != 0) co_return refusal;
      } else if (!loan.Grow(body.size())) {
        co_return Refusal(503, kBusy);
      }
    }
    if (decoder) {
      if (!decoder->complete()) co_return Refusal(400, "the request's body ends within its coding");
      body = std::move(*decoder).body();
    }
    co_return Refusal(0, "");
  }

  // True if the connection may go on.
  Awaitable<bool> Answer(HttpResponse answer, unsigned version, bool keep, bool head) {
    const std::shared_ptr<AnswerReceipt> receipt = answer.receipt;
    before_end_ = BeforeEnd(lowest().socket());
    if (receipt && !answer.stream) SettleIfClear(*receipt);
    const bool again = co_await Send(std::move(answer), version, keep, head);
    if (receipt && !receipt->settled()) {
      const bool arrived =
          co_await HasArrived(lowest().socket(), before_end_.written, options_.write_patience);
      receipt->Settle(arrived);
    }
    co_return again;
  }

  // What was known before an answer was written, or the last piece of a stream.
  struct BeforeEnd {
    BeforeEnd() = default;
    explicit BeforeEnd(boost::asio::ip::tcp::socket& socket)
        : peer(LookAtPeer(socket)), written(BytesWritten(socket)) {}
    PeerState peer = PeerState::kThere;
    std::uint64_t written = 0;
  };

  // Settles it unless only what comes back will show.
  void SettleIfClear(AnswerReceipt& receipt) const {
    if (before_end_.peer != PeerState::kSilent) {
      receipt.Settle(before_end_.peer == PeerState::kThere);
    }
  }

  Awaitable<bool> Send(HttpResponse answer, unsigned version, bool keep, bool head) {
    ++context_.counters.requests;
    http::response<http::string_body> message;
    message.version(version);
    message.result(static_cast<unsigned>(answer.status));
    message.set(http::field::server, "lethe");
    if (!answer.content_type.empty()) {
      message.set(http::field::content_type, answer.content_type);
    }
    for (const auto& [name, value] : answer.headers) message.set(name, value);
    for (const auto& [name, value] : cross_origin_) message.set(name, value);
    message.keep_alive(keep);
    if (answer.stream && !head) co_return co_await StreamBody(message, answer, keep);
    const std::size_t size = answer.body.size();
    if (head) {
      message.content_length(size);
    } else {
      message.body() = std::move(answer.body);
      message.prepare_payload();
    }
    http::response_serializer<http::string_body> serializer(message);
    lowest().expires_after(options_.write_patience + Millis(size / kLeastBytesPerMilli));
    boost::system::error_code error;
    if (head) {
      std::tie(error, std::ignore) = co_await http::async_write_header(stream_, serializer, kToken);
    } else {
      std::tie(error, std::ignore) = co_await http::async_write(stream_, serializer, kToken);
    }
    co_return !error && keep;
  }

  class ChunkWriter : public BodyWriter {
   public:
    ChunkWriter(Connection& owner, bool chunked) : owner_(owner), chunked_(chunked) {}
    Awaitable<bool> Write(std::string_view piece) override {
      if (gone_) co_return false;
      if (piece.empty()) co_return true;
      owner_.before_end_ = BeforeEnd(owner_.lowest().socket());
      owner_.lowest().expires_after(owner_.options_.write_patience);
      const auto bytes = asio::buffer(piece.data(), piece.size());
      boost::system::error_code error;
      if (chunked_) {
        std::tie(error, std::ignore) =
            co_await asio::async_write(owner_.stream_, http::make_chunk(bytes), kToken);
      } else {
        std::tie(error, std::ignore) = co_await asio::async_write(owner_.stream_, bytes, kToken);
      }
      owner_.lowest().expires_never();
      gone_ = static_cast<bool>(error);
      co_return !gone_;
    }
    bool gone() const { return gone_; }

   private:
    Connection& owner_;
    const bool chunked_;
    bool gone_ = false;
  };

  Awaitable<bool> StreamBody(const http::response<http::string_body>& like, HttpResponse& answer,
                             bool keep) {
    http::response<http::empty_body> header(like.base());
    // HTTP/1.0 knows no chunks; there the end of the connection is the end of the answer.
    const bool chunked = header.version() >= 11;
    if (chunked) {
      header.chunked(true);
    } else {
      header.keep_alive(false);
    }
    http::response_serializer<http::empty_body> serializer(header);
    lowest().expires_after(options_.write_patience);
    const auto [error, size] = co_await http::async_write_header(stream_, serializer, kToken);
    if (error) co_return false;
    ChunkWriter writer(*this, chunked);
    co_await answer.stream(writer);
    if (answer.receipt && writer.gone()) {
      answer.receipt->Settle(false);
    } else if (answer.receipt) {
      SettleIfClear(*answer.receipt);
    }
    if (writer.gone() || !chunked) co_return false;
    lowest().expires_after(options_.write_patience);
    const auto [last_error, last_size] =
        co_await asio::async_write(stream_, http::make_chunk_last(), kToken);
    co_return !last_error && keep;
  }

  Awaitable<void> ServeWebSocket(Parser& parser, const HttpRequest& request, const Route& route) {
    Upgrade upgrade{.websocket = route.websocket};
    if (route.upgrade) {
      lowest().expires_never();
      upgrade = co_await Decide(route, request);
    }
    if (!upgrade.websocket) {
      co_await Answer(std::move(upgrade.refusal), parser.get().version(), false, false);
      co_return;
    }
    upgraded_ = true;
    ++context_.counters.requests;
    auto socket = std::make_shared<WebSocketOver<Stream>>(std::move(stream_), route.max_message,
                                                          options_.write_patience, context_.bodies);
    control_->close = [socket] { socket->Cut(); };
    const bool accepted = co_await socket->Accept(parser.get(), upgrade.subprotocol);
    if (!accepted) {
      ++context_.counters.bad_requests;
      co_return;
    }
    bool failed = false;
    try {
      co_await upgrade.websocket(request, *socket);
    } catch (const std::exception&) {
      failed = true;
    }
    co_await socket->Close(failed ? 1011 : 1000, "");
  }

  // Says good-bye the way the carrier wants it.
  Awaitable<void> Finish() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      lowest().expires_after(options_.body_patience);
      co_await stream_.async_shutdown(kToken);
    }
    boost::system::error_code error;
    lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
    // What is still on its way is read and thrown away, a little of it: a client that is sending
    // a body we refused would lose our answer if we closed now (RFC 9112, section 9.6). Under TLS
    // nobody decrypts it.
    std::array<char, 4096> rest;
    const auto last = Time::now() + kLongestLinger;
    for (std::size_t bytes = 0; !error && bytes < kLingerBytes && Time::now() < last;) {
      lowest().expires_after(kLinger);
      const auto [why, size] = co_await lowest().async_read_some(asio::buffer(rest), kToken);
      error = why;
      bytes += size;
    }
    lowest().close();
  }

  static constexpr std::size_t kFirstRead = 4096;
  static constexpr std::size_t kSmallBody = std::size_t{16} << 10;
  static constexpr int kMostAhead = 2;
  static constexpr std::size_t kBodyRead = std::size_t{64} << 10;
  static constexpr Millis kLinger{2'000};  // without a byte
  static constexpr Millis kLongestLinger{60'000};
  static constexpr std::size_t kLingerBytes = std::size_t{256} << 20;

  Stream stream_;
  beast::flat_buffer buffer_;
  std::shared_ptr<ConnectionControl> control_;
  ConnectionContext& context_;
  const HttpServerOptions& options_;
  std::string peer_;
  BeforeEnd before_end_;
  NamedValues cross_origin_;  // added to the answer to the request at hand
  bool upgraded_ = false;
};

}  // namespace lethe::server_internal
