#include "server/internal/admission.h"

#include <string>
#include <utility>

#include "server/internal/run_on.h"

namespace lethe::server_internal {

std::uint64_t PeerOwner(const HttpRequest& request) {
  // Applications are small numbers, so no address is one of them.
  return std::hash<std::string>()(request.peer) | std::uint64_t{1} << 63;
}

Awaitable<HeadVerdict> JudgeHead(
    FaceContext& context, const HttpRequest& request, std::function<AuthResult()> authenticate,
    std::function<HttpResponse(const std::variant<AuthFailure, Status>&)> refuse) {
  using Found = std::variant<AppId, AuthFailure, Status>;
  std::function<Found()> work = [authenticate = std::move(authenticate)]() -> Found {
    const AuthResult result = authenticate();
    if (const auto* failure = std::get_if<AuthFailure>(&result)) return *failure;
    return std::get<KeyOwner>(result).application.id;
  };
  std::function<Found(const Status&)> busy = [](const Status& status) -> Found { return status; };
  const Found found = co_await RunOn<Found>(context.quick_pool, PeerOwner(request), std::move(work),
                                            std::move(busy));
  if (const auto* failure = std::get_if<AuthFailure>(&found)) {
    co_return HeadVerdict{.refusal = refuse(*failure)};
  }
  if (const auto* status = std::get_if<Status>(&found)) {
    co_return HeadVerdict{.refusal = refuse(*status)};
  }
  co_return HeadVerdict{.app_id = std::get<AppId>(found)};
}

HeadHandler AnswerUnread(HttpHandler handler) {
  return [handler = std::move(handler)](const HttpRequest& request) -> Awaitable<HeadVerdict> {
    HttpResponse answer = co_await handler(request);
    co_return HeadVerdict{.refusal = std::move(answer)};
  };
}

Awaitable<Admission> Admit(FaceContext& context, const HttpRequest& request, Interface interface,
                           std::function<AuthResult()> authenticate) {
  std::function<Admission()> work = [&context, interface, subject = SubjectName(request),
                                     authenticate = std::move(authenticate)]() -> Admission {
    AuthResult result = authenticate();
    if (const auto* failure = std::get_if<AuthFailure>(&result)) return *failure;
    Application application = std::get<KeyOwner>(std::move(result)).application;
    Subject found = FindSubject(context, application.id, subject);
    auto entry = context.gate.Enter(application, interface);
    return Caller{std::move(application), std::move(entry), std::move(found)};
  };
  std::function<Admission(const Status&)> refused = [](const Status& status) -> Admission {
    return status;
  };
  Admission admission = co_await RunOn<Admission>(context.quick_pool, PeerOwner(request),
                                                  std::move(work), std::move(refused));
  co_return admission;
}

}  // namespace lethe::server_internal
