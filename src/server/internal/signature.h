#pragma once

// The signatures of the cloud's interfaces (contract, sections 2.2, 2.3, 5.2, 8): what text is
// signed, with what, and which of its variants clients send.
//
// Nothing here looks up keys or reads clocks: text in, text out.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"

namespace lethe::server_internal {

/// The parameter of a query that names the person whom the call is about, where headers cannot be
/// set. A signature of a query may leave it out: official clients make and sign theirs themselves,
/// and it is added behind their back.
inline constexpr std::string_view kSubjectParameter = "lethe_subject";

/// The parts of `TC3-HMAC-SHA256 Credential=ID/DATE/SERVICE/tc3_request, SignedHeaders=a;b,
/// Signature=HEX`.
struct Tc3Authorization {
  std::string secret_id;
  std::string date;
  std::string service;
  std::vector<std::string> signed_headers;  // lower case, as listed
  std::string signature;
};

/// Nothing if the header is not of that form.
std::optional<Tc3Authorization> ParseTc3Authorization(std::string_view header);

/// The text whose SHA-256 is signed. `headers` are the signed ones with their values as they enter
/// the text, in the order in which they enter it.
std::string Tc3CanonicalRequest(std::string_view method, std::string_view query,
                                const NamedValues& headers, std::string_view payload_hash);

/// Lower-case hexadecimal.
std::string Tc3Signature(std::string_view secret_key, std::string_view timestamp,
                         std::string_view date, std::string_view service,
                         std::string_view canonical_request);

/// True if one of the ways in which official clients sign this request gives the signature: the
/// host with and without its port or one of `canonical_hosts`, header values as received or in
/// lower case, the payload's hash or that of UNSIGNED-PAYLOAD where the request says so.
bool VerifyTc3(const HttpRequest& request, const Tc3Authorization& authorization,
               std::string_view secret_key, const std::set<std::string>& canonical_hosts);

/// The date in UTC, `2023-11-14`, of a time in seconds given in decimal digits; nothing if it is
/// none.
std::optional<std::string> UtcDate(std::string_view unix_seconds);

/// Unix seconds in decimal digits, at most 12 of them.
std::optional<std::int64_t> ParseUnixSeconds(std::string_view text);

/// True if `signature` (base64) is that of `parameters`, `Signature` itself left out, by the first
/// version of the cloud's API; SignatureMethod says which hash, HmacSHA1 if absent.
bool VerifyV1(const HttpRequest& request, const NamedValues& parameters,
              std::string_view secret_key, const std::set<std::string>& canonical_hosts);

/// The text that realtime and flash calls sign: `prefix` (with POST before it for flash), host,
/// path, and the parameters but `signature`, sorted by name, in plain text.
std::string QuerySignedText(std::string_view prefix, std::string_view host, std::string_view path,
                            const NamedValues& parameters);

/// True if `signature` (base64, as decoded from wherever it was) is the SHA-1 keyed hash of the
/// request's query: over any of the hosts, with the parameters decoded or as they were received,
/// with or without kSubjectParameter.
bool VerifyQuery(const HttpRequest& request, std::string_view prefix, std::string_view signature,
                 std::string_view secret_key, const std::set<std::string>& canonical_hosts);

}  // namespace lethe::server_internal
