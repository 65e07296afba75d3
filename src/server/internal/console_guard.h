#pragma once

// What a browser's session opens, and what keeps pages of others from using it.
//
// The session is a cookie: HttpOnly, so that no script reads it, and SameSite=Strict, so that no
// other site's page sends it. Ports and schemes of one host are one site, so besides
//
//   - every request says X-Lethe-Console: 1, which a page of another origin may send only after
//     asking, and nobody answers that question here;
//   - one that changes something, and a WebSocket, which can say no such thing, comes with an
//     Origin that is the host it was sent to. One that came with another is refused in any case.

#include <optional>
#include <string>
#include <string_view>

#include "server/console_access.h"
#include "server/http.h"
#include "server/internal/authenticator.h"
#include "server/internal/console_sessions.h"
#include "store/applications.h"

namespace lethe::server_internal {

inline constexpr std::string_view kConsoleCookie = "lethe_console";

/// The token of the cookie; empty if there is none.
std::string_view ConsoleToken(const HttpRequest& request);

/// Whether the Origin is there and is the host that the request was sent to.
bool IsSameOrigin(const HttpRequest& request);

/// Whether it comes from our own page, as far as that can be seen: see above.
bool IsFromConsole(const HttpRequest& request);

/// Whether the operator's browser asks: it comes from our page, with a session, which is used by
/// it.
bool IsOperatorsBrowser(const HttpRequest& request, ConsoleAccess& access);

/// Somebody who signed in calls for an application: a request names it in X-Lethe-Application, a
/// WebSocket as `app_id`. Nothing when it is none of the console's calls: it has no such header, or
/// no cookie. Blocks on the store.
std::optional<AuthResult> AuthenticateConsole(const HttpRequest& request, ConsoleAccess& access,
                                              Applications& applications);
std::optional<AuthResult> AuthenticateConsoleSocket(const HttpRequest& request,
                                                    std::string_view app_id, ConsoleAccess& access,
                                                    Applications& applications);

}  // namespace lethe::server_internal
