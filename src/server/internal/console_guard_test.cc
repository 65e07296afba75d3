// Goal: a session is used by our own page and by no other. Method: requests by hand, as browsers
// send them from our page and from pages of others.

#include "server/internal/console_guard.h"

#include <gtest/gtest.h>

#include "tests/support/test_store.h"

namespace lethe::server_internal {
namespace {

constexpr const char* kHost = "lethe.example:8089";

class ConsoleGuardTest : public testing::Test {
 protected:
  HttpRequest Request(const std::string& method, const std::string& origin, bool ours = true) {
    HttpRequest request{.method = method, .path = "/lethe/v1/held"};
    request.headers = {{"Host", kHost},
                       {"Cookie", "a=b; lethe_console_8089=" + tokens_.cookie + "; c=d"}};
    if (ours) request.headers.emplace_back("X-Lethe-Console", tokens_.page);
    if (!origin.empty()) request.headers.emplace_back("Origin", origin);
    return request;
  }
  bool Allowed(const HttpRequest& request) { return IsOperatorsBrowser(request, access_); }

  ManualClock clock_{WallTime(std::chrono::hours(500'000))};
  TestStore store_{clock_};
  ConsoleAccess access_{store_->keys(), clock_};
  const ConsoleTokens tokens_ = access_.Begin();
};

TEST_F(ConsoleGuardTest, TheCookieIsFoundAmongOthersAndNoneIsTakenForIt) {
  EXPECT_EQ(ConsoleToken(Request("GET", "")), tokens_.cookie);
  for (const char* cookie :
       {"", ";", "lethe_console", "xlethe_console=a", "lethe_consoles=a", "lethe_console_8089=a"}) {
    EXPECT_EQ(ConsoleToken({.headers = {{"cookie", cookie}}}), "") << cookie;
  }
  EXPECT_EQ(ConsoleToken({.headers = {{"Cookie", "a=b"}, {"cookie", "lethe_console=x"}}}), "x");
}

// A browser keeps one cookie of a name for all ports of a host.
TEST_F(ConsoleGuardTest, ServicesOnOneHostDoNotTakeEachOthersCookies) {
  const auto at = [](const std::string& host) {
    return HttpRequest{
        .headers = {{"Host", host}, {"Cookie", "lethe_console_8089=one; lethe_console_9089=two"}}};
  };
  EXPECT_EQ(ConsoleToken(at("localhost:8089")), "one");
  EXPECT_EQ(ConsoleToken(at("[::1]:9089")), "two");
  EXPECT_EQ(ConsoleToken(at("localhost:908")), "");
  EXPECT_EQ(ConsoleToken(at("localhost")), "");
  EXPECT_EQ(ConsoleCookie(at("lethe.example:9089")), "lethe_console_9089");
  EXPECT_EQ(ConsoleCookie(at("lethe.example")), "lethe_console");
  EXPECT_EQ(ConsoleCookie(at("lethe.example:1; Path=/")), "lethe_console");
}

TEST_F(ConsoleGuardTest, ASessionIsUsedUnderTheConsolesOwnNamesOnly) {
  const std::string origin = "http://lethe.example:8089";
  HttpRequest request = Request("POST", origin);
  EXPECT_TRUE(Allowed(request));  // from elsewhere, and no names were given
  request.peer = "127.0.0.1";
  EXPECT_FALSE(Allowed(request));
  ConsoleAccess named(store_->keys(), clock_, {"lethe.example"});
  const ConsoleTokens tokens = named.Begin();
  request.headers = {{"Host", kHost},
                     {"Origin", origin},
                     {"Cookie", "lethe_console_8089=" + tokens.cookie},
                     {"X-Lethe-Console", tokens.page}};
  EXPECT_TRUE(IsOperatorsBrowser(request, named));
}

TEST_F(ConsoleGuardTest, OurPageReadsAndChanges) {
  for (const char* origin : {"http://lethe.example:8089", "https://LETHE.example:8089"}) {
    EXPECT_TRUE(Allowed(Request("GET", origin))) << origin;
    EXPECT_TRUE(Allowed(Request("POST", origin))) << origin;
  }
  EXPECT_TRUE(Allowed(Request("GET", "")));
}

TEST_F(ConsoleGuardTest, PagesOfOthersDoNeither) {
  for (const char* origin :
       {"http://evil.example", "http://lethe.example", "http://lethe.example:8090", "null",
        "http://evil.example?lethe.example:8089", "lethe.example:8089", "http://"}) {
    EXPECT_FALSE(Allowed(Request("GET", origin))) << origin;
    EXPECT_FALSE(Allowed(Request("POST", origin))) << origin;
  }
  EXPECT_FALSE(Allowed(Request("POST", "")));
  EXPECT_FALSE(Allowed(Request("GET", "", /*ours=*/false)));
  EXPECT_FALSE(Allowed(Request("POST", "http://lethe.example:8089", /*ours=*/false)));
  EXPECT_FALSE(IsSameOrigin({.headers = {{"Origin", "http://"}, {"Host", ""}}}));
}

// As a server on another port of the host would, which is sent the cookie.
TEST_F(ConsoleGuardTest, TheCookieAloneOpensNothing) {
  for (const std::string& page : {std::string("1"), tokens_.cookie, std::string(43, 'a')}) {
    HttpRequest request = Request("POST", "http://lethe.example:8089", /*ours=*/false);
    request.headers.emplace_back("X-Lethe-Console", page);
    EXPECT_FALSE(Allowed(request)) << page;
  }
  HttpRequest request{.method = "GET"};
  request.headers = {{"Host", kHost}, {"X-Lethe-Console", tokens_.page}};
  EXPECT_FALSE(Allowed(request));
}

TEST_F(ConsoleGuardTest, AnotherPasswordEndsTheSessionsOfTheOneBefore) {
  ASSERT_TRUE(store_->keys().SetConsolePassword(Secret("a new password")).ok());
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_FALSE(Allowed(Request("GET", "")));
}

TEST_F(ConsoleGuardTest, BrowsersSayWhenAnotherPageAsks) {
  const auto of_another = [](const std::string& header, const std::string& value) {
    return IsOfAnotherOrigin({.headers = {{"Host", kHost}, {header, value}}});
  };
  EXPECT_TRUE(of_another("Sec-Fetch-Site", "cross-site"));
  EXPECT_TRUE(of_another("Sec-Fetch-Site", "same-site"));
  EXPECT_TRUE(of_another("Origin", "http://evil.example"));
  EXPECT_TRUE(of_another("Origin", "null"));
  EXPECT_FALSE(of_another("Sec-Fetch-Site", "same-origin"));
  EXPECT_FALSE(of_another("Sec-Fetch-Site", "none"));
  EXPECT_FALSE(of_another("Origin", "http://lethe.example:8089"));
  EXPECT_FALSE(of_another("User-Agent", "curl"));
}

TEST_F(ConsoleGuardTest, ASessionThatIsOverOpensNothing) {
  clock_.Advance(ConsoleSessions::kIdle);
  EXPECT_FALSE(Allowed(Request("GET", "")));
}

TEST_F(ConsoleGuardTest, ASocketCallsForTheApplicationThatIsNamed) {
  Applications& applications = store_->applications();
  const Application application = *applications.Create({.name = "one"});
  const auto call = [&](const HttpRequest& request, const std::string& app_id) {
    return AuthenticateConsoleSocket(request, app_id, access_, applications);
  };
  const auto offering = [&](const std::string& origin, const std::string& page) {
    HttpRequest request = Request("GET", origin, /*ours=*/false);
    request.headers.emplace_back("Sec-WebSocket-Protocol", "lethe-console, lethe-console." + page);
    return request;
  };
  const HttpRequest ours = offering("http://lethe.example:8089", tokens_.page);
  const std::string id = std::to_string(application.id);
  EXPECT_EQ(std::get<KeyOwner>(*call(ours, id)).application.id, application.id);
  EXPECT_EQ(std::get<AuthFailure>(*call(ours, "1")), AuthFailure::kOtherApp);
  EXPECT_EQ(std::get<AuthFailure>(*call(ours, id + "x")), AuthFailure::kMalformed);
  EXPECT_EQ(std::get<AuthFailure>(*call(offering("", tokens_.page), id)), AuthFailure::kUnknownKey);
  EXPECT_EQ(std::get<AuthFailure>(*call(offering("http://evil.example", tokens_.page), id)),
            AuthFailure::kUnknownKey);
  EXPECT_EQ(std::get<AuthFailure>(*call(offering("http://lethe.example:8089", "1"), id)),
            AuthFailure::kUnknownKey);
  EXPECT_EQ(
      std::get<AuthFailure>(*call(Request("GET", "http://lethe.example:8089", /*ours=*/false), id)),
      AuthFailure::kUnknownKey);
  // Without a cookie it is none of the console's calls.
  EXPECT_FALSE(call({.method = "GET"}, id).has_value());
  ASSERT_TRUE(applications.SetEnabled(application.id, false).ok());
  EXPECT_EQ(std::get<AuthFailure>(*call(ours, id)), AuthFailure::kDisabled);
}

}  // namespace
}  // namespace lethe::server_internal
