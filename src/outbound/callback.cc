#include "outbound/callback.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <span>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/encoding.h"
#include "base/hmac.h"
#include "base/json.h"

namespace lethe {
namespace {

// "8.420000", whatever the locale.
std::string SixDecimals(double seconds) {
  LETHE_CHECK(std::isfinite(seconds));
  std::array<char, 400> buffer;  // the largest double has 309 digits
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), seconds,
                                          std::chars_format::fixed, 6);
  LETHE_CHECK(error == std::errc());
  return {buffer.data(), end};
}

Status CheckAnswer(const HttpAnswer& answer) {
  if (answer.status != 200) {
    return Unavailable("receiver answered HTTP " + std::to_string(answer.status));
  }
  const auto json = ParseJson<nlohmann::json>(answer.body);
  const auto code = json.is_object() ? json.find("code") : json.end();
  if (code == json.end() || !code->is_number_integer()) {
    return Unavailable("receiver answered no JSON with a code");
  }
  if (*code != 0) return Unavailable("receiver answered a code other than 0");
  return OkStatus();
}

}  // namespace

std::string FormEncode(const CallbackFields& fields) {
  std::string form;
  const auto add = [&form](std::string_view name, std::string_view value) {
    if (!form.empty()) form += '&';
    form.append(name).append("=").append(PercentEncode(value));
  };
  add("code", std::to_string(fields.code));
  add("message", fields.message);
  add("requestId", std::to_string(fields.task_id));
  add("appid", std::to_string(fields.app_id));
  add("projectid", std::to_string(fields.project_id));
  if (fields.audio_url) add("audioUrl", *fields.audio_url);
  add("text", fields.text);
  if (fields.result_detail) add("resultDetail", *fields.result_detail);
  add("audioTime", SixDecimals(fields.audio_seconds));
  return form;
}

std::string SignCallback(std::string_view key, WallTime now, std::string_view body) {
  const auto unix_seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const std::string time = std::to_string(unix_seconds.count());
  const std::string mac = HmacSha256(key, (time + ".").append(body));
  return "t=" + time + ",v1=" + HexEncode(std::as_bytes(std::span(mac)));
}

Status CallbackSender::Attempt(std::string_view url, std::string_view body,
                               std::string_view signing_key, const CancelledFunction& cancelled) {
  HttpHeaders headers;
  if (!signing_key.empty()) {
    headers.emplace_back("X-Lethe-Signature", SignCallback(signing_key, clock_.Now(), body));
  }
  ASSIGN_OR_RETURN(const HttpAnswer answer,
                   client_.Post(url, "application/x-www-form-urlencoded", body, headers,
                                {.total_time = options_.total_time,
                                 .connect_time = options_.connect_time,
                                 .cancelled = cancelled}));
  return CheckAnswer(answer);
}

CallbackOutcome CallbackSender::Send(std::string_view url, const CallbackFields& fields,
                                     std::string_view signing_key,
                                     const CancelledFunction& cancelled) {
  const Status status = Attempt(url, FormEncode(fields), signing_key, cancelled);
  return {.delivered = status.ok(),
          .may_try_again = !status.ok() && status.code() != StatusCode::kCancelled &&
                           status.code() != StatusCode::kInvalidArgument &&
                           status.code() != StatusCode::kPermissionDenied,
          .reason = status.message()};
}

}  // namespace lethe
