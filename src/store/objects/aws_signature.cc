#include "store/objects/internal/aws_signature.h"

#include <algorithm>
#include <cstdio>

#include "base/encoding.h"
#include "base/sha256.h"

namespace lethe {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kEnd = "aws4_request";
constexpr std::size_t kDayDigits = 8;

std::string HashOf(std::string_view text) { return Sha256Hex(std::as_bytes(std::span(text))); }

// Blanks around a value go, and of several in a row one stays.
std::string Canonical(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c != ' ' || (!text.empty() && text.back() != ' ')) text += c;
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

// A key for a day, a region and a service.
Secret SigningKey(const AwsSigner& signer, std::string_view day) {
  std::string key = "AWS4";
  key.reserve(key.size() + signer.secret_access_key.Reveal().size());
  key += signer.secret_access_key.Reveal();
  for (const std::string_view part :
       {day, std::string_view(signer.region), std::string_view(signer.service), kEnd}) {
    std::string next = HmacSha256(key, part);
    WipeSecret(key);
    key = std::move(next);
  }
  return Secret(std::move(key));
}

}  // namespace

std::string AwsDate(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  char text[32];
  const int size = std::snprintf(
      text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

std::string EncodeAwsPath(std::string_view path) {
  std::string text;
  while (true) {
    const std::size_t slash = path.find('/');
    text += PercentEncode(path.substr(0, slash));
    if (slash == std::string_view::npos) return text;
    text += '/';
    path.remove_prefix(slash + 1);
  }
}

std::string EncodeAwsQuery(const TextPairs& query) {
  TextPairs encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(PercentEncode(name), PercentEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    text += (text.empty() ? "" : "&") + name + "=" + value;
  }
  return text;
}

std::string SignAwsRequest(const AwsSigner& signer, std::string_view date, std::string_view method,
                           std::string_view path, const TextPairs& query, TextPairs headers,
                           std::string_view payload_hash) {
  std::sort(headers.begin(), headers.end());
  std::string request =
      std::string(method) + "\n" + EncodeAwsPath(path) + "\n" + EncodeAwsQuery(query) + "\n";
  std::string names;
  for (const auto& [name, value] : headers) {
    request += name + ":" + Canonical(value) + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  request += "\n" + names + "\n" + std::string(payload_hash);
  const std::string_view day = date.substr(0, kDayDigits);
  const std::string scope =
      std::string(day) + "/" + signer.region + "/" + signer.service + "/" + std::string(kEnd);
  const std::string to_sign =
      std::string(kAlgorithm) + "\n" + std::string(date) + "\n" + scope + "\n" + HashOf(request);
  const std::string signature = HmacSha256(SigningKey(signer, day).Reveal(), to_sign);
  return std::string(kAlgorithm) + " Credential=" + signer.access_key_id + "/" + scope +
         ", SignedHeaders=" + names +
         ", Signature=" + HexEncode(std::as_bytes(std::span(signature)));
}

}  // namespace lethe
