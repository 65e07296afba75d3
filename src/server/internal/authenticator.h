#pragma once

// Who is calling: signatures and bearer keys held against the stored keys. Blocks on the store.

#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "server/http.h"
#include "store/keys.h"

namespace lethe::server_internal {

/// Why somebody is not let in. The faces have their own codes for each.
enum class AuthFailure {
  kMalformed,    // the authorization cannot be read, or something it needs is missing
  kUnknownKey,   // no such key, or it is disabled
  kDisabled,     // its application is disabled
  kExpired,      // signed too long ago, or for a time to come
  kWrong,        // the signature is another
  kOtherApp,     // the key is not the named application's
  kUnavailable,  // the records did not answer
};

using AuthResult = std::variant<KeyOwner, AuthFailure>;

/// API 3.0: TC3 in the header, or the first version's parameters; `parameters` are those of the
/// form or the query, decoded. Five minutes either way.
AuthResult AuthenticateApi3(const HttpRequest& request, const NamedValues& parameters, Keys& keys,
                            const Clock& clock, const std::set<std::string>& canonical_hosts);

/// What the head of an API 3.0 request says before its body is there to be hashed: whose key it
/// names, in a header that was made in time.
AuthResult FindApi3Key(const HttpRequest& request, Keys& keys, const Clock& clock);

/// Realtime: `signature` in the query, or in the Authorization header; valid until `expired`.
/// `path_app_id` is what the path says.
AuthResult AuthenticateRealtime(const HttpRequest& request, std::string_view path_app_id,
                                Keys& keys, const Clock& clock,
                                const std::set<std::string>& canonical_hosts);

/// Flash: the Authorization header is the signature; three minutes either way.
AuthResult AuthenticateFlash(const HttpRequest& request, std::string_view path_app_id, Keys& keys,
                             const Clock& clock, const std::set<std::string>& canonical_hosts);

/// "Authorization: Bearer KEY", with any number of blanks between (RFC 9110, section 11.4).
AuthResult AuthenticateBearer(const HttpRequest& request, Keys& keys);

/// The same, or where browsers, which set no headers, put the key: into a subprotocol,
/// "openai-insecure-api-key.KEY".
AuthResult AuthenticateOpenAiSocket(const HttpRequest& request, Keys& keys);

/// The subprotocols that the client of an upgrade offers: Sec-WebSocket-Protocol, of which there
/// may be several (RFC 6455, section 11.3.4).
std::vector<std::string_view> Subprotocols(const HttpRequest& request);
bool OffersSubprotocol(const HttpRequest& request, std::string_view name);

}  // namespace lethe::server_internal
