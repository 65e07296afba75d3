#pragma once

// Errors in OpenAI's form.

#include <string>

#include "base/status.h"
#include "server/http.h"
#include "server/internal/authenticator.h"
#include "server/internal/processing.h"

namespace lethe::server_internal {

struct OpenAiError {
  int status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::string param;  // the field it is about; empty: null
  std::string code;   // empty: null
};

/// {"error": {"message", "type", "param", "code"}}
std::string OpenAiErrorBody(const OpenAiError& error);

/// The same as an answer; with Retry-After where waiting helps, and with a request id of its own.
HttpResponse OpenAiErrorResponse(const OpenAiError& error);

/// Gives an answer the id of the call that it belongs to, in place of one that it has.
void SetRequestId(HttpResponse* response, const std::string& id);

OpenAiError BadField(std::string param, std::string message);
OpenAiError ModelNotFound(std::string message);
OpenAiError NotLetIn(AuthFailure failure);
OpenAiError TooManyCalls();
OpenAiError NoService(std::string message);
/// Of a call that is not processed.
OpenAiError NotProcessed(const ProcessingRefusal& refusal);
/// Of a call whose subject was erased while it was under way. Official clients do not repeat 410.
OpenAiError CallErased();

/// For a request that never reached its handler.
HttpResponse RefuseOpenAi(int status, std::string_view why);

}  // namespace lethe::server_internal
