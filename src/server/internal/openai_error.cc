#include "server/internal/openai_error.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/random.h"

namespace lethe::server_internal {
namespace {

using Json = nlohmann::ordered_json;

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

constexpr std::string_view kRequestId = "x-request-id";
constexpr std::string_view kNoService = "server_error";
// As OpenAI's own.
constexpr std::string_view kSpent = "insufficient_quota", kOverdue = "billing_not_active";

}  // namespace

std::string OpenAiErrorBody(const OpenAiError& error) {
  const Json body = {{"error",
                      {{"message", error.message},
                       {"type", error.type},
                       {"param", TextOrNull(error.param)},
                       {"code", TextOrNull(error.code)}}}};
  return WriteLossyJson(body);
}

HttpResponse OpenAiErrorResponse(const OpenAiError& error) {
  HttpResponse response{.status = error.status, .body = OpenAiErrorBody(error)};
  const bool is_about_money = error.code == kSpent || error.code == kOverdue;
  if ((error.status == 429 && !is_about_money) || error.status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  // A client that leaves authentication to its library reads no 401 without it.
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  SetRequestId(&response, RandomUuid());
  return response;
}

void SetRequestId(HttpResponse* response, const std::string& id) {
  std::erase_if(response->headers, [](const auto& field) { return field.first == kRequestId; });
  response->headers.emplace_back(kRequestId, id);
}

OpenAiError BadField(std::string param, std::string message) {
  return {.message = std::move(message), .param = std::move(param), .code = "invalid_value"};
}

OpenAiError ModelNotFound(std::string message) {
  return {
      .status = 404, .message = std::move(message), .param = "model", .code = "model_not_found"};
}

OpenAiError CallErased() {
  return {.status = 410, .message = "The call was erased on request.", .code = "call_erased"};
}

OpenAiError NotProcessed(const ProcessingRefusal& refusal) {
  switch (refusal.reason) {
    case ProcessingRefusal::Reason::kConsent:
      return {.status = 403, .message = refusal.message, .code = "consent_required"};
    case ProcessingRefusal::Reason::kSubject:
      return BadField("X-Lethe-Subject", refusal.message);
    case ProcessingRefusal::Reason::kSpent:
      return {.status = 429,
              .message = refusal.message,
              .type = std::string(kSpent),
              .code = std::string(kSpent)};
    case ProcessingRefusal::Reason::kOverdue:
      return {.status = 429,
              .message = refusal.message,
              .type = std::string(kOverdue),
              .code = std::string(kOverdue)};
    case ProcessingRefusal::Reason::kUnavailable:
      break;
  }
  return NoService(refusal.message);
}

OpenAiError NotLetIn(AuthFailure failure) {
  switch (failure) {
    case AuthFailure::kUnavailable:
      return NoService("The service cannot look up keys at the moment.");
    case AuthFailure::kMalformed:
      return {.status = 401,
              .message =
                  "You didn't provide an API key. It belongs in the header: "
                  "Authorization: Bearer YOUR_KEY",
              .code = "invalid_api_key"};
    case AuthFailure::kDisabled:
      return {.status = 401,
              .message = "The application of this API key is disabled.",
              .code = "account_deactivated"};
    default:
      return {.status = 401, .message = "Incorrect API key provided.", .code = "invalid_api_key"};
  }
}

OpenAiError TooManyCalls() {
  return {.status = 429,
          .message = "Rate limit reached for requests. Try again later.",
          .type = "requests",
          .code = "rate_limit_exceeded"};
}

OpenAiError NoService(std::string message) {
  return {.status = 503,
          .message = std::move(message),
          .type = std::string(kNoService),
          .code = "service_unavailable"};
}

HttpResponse RefuseOpenAi(int status, std::string_view why) {
  OpenAiError error{.status = status, .message = std::string(why)};
  if (status == 413) error.code = "file_too_large";
  if (status >= 500) error.type = kNoService;
  return OpenAiErrorResponse(error);
}

}  // namespace lethe::server_internal
