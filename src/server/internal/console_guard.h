#pragma once

// What a browser's session opens, and what keeps pages of others from using it.
//
// A session is two secrets. One is a cookie: HttpOnly, so that no script reads it, and
// SameSite=Strict, so that no other site's page sends it. Ports and schemes of one host are one
// site to cookies, and a server on another port is sent them; so the other secret is kept by our
// page, which only pages of the same origin read. A request has it as the value of X-Lethe-Console,
// which a page of another origin may send only after asking, and nobody answers that question here;
// a WebSocket offers it as a subprotocol. Besides, what changes something and a WebSocket come with
// an Origin that is the host they were sent to; one that came with another is refused in any case.
// And that host is one of ours, not a name of somebody's that was made to lead here.

#include <optional>
#include <string>
#include <string_view>

#include "server/console_access.h"
#include "server/http.h"
#include "server/internal/authenticator.h"
#include "server/internal/console_sessions.h"
#include "store/applications.h"

namespace lethe::server_internal {

inline constexpr std::string_view kConsoleSubprotocol = "lethe-console";

/// What our cookie is called where the browser reaches us: with the port, because a browser sends
/// cookies to all ports of a host and keeps one of a name, so that of two services one would sign
/// out the other.
std::string ConsoleCookie(const HttpRequest& request);

/// The token of the cookie; empty if there is none.
std::string_view ConsoleToken(const HttpRequest& request);

/// The page's secret, which it has besides; empty if it does not say one.
std::string_view PageToken(const HttpRequest& request);

/// Whether the Origin is there and is the host that the request was sent to.
bool IsSameOrigin(const HttpRequest& request);

/// Whether a browser says that a page of another origin asks.
bool IsOfAnotherOrigin(const HttpRequest& request);

/// Whether it came to us under a name of ours (server/internal/console_hosts.h).
bool IsToOwnHost(const HttpRequest& request, const ConsoleAccess& access);

/// What whoever came under another name is told.
inline constexpr std::string_view kNotOwnHost =
    "the console does not answer under this host name; on this machine it is at "
    "http://127.0.0.1:8089/console/ (or another port), and other names are allowed by the "
    "operator: console.hosts in the configuration, or --console.hosts NAME";

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
