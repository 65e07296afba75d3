#include "server/internal/admission.h"

#include <string>
#include <utility>

#include "server/internal/run_on.h"

namespace lethe::server_internal {

std::uint64_t PeerOwner(const HttpRequest& request) {
  // Applications are small numbers, so no address is one of them.
  return std::hash<std::string>()(request.peer) | std::uint64_t{1} << 63;
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
