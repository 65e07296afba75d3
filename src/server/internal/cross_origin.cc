#include "server/internal/cross_origin.h"

#include <algorithm>

#include "base/encoding.h"

namespace lethe::server_internal {
namespace {

constexpr std::string_view kConsoleHeader = "x-lethe-console";

// What a page asks to send, without what it may not.
std::string Sendable(std::string_view asked) {
  std::string names;
  while (!asked.empty()) {
    const std::size_t end = std::min(asked.find(','), asked.size());
    std::string_view name = asked.substr(0, end);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    asked.remove_prefix(std::min(end + 1, asked.size()));
    if (name.empty() || ToLowerAscii(name) == kConsoleHeader) continue;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

}  // namespace

bool CrossOriginPolicy::Allows(std::string_view origin) const {
  return !origin.empty() && std::any_of(origins_.begin(), origins_.end(), [&](const auto& allowed) {
    return allowed == "*" || allowed == origin;
  });
}

NamedValues CrossOriginPolicy::AnswerHeaders(const HttpRequest& request) const {
  if (origins_.empty()) return {};
  // A cache must not give one origin's answer to another.
  NamedValues headers = {{"Vary", "Origin"}};
  const std::string_view origin = request.Header("origin");
  if (Allows(origin)) {
    headers.emplace_back("Access-Control-Allow-Origin", origin);
    headers.emplace_back("Access-Control-Expose-Headers", "x-request-id, Retry-After");
  }
  return headers;
}

bool CrossOriginPolicy::IsPreflight(const HttpRequest& request) {
  return request.method == "OPTIONS" && !request.Header("origin").empty() &&
         !request.Header("access-control-request-method").empty();
}

HttpResponse CrossOriginPolicy::AnswerPreflight(const HttpRequest& request,
                                                std::string_view methods) const {
  HttpResponse response{.status = 204, .content_type = "", .body = ""};
  if (!Allows(request.Header("origin"))) return response;
  response.headers = {{"Access-Control-Allow-Methods", std::string(methods)},
                      {"Access-Control-Max-Age", "600"}};
  const std::string names = Sendable(request.Header("access-control-request-headers"));
  if (!names.empty()) response.headers.emplace_back("Access-Control-Allow-Headers", names);
  return response;
}

}  // namespace lethe::server_internal
