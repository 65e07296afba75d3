#include "server/realtime.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/this_coro.hpp>

#include "server/internal/admission.h"
#include "server/internal/authenticator.h"
#include "server/internal/console_guard.h"
#include "server/internal/realtime_session.h"
#include "service/live_call.h"

namespace lethe {
namespace {

using server_internal::RealtimeSession;

// What the handlers of all calls share; it goes with the router.
struct Face {
  Face(FaceContext& c, const RealtimeOptions& o)
      : context(c), options(o), decoders(c.media, o.max_decoders) {}

  FaceContext& context;
  const RealtimeOptions options;
  LiveDecoders decoders;
};

Awaitable<void> Serve(std::shared_ptr<Face> face, const HttpRequest& request, WebSocket& socket) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto session = std::make_shared<RealtimeSession>(face->context, face->options,
                                                         face->decoders, socket, executor);
  co_await session->Run(request);
}

// The cloud's other streams (contract, section 7), which there are none of here. Their clients
// listen for a frame with a code, and so they are told: 4003, "not activated".
constexpr std::string_view kNotOffered =
    "this interface is not offered here; speech is recognised at /asr/v2/";

std::string RefusalOf(const HttpRequest& request) {
  const std::string voice_id = server_internal::VoiceId(ParseQuery(request.query, false));
  return server_internal::Refusal(server_internal::kNotActivated, kNotOffered, voice_id);
}

Awaitable<void> RefuseStream(const HttpRequest& request, WebSocket& socket) {
  const std::string frame = RefusalOf(request);
  const bool told = co_await socket.Send(frame);
  if (told) co_await socket.Close(1000, "");
}

// The form of before WebSockets: a POST for each slice.
Awaitable<HttpResponse> RefuseSlice(const HttpRequest& request) {
  co_return HttpResponse{.body = RefusalOf(request)};
}

void AddRefusals(Router& router) {
  constexpr std::size_t kMaxSlice = std::size_t{1} << 20;
  for (const char* path : {"/asr/speech_translate/*", "/asr/virtual_number/v1/*", "/asr/si/*"}) {
    Route route{.method = "GET", .path = path};
    route.websocket = RefuseStream;
    router.Add(std::move(route));
  }
  Route slices{.method = "POST", .path = "/asr/v1/*", .max_body = kMaxSlice};
  slices.http = RefuseSlice;
  slices.head = server_internal::AnswerUnread(RefuseSlice);
  router.Add(std::move(slices));
}

// Browsers ask for it from pages of any origin before they sign.
Awaitable<HttpResponse> ServerTime(const Clock& clock) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.Now().time_since_epoch());
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = std::to_string(now.count());
  response.headers = {{"Access-Control-Allow-Origin", "*"}, {"Cache-Control", "no-store"}};
  co_return response;
}

}  // namespace

void AddRealtimeRoutes(Router& router, FaceContext& context, const RealtimeOptions& options) {
  const auto face = std::make_shared<Face>(context, options);
  Route calls{.method = "GET", .path = "/asr/v2/*", .max_message = options.max_message};
  calls.websocket = [face](const HttpRequest& request, WebSocket& socket) {
    return Serve(face, request, socket);
  };
  // A browser that offers subprotocols wants one of them chosen.
  calls.upgrade = [face](const HttpRequest& asked) -> Awaitable<Upgrade> {
    Upgrade upgrade;
    if (server_internal::OffersSubprotocol(asked, server_internal::kConsoleSubprotocol)) {
      upgrade.subprotocol = server_internal::kConsoleSubprotocol;
    }
    upgrade.websocket = [face](const HttpRequest& request, WebSocket& socket) {
      return Serve(face, request, socket);
    };
    co_return upgrade;
  };
  router.Add(std::move(calls));
  Route time{.method = "GET", .path = "/server_time"};
  time.http = [&context](const HttpRequest&) { return ServerTime(context.clock); };
  router.Add(std::move(time));
  AddRefusals(router);
}

}  // namespace lethe
