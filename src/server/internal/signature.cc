#include "server/internal/signature.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "base/encoding.h"
#include "base/hmac.h"
#include "base/sha256.h"
#include "base/trim.h"

namespace lethe::server_internal {
namespace {

// More would be an attempt to make us hash all day.
constexpr std::size_t kMaxSignedHeaders = 32;

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string Hash(std::string_view text) {
  return Sha256Hex(std::as_bytes(std::span(text.data(), text.size())));
}

std::string WithoutPort(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const bool port = colon != std::string_view::npos &&
                    host.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
  return std::string(port ? host.substr(0, colon) : host);
}

// Everything a client may have taken for the server's name.
std::vector<std::string> Hosts(const HttpRequest& request,
                               const std::set<std::string>& canonical_hosts) {
  const std::string received(request.Header("host"));
  std::vector<std::string> hosts{received};
  if (const std::string bare = WithoutPort(received); bare != received) hosts.push_back(bare);
  hosts.insert(hosts.end(), canonical_hosts.begin(), canonical_hosts.end());
  return hosts;
}

void SortByName(NamedValues& values) {
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
}

std::string Join(const NamedValues& sorted, std::string_view left_out) {
  std::string text;
  for (const auto& [name, value] : sorted) {
    if (name == left_out) continue;
    if (!text.empty()) text += '&';
    text += name + "=" + value;
  }
  return text;
}

// A query's pieces as they were received, also those without an equals sign, sorted by name.
std::string RawPieces(std::string_view query) {
  NamedValues pieces;
  for (std::string& piece : Split(query, '&')) {
    const std::string name = piece.substr(0, piece.find('='));
    if (!piece.empty() && name != "signature") pieces.emplace_back(name, std::move(piece));
  }
  SortByName(pieces);
  std::string text;
  for (const auto& [name, piece] : pieces) text += (text.empty() ? "" : "&") + piece;
  return text;
}

// The query as it was received, and without what clients do not know of.
std::vector<std::string> SignedQueries(const std::string& query) {
  std::string without;
  bool named = false;
  for (const std::string& piece : Split(query, '&')) {
    if (piece.substr(0, piece.find('=')) == kSubjectParameter) {
      named = true;
    } else {
      without += (without.empty() ? "" : "&") + piece;
    }
  }
  if (!named) return {query};
  return {query, without};
}

}  // namespace

std::optional<Tc3Authorization> ParseTc3Authorization(std::string_view header) {
  constexpr std::string_view kAlgorithm = "TC3-HMAC-SHA256";
  header = Trim(header, IsBlank);
  if (!header.starts_with(kAlgorithm)) return std::nullopt;
  header.remove_prefix(kAlgorithm.size());
  Tc3Authorization parsed;
  bool credential = false, headers = false, signature = false;
  for (const std::string& part : Split(header, ',')) {
    const std::string_view piece = Trim(part, IsBlank);
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = piece.substr(0, equals), value = piece.substr(equals + 1);
    if (name == "Credential") {
      const std::vector<std::string> scope = Split(value, '/');
      if (scope.size() != 4 || scope[0].empty() || scope[3] != "tc3_request") return std::nullopt;
      parsed.secret_id = scope[0];
      parsed.date = scope[1];
      parsed.service = scope[2];
      credential = true;
    } else if (name == "SignedHeaders") {
      parsed.signed_headers = Split(ToLowerAscii(value), ';');
      headers = !value.empty() && parsed.signed_headers.size() <= kMaxSignedHeaders;
    } else if (name == "Signature") {
      parsed.signature = value;
      signature = !value.empty();
    }
  }
  if (!credential || !headers || !signature) return std::nullopt;
  return parsed;
}

std::string Tc3CanonicalRequest(std::string_view method, std::string_view query,
                                const NamedValues& headers, std::string_view payload_hash) {
  std::string text = std::string(method) + "\n/\n" + std::string(query) + "\n";
  std::string names;
  for (const auto& [name, value] : headers) {
    text += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  return text + "\n" + names + "\n" + std::string(payload_hash);
}

std::string Tc3Signature(std::string_view secret_key, std::string_view timestamp,
                         std::string_view date, std::string_view service,
                         std::string_view canonical_request) {
  std::string key = "TC3" + std::string(secret_key);
  for (const std::string_view step : {date, service, std::string_view("tc3_request")}) {
    std::string next = HmacSha256(key, step);
    WipeSecret(key);
    key = std::move(next);
  }
  const std::string scope = std::string(date) + "/" + std::string(service) + "/tc3_request";
  const std::string signature = HmacSha256(key, "TC3-HMAC-SHA256\n" + std::string(timestamp) +
                                                    "\n" + scope + "\n" + Hash(canonical_request));
  WipeSecret(key);
  return HexEncode(std::as_bytes(std::span(signature.data(), signature.size())));
}

bool VerifyTc3(const HttpRequest& request, const Tc3Authorization& authorization,
               std::string_view secret_key, const std::set<std::string>& canonical_hosts) {
  const bool get = request.method == "GET";
  const bool unsigned_payload = request.Header("x-tc-content-sha256") == "UNSIGNED-PAYLOAD";
  const std::string payload_hash =
      unsigned_payload ? Hash("UNSIGNED-PAYLOAD") : Hash(get ? "" : request.body);
  const std::string_view query = get ? std::string_view(request.query) : std::string_view();
  std::vector<std::string> names = authorization.signed_headers;
  std::sort(names.begin(), names.end());
  bool matches = false;
  for (const std::string& host : Hosts(request, canonical_hosts)) {
    // Clients sign values as they are sent or in lower case, and Content-Type like the others or
    // not.
    for (const unsigned lower : {0U, 1U, 2U, 3U}) {
      NamedValues headers;
      for (const std::string& name : names) {
        const std::string_view value =
            name == "host" ? std::string_view(host) : Trim(request.Header(name), IsBlank);
        const bool lowered = ((lower >> (name == "content-type" ? 1U : 0U)) & 1U) != 0;
        headers.emplace_back(name, lowered ? ToLowerAscii(value) : std::string(value));
      }
      const std::string signature = Tc3Signature(
          secret_key, request.Header("x-tc-timestamp"), authorization.date, authorization.service,
          Tc3CanonicalRequest(request.method, query, headers, payload_hash));
      matches = matches || EqualInConstantTime(signature, authorization.signature);
    }
  }
  return matches;
}

std::optional<std::int64_t> ParseUnixSeconds(std::string_view text) {
  constexpr std::size_t kMaxDigits = 12;
  if (text.empty() || text.size() > kMaxDigits ||
      text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

std::optional<std::string> UtcDate(std::string_view unix_seconds) {
  const auto seconds = ParseUnixSeconds(unix_seconds);
  if (!seconds) return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::seconds(*seconds))));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text;
}

bool VerifyV1(const HttpRequest& request, const NamedValues& parameters,
              std::string_view secret_key, const std::set<std::string>& canonical_hosts) {
  const std::string method = FindValue(parameters, "SignatureMethod").value_or("HmacSHA1");
  const std::string signature = FindValue(parameters, "Signature").value_or("");
  if (method != "HmacSHA1" && method != "HmacSHA256") return false;
  NamedValues sorted = parameters;
  SortByName(sorted);
  // The Python client signs names with a point where they have an underscore.
  NamedValues dotted = parameters;
  for (auto& [name, value] : dotted) std::replace(name.begin(), name.end(), '_', '.');
  SortByName(dotted);
  bool matches = false;
  for (const std::string& host : Hosts(request, canonical_hosts)) {
    for (const NamedValues* form : {&sorted, &dotted}) {
      const std::string text = request.method + host + "/?" + Join(*form, "Signature");
      const std::string expected = Base64Encode(
          method == "HmacSHA1" ? HmacSha1(secret_key, text) : HmacSha256(secret_key, text));
      matches = matches || EqualInConstantTime(expected, signature);
    }
  }
  return matches;
}

std::string QuerySignedText(std::string_view prefix, std::string_view host, std::string_view path,
                            const NamedValues& parameters) {
  NamedValues sorted = parameters;
  SortByName(sorted);
  return std::string(prefix) + std::string(host) + std::string(path) + "?" +
         Join(sorted, "signature");
}

bool VerifyQuery(const HttpRequest& request, std::string_view prefix, std::string_view signature,
                 std::string_view secret_key, const std::set<std::string>& canonical_hosts) {
  bool matches = false;
  for (const std::string& query : SignedQueries(request.query)) {
    const std::string raw = RawPieces(query);
    // A plus sign is a blank to some clients and itself to others.
    const NamedValues forms[] = {ParseQuery(query, false), ParseQuery(query, true)};
    for (const std::string& host : Hosts(request, canonical_hosts)) {
      for (const NamedValues& parameters : forms) {
        const std::string expected = Base64Encode(
            HmacSha1(secret_key, QuerySignedText(prefix, host, request.path, parameters)));
        matches = matches || EqualInConstantTime(expected, signature);
      }
      const std::string text = std::string(prefix) + host + request.path + "?" + raw;
      matches = matches || EqualInConstantTime(Base64Encode(HmacSha1(secret_key, text)), signature);
    }
  }
  return matches;
}

}  // namespace lethe::server_internal
