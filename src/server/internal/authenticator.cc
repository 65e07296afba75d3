#include "server/internal/authenticator.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/encoding.h"
#include "server/internal/signature.h"

namespace lethe::server_internal {
namespace {

using std::chrono::seconds;

constexpr seconds kApi3Window{300};
constexpr seconds kFlashWindow{180};
// A signature may be made ahead for so long at most (contract, section 5.1: less than 90 days).
constexpr seconds kRealtimeWindow{std::chrono::days(90)};

std::int64_t NowSeconds(const Clock& clock) {
  return std::chrono::duration_cast<seconds>(clock.Now().time_since_epoch()).count();
}

bool Near(std::int64_t time, const Clock& clock, seconds window) {
  return std::abs(time - NowSeconds(clock)) <= window.count();
}

AuthResult FromStore(Result<KeyOwner> found) {
  if (found.ok()) return *std::move(found);
  switch (found.status().code()) {
    case StatusCode::kNotFound:
      return AuthFailure::kUnknownKey;
    case StatusCode::kPermissionDenied:
      return AuthFailure::kDisabled;
    default:
      return AuthFailure::kUnavailable;
  }
}

// The owner of the key that a TC3 header names, if the header was made in time.
AuthResult FindTc3Key(const HttpRequest& request,
                      const std::optional<Tc3Authorization>& authorization, Keys& keys,
                      const Clock& clock) {
  const std::string_view timestamp = request.Header("x-tc-timestamp");
  const auto signed_at = ParseUnixSeconds(timestamp);
  if (!authorization || !signed_at) return AuthFailure::kMalformed;
  if (!Near(*signed_at, clock, kApi3Window) || UtcDate(timestamp) != authorization->date) {
    return AuthFailure::kExpired;
  }
  return FromStore(keys.FindPair(authorization->secret_id));
}

AuthResult AuthenticateTc3(const HttpRequest& request, std::string_view header, Keys& keys,
                           const Clock& clock, const std::set<std::string>& canonical_hosts) {
  const auto authorization = ParseTc3Authorization(header);
  AuthResult owner = FindTc3Key(request, authorization, keys, clock);
  if (const auto* found = std::get_if<KeyOwner>(&owner);
      found != nullptr &&
      !VerifyTc3(request, *authorization, found->secret.Reveal(), canonical_hosts)) {
    return AuthFailure::kWrong;
  }
  return owner;
}

AuthResult AuthenticateV1(const HttpRequest& request, const NamedValues& parameters, Keys& keys,
                          const Clock& clock, const std::set<std::string>& canonical_hosts) {
  const auto secret_id = FindValue(parameters, "SecretId");
  const auto signed_at = ParseUnixSeconds(FindValue(parameters, "Timestamp").value_or(""));
  if (!secret_id || !signed_at || !FindValue(parameters, "Signature")) {
    return AuthFailure::kMalformed;
  }
  if (!Near(*signed_at, clock, kApi3Window)) return AuthFailure::kExpired;
  AuthResult owner = FromStore(keys.FindPair(*secret_id));
  if (const auto* found = std::get_if<KeyOwner>(&owner);
      found != nullptr && !VerifyV1(request, parameters, found->secret.Reveal(), canonical_hosts)) {
    return AuthFailure::kWrong;
  }
  return owner;
}

AuthResult AuthenticateQuery(const HttpRequest& request, std::string_view prefix,
                             std::string_view secret_id, std::string_view signature,
                             std::string_view path_app_id, Keys& keys,
                             const std::set<std::string>& canonical_hosts) {
  AuthResult owner = FromStore(keys.FindPair(secret_id));
  const auto* found = std::get_if<KeyOwner>(&owner);
  if (found == nullptr) return owner;
  if (!VerifyQuery(request, prefix, signature, found->secret.Reveal(), canonical_hosts)) {
    return AuthFailure::kWrong;
  }
  if (std::to_string(found->application.id) != path_app_id) return AuthFailure::kOtherApp;
  return owner;
}

}  // namespace

AuthResult AuthenticateApi3(const HttpRequest& request, const NamedValues& parameters, Keys& keys,
                            const Clock& clock, const std::set<std::string>& canonical_hosts) {
  const std::string_view header = request.Header("authorization");
  if (!header.empty()) return AuthenticateTc3(request, header, keys, clock, canonical_hosts);
  return AuthenticateV1(request, parameters, keys, clock, canonical_hosts);
}

AuthResult FindApi3Key(const HttpRequest& request, Keys& keys, const Clock& clock) {
  return FindTc3Key(request, ParseTc3Authorization(request.Header("authorization")), keys, clock);
}

AuthResult AuthenticateRealtime(const HttpRequest& request, std::string_view path_app_id,
                                Keys& keys, const Clock& clock,
                                const std::set<std::string>& canonical_hosts) {
  const NamedValues parameters = ParseQuery(request.query, false);
  const auto secret_id = FindValue(parameters, "secretid");
  const auto signed_at = ParseUnixSeconds(FindValue(parameters, "timestamp").value_or(""));
  const auto expires = ParseUnixSeconds(FindValue(parameters, "expired").value_or(""));
  // One official client has it in the header; a plus sign in the query may have been sent bare.
  const std::string signature =
      FindValue(parameters, "signature").value_or(std::string(request.Header("authorization")));
  if (!secret_id || !signed_at || !expires || signature.empty()) return AuthFailure::kMalformed;
  const std::int64_t now = NowSeconds(clock);
  if (*expires <= now || *expires - *signed_at > kRealtimeWindow.count() ||
      *signed_at > now + kApi3Window.count()) {
    return AuthFailure::kExpired;
  }
  return AuthenticateQuery(request, "", *secret_id, signature, path_app_id, keys, canonical_hosts);
}

AuthResult AuthenticateFlash(const HttpRequest& request, std::string_view path_app_id, Keys& keys,
                             const Clock& clock, const std::set<std::string>& canonical_hosts) {
  const NamedValues parameters = ParseQuery(request.query, false);
  const auto secret_id = FindValue(parameters, "secretid");
  const auto signed_at = ParseUnixSeconds(FindValue(parameters, "timestamp").value_or(""));
  const std::string_view signature = request.Header("authorization");
  if (!secret_id || !signed_at || signature.empty()) return AuthFailure::kMalformed;
  if (!Near(*signed_at, clock, kFlashWindow)) return AuthFailure::kExpired;
  return AuthenticateQuery(request, "POST", *secret_id, signature, path_app_id, keys,
                           canonical_hosts);
}

AuthResult AuthenticateOpenAiSocket(const HttpRequest& request, Keys& keys) {
  constexpr std::string_view kPrefix = "openai-insecure-api-key.";
  if (!request.Header("authorization").empty()) return AuthenticateBearer(request, keys);
  for (const std::string_view name : Subprotocols(request)) {
    if (name.starts_with(kPrefix)) return FromStore(keys.FindBearer(name.substr(kPrefix.size())));
  }
  return AuthFailure::kMalformed;
}

std::vector<std::string_view> Subprotocols(const HttpRequest& request) {
  constexpr std::string_view kBlanks = " \t";
  std::vector<std::string_view> names;
  for (const auto& [header, value] : request.headers) {
    if (ToLowerAscii(header) != "sec-websocket-protocol") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view name = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      name.remove_prefix(std::min(name.size(), name.find_first_not_of(kBlanks)));
      name = name.substr(0, name.find_last_not_of(kBlanks) + 1);
      if (!name.empty()) names.push_back(name);
    }
  }
  return names;
}

bool OffersSubprotocol(const HttpRequest& request, std::string_view name) {
  const std::vector<std::string_view> offered = Subprotocols(request);
  return std::find(offered.begin(), offered.end(), name) != offered.end();
}

AuthResult AuthenticateBearer(const HttpRequest& request, Keys& keys) {
  constexpr std::string_view kScheme = "bearer ";  // in any case: RFC 9110, section 11.1
  std::string_view header = request.Header("authorization");
  if (ToLowerAscii(header.substr(0, kScheme.size())) != kScheme) return AuthFailure::kMalformed;
  header.remove_prefix(kScheme.size());
  header.remove_prefix(std::min(header.size(), header.find_first_not_of(' ')));
  return FromStore(keys.FindBearer(header));
}

}  // namespace lethe::server_internal
