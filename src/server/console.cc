#include "server/console.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "server/internal/admission.h"
#include "server/internal/console_assets.h"
#include "server/internal/console_guard.h"
#include "server/internal/own_api_json.h"
#include "server/internal/run_on.h"

namespace lethe {
namespace {

using Json = server_internal::OwnApiJson;
using server_internal::ConsoleAsset;
using server_internal::ConsoleSessions;
using server_internal::ConsoleToken;
using server_internal::OwnApiAnswer;
using server_internal::OwnApiError;
using server_internal::PageToken;
using Verdict = ConsoleAccess::Verdict;

constexpr std::string_view kRoot = "/console/";
constexpr std::size_t kMaxBody = 4 << 10;

// Nothing but what comes from here, no frame around it, no address told to others. Recordings are
// played from memory: blob.
void AddPageHeaders(HttpResponse* response) {
  response->headers.insert(
      response->headers.end(),
      {{"Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src "
        "'self' blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"},
       {"X-Content-Type-Options", "nosniff"},
       {"X-Frame-Options", "DENY"},
       {"Referrer-Policy", "no-referrer"},
       {"Cross-Origin-Opener-Policy", "same-origin"},
       {"Cross-Origin-Resource-Policy", "same-origin"},
       {"Permissions-Policy", "microphone=(self), camera=(), geolocation=()"}});
}

// Whether a list such as "gzip, br;q=0.5" has it. What is given no weight is not wanted.
bool Accepts(std::string_view list, std::string_view coding) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    item.remove_prefix(std::min(item.size(), item.find_first_not_of(" \t")));
    const std::string_view name = item.substr(0, item.find_first_of("; \t"));
    if (name != coding) continue;
    const std::size_t weight = item.find("q=0");
    return weight == std::string_view::npos ||
           item.substr(weight + 3).find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

HttpResponse ShowAsset(const ConsoleAsset& asset, const HttpRequest& request) {
  HttpResponse response{.content_type = std::string(asset.content_type)};
  AddPageHeaders(&response);
  response.headers.emplace_back("ETag", asset.etag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.headers.emplace_back("Cache-Control", asset.is_named_by_content
                                                     ? "public, max-age=31536000, immutable"
                                                     : "no-cache");
  if (request.Header("if-none-match").find(asset.etag) != std::string_view::npos) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  const std::string_view accepted = request.Header("accept-encoding");
  if (Accepts(accepted, "br")) {
    response.headers.emplace_back("Content-Encoding", "br");
    response.body = asset.brotli;
  } else if (Accepts(accepted, "gzip")) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = asset.gzip;
  } else {
    response.body = asset.plain;
  }
  return response;
}

HttpResponse Say(int status, std::string_view line) {
  HttpResponse response{
      .status = status, .content_type = "text/plain; charset=utf-8", .body = std::string(line)};
  AddPageHeaders(&response);
  return response;
}

Awaitable<HttpResponse> Show(const FaceContext& context, const HttpRequest& request) {
  if (!server_internal::IsToOwnHost(request, context.console)) {
    co_return Say(403, std::string(server_internal::kNotOwnHost) + "\n");
  }
  const auto assets = server_internal::ConsoleAssets();
  if (assets.empty()) {
    co_return Say(404, "This lethe was built without the console (LETHE_CONSOLE=OFF).\n");
  }
  const std::string_view path = std::string_view(request.path).substr(kRoot.size());
  const auto asset = std::find_if(assets.begin(), assets.end(),
                                  [&](const ConsoleAsset& each) { return each.path == path; });
  if (asset == assets.end())
    co_return Say(404, "There is no such file; the console is /console/\n");
  co_return ShowAsset(*asset, request);
}

Awaitable<HttpResponse> GoToRoot(const HttpRequest&) {
  HttpResponse response{.status = 308, .content_type = ""};
  response.headers.emplace_back("Location", kRoot);
  co_return response;
}

// The page came over TLS if its origin says so, whoever ended it on the way.
std::string Cookie(const HttpRequest& request, std::string_view token, std::chrono::seconds age) {
  std::string cookie =
      server_internal::ConsoleCookie(request) + "=" + std::string(token) +
      "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(age.count());
  if (request.Header("origin").starts_with("https://")) cookie += "; Secure";
  return cookie;
}

Json ShowService(const FaceContext& context, const ConsoleOptions& options, WallTime end) {
  Json engines = Json::array();
  for (const auto& offer : context.engines.Offered()) engines.push_back(offer.name);
  const auto left = std::chrono::floor<std::chrono::seconds>(end - context.clock.Now());
  return {{"signed_in", true},
          {"ends_in", left.count()},
          {"version", LETHE_VERSION},
          {"engines", std::move(engines)},
          {"default_engine", context.options.default_engine},
          {"max_file", options.max_file}};
}

HttpResponse NoStore(HttpResponse response) {
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse NotFromConsole() {
  return OwnApiError(403, "other_origin",
                     "this is for the console's own page: its Origin has to be the Host, and it "
                     "says X-Lethe-Console; a proxy has to pass Host on as it came");
}

HttpResponse SignIn(FaceContext& context, const ConsoleOptions& options,
                    const HttpRequest& request) {
  auto object = server_internal::ReadObject(request.body, {"password"});
  std::string password;
  if (object.ok()) {
    if (auto& field = (*object)["password"]; field.is_string()) {
      password = field.get_ref<std::string&>();
      WipeSecret(field.get_ref<std::string&>());
    }
  }
  if (password.empty()) return OwnApiError(400, "invalid_argument", "send {\"password\": \"...\"}");
  const Verdict verdict = context.console.CheckPassword(password, request.peer);
  WipeSecret(password);
  switch (verdict) {
    case Verdict::kRight:
      break;
    case Verdict::kWrong:
      return OwnApiError(401, "wrong_password", "the password is not right");
    case Verdict::kTooManyAttempts: {
      HttpResponse refusal = OwnApiError(429, "too_many_attempts",
                                         "too many wrong passwords from here; wait a minute");
      refusal.headers.emplace_back("Retry-After", "60");
      return refusal;
    }
    case Verdict::kUnavailable:
      return OwnApiError(503, "unavailable", "the records do not answer; try again");
  }
  // Whoever signs in again leaves no session behind.
  context.console.End(ConsoleToken(request));
  const server_internal::ConsoleTokens tokens = context.console.Begin();
  Json answer = ShowService(context, options, context.clock.Now() + ConsoleSessions::kIdle);
  answer["token"] = tokens.page;
  HttpResponse response = OwnApiAnswer(answer);
  response.headers.emplace_back("Set-Cookie",
                                Cookie(request, tokens.cookie, ConsoleSessions::kLongest));
  return response;
}

// Looking is no use of a session, unless the page says that somebody is at work: `active=1`.
HttpResponse ShowSession(FaceContext& context, const ConsoleOptions& options,
                         const HttpRequest& request) {
  const bool active = FindValue(ParseQuery(request.query, true), "active") == "1";
  const auto end = context.console.Find(ConsoleToken(request), PageToken(request), active);
  return OwnApiAnswer(end ? ShowService(context, options, *end) : Json{{"signed_in", false}});
}

HttpResponse SignOut(FaceContext& context, const HttpRequest& request) {
  context.console.End(ConsoleToken(request));
  HttpResponse response = OwnApiAnswer({{"signed_in", false}});
  response.headers.emplace_back("Set-Cookie", Cookie(request, "", std::chrono::seconds(0)));
  return response;
}

Awaitable<HttpResponse> AnswerSession(FaceContext& context, const ConsoleOptions& options,
                                      const HttpRequest& request) {
  if (!server_internal::IsToOwnHost(request, context.console)) {
    co_return NoStore(OwnApiError(403, "other_host", server_internal::kNotOwnHost));
  }
  if (!server_internal::IsFromConsole(request)) co_return NoStore(NotFromConsole());
  if (request.method == "DELETE") co_return NoStore(SignOut(context, request));
  std::function<HttpResponse()> answer = [&] {
    return request.method == "GET" ? ShowSession(context, options, request)
                                   : SignIn(context, options, request);
  };
  std::function<HttpResponse(const Status&)> busy = [](const Status& status) {
    return OwnApiError(status.WithContext("too many calls wait"));
  };
  HttpResponse response = co_await server_internal::RunOn<HttpResponse>(
      context.quick_pool, server_internal::PeerOwner(request), std::move(answer), std::move(busy));
  co_return NoStore(std::move(response));
}

}  // namespace

void AddConsoleRoutes(Router& router, FaceContext& context, const ConsoleOptions& options) {
  for (const char* method : {"GET", "POST", "DELETE"}) {
    router.Add(
        {.method = method,
         .path = "/console/session",
         .max_body = kMaxBody,
         .http =
             [&context, options](const HttpRequest& request) {
               return AnswerSession(context, options, request);
             },
         .refuse = [](int status,
                      std::string_view why) { return OwnApiError(status, "refused", why); }});
  }
  router.Add({.method = "GET", .path = "/console", .http = GoToRoot});
  for (const char* path : {"/console/", "/console/*"}) {
    router.Add({.method = "GET", .path = path, .http = [&context](const HttpRequest& request) {
                  return Show(context, request);
                }});
  }
}

}  // namespace lethe
