#include "server/internal/own_api_caller.h"

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "base/secret.h"
#include "server/internal/authenticator.h"
#include "server/internal/console_guard.h"

namespace lethe::server_internal {
namespace {

constexpr std::string_view kBasic = "Basic ", kConsole = "console:";

HttpResponse Unauthorized() {
  HttpResponse response =
      OwnApiError(401, "unauthenticated",
                  "send an application's bearer key, or the console's password as HTTP Basic with "
                  "the user \"console\"");
  response.headers.emplace_back("WWW-Authenticate", "Bearer, Basic realm=\"lethe\"");
  return response;
}

HttpResponse TooManyAttempts() {
  HttpResponse response =
      OwnApiError(429, "too_many_attempts", "too many wrong passwords from here; wait a minute");
  response.headers.emplace_back("Retry-After", "60");
  return response;
}

std::variant<OwnApiCaller, HttpResponse> IdentifyOperator(const HttpRequest& request,
                                                          std::string_view credentials,
                                                          ConsoleAccess& console) {
  // A browser that once was asked for the password sends it by itself, whoever's page asks.
  if (IsOfAnotherOrigin(request)) {
    return OwnApiError(403, "permission_denied", "this is not for pages of other origins");
  }
  auto plain = Base64Decode(credentials);
  if (!plain || !plain->starts_with(kConsole)) return Unauthorized();
  const ConsoleAccess::Verdict verdict =
      console.CheckPassword(std::string_view(*plain).substr(kConsole.size()), request.peer);
  WipeSecret(*plain);
  switch (verdict) {
    case ConsoleAccess::Verdict::kRight:
      return OwnApiCaller{};
    case ConsoleAccess::Verdict::kWrong:
      return Unauthorized();
    case ConsoleAccess::Verdict::kTooManyAttempts:
      return TooManyAttempts();
    case ConsoleAccess::Verdict::kUnavailable:
      break;
  }
  return OwnApiError(503, "unavailable", "the records do not answer; try again");
}

// No challenge: a browser would ask for a password in a window of its own.
HttpResponse SessionEnded() {
  return OwnApiError(401, "unauthenticated", "the session has ended; sign in again");
}

}  // namespace

HttpResponse OwnApiError(int status, std::string_view code, std::string_view message) {
  const nlohmann::ordered_json body = {{"error", {{"code", code}, {"message", message}}}};
  return {.status = status, .body = WriteLossyJson(body)};
}

HttpResponse OwnApiError(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return OwnApiError(400, "invalid_argument", status.message());
    case StatusCode::kNotFound:
      return OwnApiError(404, "not_found", status.message());
    case StatusCode::kFailedPrecondition:
      return OwnApiError(409, "failed_precondition", status.message());
    case StatusCode::kResourceExhausted:
      return OwnApiError(429, "resource_exhausted", status.message());
    case StatusCode::kUnavailable:
      return OwnApiError(503, "unavailable", status.message());
    default:
      return OwnApiError(500, "internal", "it failed here; the service's log says where");
  }
}

std::variant<OwnApiCaller, HttpResponse> IdentifyOwnApiCaller(const HttpRequest& request,
                                                              Keys& keys, ConsoleAccess& console) {
  const std::string_view authorization = request.Header("authorization");
  if (authorization.starts_with(kBasic)) {
    return IdentifyOperator(request, authorization.substr(kBasic.size()), console);
  }
  if (authorization.empty() && !request.Header("x-lethe-console").empty()) {
    if (!IsToOwnHost(request, console)) return OwnApiError(403, "other_host", kNotOwnHost);
    if (IsOperatorsBrowser(request, console)) return OwnApiCaller{};
    return SessionEnded();
  }
  const AuthResult owner = AuthenticateBearer(request, keys);
  if (const auto* known = std::get_if<KeyOwner>(&owner)) {
    return OwnApiCaller{.app_id = known->application.id};
  }
  switch (std::get<AuthFailure>(owner)) {
    case AuthFailure::kUnavailable:
      return OwnApiError(503, "unavailable", "the records do not answer; try again");
    case AuthFailure::kDisabled:
      return OwnApiError(403, "disabled", "the application is disabled");
    default:
      return Unauthorized();
  }
}

}  // namespace lethe::server_internal
