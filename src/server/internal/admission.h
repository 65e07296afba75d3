#pragma once

// The door of the faces: who is calling, and may they call now?

#include <cstdint>
#include <functional>
#include <variant>

#include "base/status.h"
#include "server/faces.h"
#include "server/http.h"
#include "server/internal/authenticator.h"
#include "server/internal/subject.h"
#include "service/call_gate.h"
#include "store/applications.h"

namespace lethe::server_internal {

/// Somebody we know. With a permit they are in, until it is destroyed.
struct Caller {
  Application application;
  std::variant<Permit, GateRefusal> entry;
  Subject subject;
};

/// A Status when the pool took no more work.
using Admission = std::variant<Caller, AuthFailure, Status>;

/// Whose turn it is on the pool while nobody knows who is calling: that of the client's address, so
/// that strangers keep nobody else from being recognised.
std::uint64_t PeerOwner(const HttpRequest& request);

/// Whether a body is worth reading by what the request's head says of its caller, who is looked for
/// on the pool. `refuse` shapes the answer to a stranger; a Status says that the pool took no more
/// work.
Awaitable<HeadVerdict> JudgeHead(
    FaceContext& context, const HttpRequest& request, std::function<AuthResult()> authenticate,
    std::function<HttpResponse(const std::variant<AuthFailure, Status>&)> refuse);

/// For a handler to which bodies say nothing: it answers without them.
HeadHandler AnswerUnread(HttpHandler handler);

/// Authenticates on the pool, asks the gate and finds whom the call is about.
Awaitable<Admission> Admit(FaceContext& context, const HttpRequest& request, Interface interface,
                           std::function<AuthResult()> authenticate);

}  // namespace lethe::server_internal
