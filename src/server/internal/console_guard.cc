#include "server/internal/console_guard.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "server/internal/console_hosts.h"

namespace lethe::server_internal {
namespace {

constexpr std::string_view kHeader = "x-lethe-console";

bool IsSafe(std::string_view method) { return method == "GET" || method == "HEAD"; }

AuthResult CallOf(std::string_view app_id, Applications& applications) {
  AppId id = 0;
  const auto [end, error] = std::from_chars(app_id.data(), app_id.data() + app_id.size(), id);
  if (error != std::errc() || end != app_id.data() + app_id.size()) {
    return AuthFailure::kMalformed;
  }
  auto application = applications.Find(id);
  if (!application.ok()) {
    return application.status().code() == StatusCode::kNotFound ? AuthFailure::kOtherApp
                                                                : AuthFailure::kUnavailable;
  }
  if (!application->enabled) return AuthFailure::kDisabled;
  return KeyOwner{.application = *std::move(application), .key_id = "console", .secret = {}};
}

bool HasSession(const HttpRequest& request, ConsoleAccess& access) {
  return IsToOwnHost(request, access) &&
         access.Find(ConsoleToken(request), PageToken(request), true).has_value();
}

}  // namespace

std::string ConsoleCookie(const HttpRequest& request) {
  const std::string_view port = HostPort(request.Header("host"));
  return std::string("lethe_console") + (port.empty() ? "" : "_") + std::string(port);
}

std::string_view ConsoleToken(const HttpRequest& request) {
  const std::string ours = ConsoleCookie(request) + "=";
  for (const auto& [name, value] : request.headers) {
    if (ToLowerAscii(name) != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      pair.remove_prefix(std::min(pair.size(), pair.find_first_not_of(' ')));
      if (pair.starts_with(ours)) return pair.substr(ours.size());
    }
  }
  return {};
}

std::string_view PageToken(const HttpRequest& request) {
  if (const std::string_view said = request.Header(kHeader); !said.empty()) return said;
  for (std::string_view name : Subprotocols(request)) {
    if (!name.starts_with(kConsoleSubprotocol)) continue;
    name.remove_prefix(kConsoleSubprotocol.size());
    if (name.starts_with('.')) return name.substr(1);
  }
  return {};
}

bool IsSameOrigin(const HttpRequest& request) {
  std::string_view origin = request.Header("origin");
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  origin.remove_prefix(scheme + 3);
  return !origin.empty() && ToLowerAscii(origin) == ToLowerAscii(request.Header("host"));
}

bool IsOfAnotherOrigin(const HttpRequest& request) {
  const std::string_view site = request.Header("sec-fetch-site");
  if (site == "cross-site" || site == "same-site") return true;
  return !request.Header("origin").empty() && !IsSameOrigin(request);
}

bool IsToOwnHost(const HttpRequest& request, const ConsoleAccess& access) {
  return access.IsOwnHost(request.Header("host"), request.peer);
}

bool IsFromConsole(const HttpRequest& request) {
  if (request.Header(kHeader).empty()) return false;
  if (IsSafe(request.method) && request.Header("origin").empty()) return true;
  return IsSameOrigin(request);
}

bool IsOperatorsBrowser(const HttpRequest& request, ConsoleAccess& access) {
  return IsFromConsole(request) && HasSession(request, access);
}

std::optional<AuthResult> AuthenticateConsole(const HttpRequest& request, ConsoleAccess& access,
                                              Applications& applications) {
  if (request.Header(kHeader).empty() || !request.Header("authorization").empty()) {
    return std::nullopt;
  }
  if (!IsOperatorsBrowser(request, access)) return AuthFailure::kUnknownKey;
  return CallOf(request.Header("x-lethe-application"), applications);
}

std::optional<AuthResult> AuthenticateConsoleSocket(const HttpRequest& request,
                                                    std::string_view app_id, ConsoleAccess& access,
                                                    Applications& applications) {
  if (ConsoleToken(request).empty()) return std::nullopt;
  if (!IsSameOrigin(request) || !HasSession(request, access)) {
    return AuthFailure::kUnknownKey;
  }
  return CallOf(app_id, applications);
}

}  // namespace lethe::server_internal
