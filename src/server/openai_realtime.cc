#include "server/openai_realtime.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/asio/this_coro.hpp>

#include "base/random.h"
#include "server/internal/admission.h"
#include "server/internal/openai_error.h"
#include "server/internal/openai_realtime_hearing.h"
#include "server/internal/openai_realtime_session.h"
#include "server/internal/processing.h"
#include "server/internal/run_on.h"
#include "service/live_call.h"

namespace lethe {
namespace {

using server_internal::Admission;
using server_internal::AuthFailure;
using server_internal::AuthResult;
using server_internal::Caller;
using server_internal::Hearing;
using server_internal::OpenAiDialect;
using server_internal::OpenAiError;
using server_internal::OpenAiErrorResponse;
using server_internal::OpenAiRealtimeSession;
using server_internal::RealtimeSettings;
using server_internal::RunOn;

constexpr std::string_view kPath = "/v1/realtime";
constexpr std::string_view kSubprotocol = "realtime";
constexpr std::string_view kBetaSubprotocol = "openai-beta.realtime-v1";

// What the handlers of all sessions share; it goes with the router.
struct Face {
  Face(FaceContext& c, const OpenAiRealtimeOptions& o)
      : context(c), options(o), decoders(c.media, 0) {}

  FaceContext& context;
  const OpenAiRealtimeOptions options;
  LiveDecoders decoders;  // none: all formats are samples
};

OpenAiError PoolRefused(const Status& status) {
  return status.code() == StatusCode::kResourceExhausted
             ? server_internal::TooManyCalls()
             : server_internal::NoService("The service is stopping.");
}

// The settings that the address asks for.
std::variant<RealtimeSettings, OpenAiError> ReadAddress(const HttpRequest& request) {
  const NamedValues query = ParseQuery(request.query, true);
  const std::string intent = FindValue(query, "intent").value_or("");
  if (!intent.empty() && intent != "transcription") {
    return server_internal::BadField("intent", "intent has to be transcription.");
  }
  if (FindValue(query, "call_id")) {
    return server_internal::BadField("call_id", "Calls by SIP or WebRTC are not offered here.");
  }
  RealtimeSettings settings;
  const std::string model = FindValue(query, "model").value_or("");
  // The alias of a model that transcribes begins as one of those that converse.
  if (!model.empty() &&
      (model == "gpt-realtime-whisper" || !server_internal::IsConversationModel(model))) {
    settings.model = model;
  }
  return settings;
}

OpenAiDialect DialectOf(const HttpRequest& request) {
  const bool beta = request.Header("openai-beta").find("realtime=v1") != std::string_view::npos ||
                    server_internal::OffersSubprotocol(request, kBetaSubprotocol);
  return beta ? OpenAiDialect::kBeta : OpenAiDialect::kGa;
}

Awaitable<void> Serve(std::shared_ptr<Face> face,
                      std::shared_ptr<OpenAiRealtimeSession::Entry> entry, WebSocket& socket) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto session = std::make_shared<OpenAiRealtimeSession>(
      face->context, face->options, face->decoders, socket, executor, std::move(*entry));
  entry.reset();
  co_await session->Run();
}

using Found = std::variant<Hearing, OpenAiError>;

Awaitable<Found> Find(FaceContext& context, const Caller& caller, const HttpRequest& request) {
  auto settings = ReadAddress(request);
  if (auto* error = std::get_if<OpenAiError>(&settings)) co_return Found(std::move(*error));
  std::function<Found()> work =
      [&context, application = caller.application, subject = caller.subject,
       settings = std::get<RealtimeSettings>(std::move(settings))]() mutable -> Found {
    const auto refusal = server_internal::CheckProcessing(context, application, subject);
    if (refusal) return server_internal::NotProcessed(*refusal);
    return server_internal::FindHearing(context, application.id, std::move(settings));
  };
  std::function<Found(const Status&)> refused = [](const Status& status) -> Found {
    return PoolRefused(status);
  };
  co_return co_await RunOn<Found>(context.quick_pool, caller.application.id, std::move(work),
                                  std::move(refused));
}

Awaitable<Upgrade> Decide(std::shared_ptr<Face> face, const HttpRequest& request) {
  FaceContext& context = face->context;
  const WallTime started = context.clock.Now();
  const std::string id = RandomUuid();
  std::string subject;
  const auto refuse = [&](const OpenAiError& error, std::optional<AppId> app_id) {
    if (app_id) {
      context.meter.Record({.app_id = *app_id,
                            .interface = Interface::kOpenAiRealtime,
                            .call_id = id,
                            .result_code = std::to_string(error.status),
                            .succeeded = false,
                            .start = started,
                            .end = context.clock.Now(),
                            .subject = subject});
    }
    Upgrade upgrade{.refusal = OpenAiErrorResponse(error)};
    server_internal::SetRequestId(&upgrade.refusal, id);
    return upgrade;
  };
  std::function<AuthResult()> authenticate = [request, keys = &context.store.keys()] {
    return server_internal::AuthenticateOpenAiSocket(request, *keys);
  };
  Admission admission = co_await server_internal::Admit(
      context, request, Interface::kOpenAiRealtime, std::move(authenticate));
  if (const auto* failure = std::get_if<AuthFailure>(&admission)) {
    co_return refuse(server_internal::NotLetIn(*failure), std::nullopt);
  }
  if (const auto* status = std::get_if<Status>(&admission)) {
    co_return refuse(PoolRefused(*status), std::nullopt);
  }
  Caller& caller = std::get<Caller>(admission);
  const AppId app_id = caller.application.id;
  subject = caller.subject.pseudonym;
  if (std::holds_alternative<GateRefusal>(caller.entry)) {
    co_return refuse(server_internal::TooManyCalls(), app_id);
  }
  Found found = co_await Find(context, caller, request);
  if (const auto* error = std::get_if<OpenAiError>(&found)) co_return refuse(*error, app_id);
  auto entry = std::make_shared<OpenAiRealtimeSession::Entry>();
  entry->application = caller.application;
  entry->subject = caller.subject;
  entry->permit = std::get<Permit>(std::move(caller.entry));
  entry->dialect = DialectOf(request);
  entry->hearing = std::get<Hearing>(std::move(found));
  entry->started = started;
  Upgrade upgrade;
  if (server_internal::OffersSubprotocol(request, kSubprotocol)) {
    upgrade.subprotocol = kSubprotocol;
  }
  upgrade.websocket = [face, entry](const HttpRequest&, WebSocket& socket) {
    return Serve(face, entry, socket);
  };
  co_return upgrade;
}

Awaitable<HttpResponse> AskForUpgrade(const HttpRequest&) {
  HttpResponse response = OpenAiErrorResponse(
      {.status = 426, .message = "This address speaks WebSocket.", .code = "upgrade_required"});
  response.headers.emplace_back("Upgrade", "websocket");
  co_return response;
}

Awaitable<HttpResponse> NotOffered(const HttpRequest&) {
  co_return OpenAiErrorResponse(
      {.status = 404,
       .message = "Client secrets and calls are not offered here; GET /v1/realtime opens a "
                  "transcription session with an API key.",
       .code = "unsupported_endpoint"});
}

}  // namespace

void AddOpenAiRealtimeRoutes(Router& router, FaceContext& context,
                             const OpenAiRealtimeOptions& options) {
  const auto face = std::make_shared<Face>(context, options);
  Route sessions{.method = "GET",
                 .path = std::string(kPath),
                 .http = AskForUpgrade,
                 .refuse = server_internal::RefuseOpenAi,
                 .max_message = options.max_message};
  sessions.upgrade = [face](const HttpRequest& request) { return Decide(face, request); };
  router.Add(std::move(sessions));
  // Bodies of requests that are refused: those OpenAI knows are small.
  constexpr std::size_t kMaxBody = std::size_t{1} << 20;
  router.Add({.method = "POST",
              .path = std::string(kPath) + "/*",
              .max_body = kMaxBody,
              .http = NotOffered,
              .head = server_internal::AnswerUnread(NotOffered),
              .refuse = server_internal::RefuseOpenAi});
}

}  // namespace lethe
