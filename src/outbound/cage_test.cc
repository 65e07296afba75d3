// Goal:   no URL, name, redirect or environment leads the client to an address that the rules
// refuse,
//         nor past a certificate.
// Method: servers on loopback addresses, of which some are allowed; those that are not must see no
//         connection. What is refused by its text is refused without a network.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>

#include "base/sigpipe_guard.h"
#include "outbound/http_client.h"
#include "outbound/internal/test_fetch.h"
#include "tests/support/test_certificate.h"
#include "tests/support/test_server.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;

TestServer::Handler Answers(std::string body) {
  return [body = std::move(body)](TestConnection& connection) {
    connection.ReadRequest();
    connection.Answer("200 OK", "", body);
  };
}

TestServer::Handler RedirectsTo(const std::string& location,
                                const std::string& status = "302 Found") {
  return [=](TestConnection& connection) {
    connection.ReadRequest();
    connection.Answer(status, "Location: " + location + "\r\nSet-Cookie: a=b; Path=/\r\n", "moved");
  };
}

std::string LocalhostUrl(const TestServer& server) {
  return "http://localhost:" + std::to_string(server.port()) + "/" + kSecretQuery;
}

TEST(CageTest, AddressesInWhateverNotationAreRefused) {
  const TestServer server(Answers("secret of this machine"));
  const std::string port = ":" + std::to_string(server.port());
  OutboundClient client(RulesAllowing({}));
  for (const std::string host :
       {"127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "0.0.0.0", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::127.0.0.1]", "169.254.169.254", "10.0.0.1", "[fd00:ec2::254]"}) {
    const std::string url = "http://" + host + port + "/" + kSecretQuery;
    EXPECT_EQ(client.CheckUrl(url).code(), StatusCode::kPermissionDenied) << host;
    EXPECT_EQ(FetchAll(client, url).code(), StatusCode::kPermissionDenied) << host;
    EXPECT_EQ(client.Post(url, "a/b", "x", {}, {}).status().code(), StatusCode::kPermissionDenied)
        << host;
  }
  EXPECT_EQ(server.num_connections(), 0);
}

TEST(CageTest, ANameIsJudgedByTheAddressThatIsConnectedTo) {
  const TestServer server(Answers("secret of this machine"));
  OutboundClient closed(RulesAllowing({}));
  EXPECT_TRUE(closed.CheckUrl(LocalhostUrl(server)).ok());  // a name: not known yet
  for (const std::string host : {"localhost", "LOCALHOST", "localhost.", "127.0.0.1."}) {
    const auto fetched = FetchAll(
        closed, "http://" + host + ":" + std::to_string(server.port()) + "/" + kSecretQuery);
    EXPECT_FALSE(fetched.status.ok()) << host;
    EXPECT_THAT(fetched.message(), HasSubstr(host));
  }
  EXPECT_EQ(FetchAll(closed, LocalhostUrl(server)).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(closed.Post(LocalhostUrl(server), "a/b", "x", {}, {}).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(server.num_connections(), 0);

  OutboundClient open(RulesAllowing({"127.0.0.1/32"}));
  EXPECT_EQ(FetchAll(open, LocalhostUrl(server)).body, "secret of this machine");
}

TEST(CageTest, OddUrlsAreRefusedBeforeAnythingIsSent) {
  OutboundClient client(RulesAllowing({"127.0.0.1/32"}));
  for (const char* url :
       {"file:///etc/passwd?s3cr3t", "gopher://127.0.0.1/s3cr3t", "ftp://127.0.0.1/s3cr3t",
        "http:///s3cr3t", "http://u:s3cr3t@127.0.0.1/", "http://127.0.0.1/\r\nX-A: s3cr3t"}) {
    EXPECT_EQ(FetchAll(client, url).code(), StatusCode::kInvalidArgument) << url;
    EXPECT_EQ(client.CheckUrl(url).code(), StatusCode::kInvalidArgument) << url;
  }
  EXPECT_EQ(FetchAll(client, "http://127.0.0.1:22/").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(FetchAll(client, "http://127.0.0.1:0/").code(), StatusCode::kPermissionDenied);
}

TEST(CageTest, RedirectsFollowTheSameRules) {
  const TestServer secret(Answers("secret of this machine"));
  OutboundClient client(RulesAllowing({"127.0.0.3/32"}));
  // 127.0.0.1 is refused by its text, localhost by the address it resolves to.
  for (const std::string& location :
       {secret.Url("/?s3cr3t"), LocalhostUrl(secret), std::string("http://169.254.169.254/?s3cr3t"),
        std::string("//10.0.0.1/?s3cr3t"), std::string("http://[::1]/?s3cr3t"),
        std::string("https://0x7f.1/?s3cr3t"), std::string("http://127.0.0.3:22/?s3cr3t")}) {
    const TestServer server(RedirectsTo(location), nullptr, "127.0.0.3");
    EXPECT_EQ(FetchAll(client, server.Url("/")).code(), StatusCode::kPermissionDenied) << location;
    EXPECT_EQ(server.num_connections(), 1);
  }
  for (const char* location : {"file:///etc/passwd?s3cr3t", "gopher://127.0.0.3/s3cr3t",
                               "http://u:s3cr3t@127.0.0.3/", "http:///s3cr3t", ""}) {
    const TestServer server(RedirectsTo(location), nullptr, "127.0.0.3");
    EXPECT_EQ(FetchAll(client, server.Url("/")).code(), StatusCode::kInvalidArgument) << location;
  }
  EXPECT_EQ(secret.num_connections(), 0);
}

TEST(CageTest, AllowedRedirectsAreFollowedWithoutCookies) {
  std::vector<std::string> requests;
  const TestServer target([&](TestConnection& connection) {
    requests.push_back(connection.ReadRequest());
    connection.Answer("200 OK", "", "samples");
  });
  OutboundClient client(RulesAllowing({"127.0.0.1/32"}));
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect",
                             "308 Permanent Redirect"}) {
    const TestServer server(RedirectsTo(target.Url("/there"), status));
    EXPECT_EQ(FetchAll(client, server.Url("/")).body, "samples") << status;
  }
  ASSERT_EQ(requests.size(), 5U);
  for (const std::string& request : requests) {
    EXPECT_EQ(request, "GET /there HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(target.port()) +
                           "\r\nUser-Agent: Lethe\r\nAccept: */*\r\n\r\n");
  }
}

TEST(CageTest, RedirectsAreCounted) {
  OutboundClient client(RulesAllowing({"127.0.0.1/32"}));
  const TestServer loop(RedirectsTo("/again?s3cr3t"));
  const auto fetched = FetchAll(client, loop.Url("/"));
  EXPECT_EQ(fetched.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(fetched.message(), "127.0.0.1: more redirects than 5");
  EXPECT_EQ(loop.num_connections(), 6);
  EXPECT_FALSE(FetchAll(client, loop.Url("/"), {.max_redirects = 0}).status.ok());
  EXPECT_EQ(loop.num_connections(), 7);

  const TestServer five([](TestConnection& connection) {
    const std::string request = connection.ReadRequest();
    const int step = request.at(5) - '0';
    if (step == 5) {
      connection.Answer("200 OK", "", "there");
    } else {
      connection.Answer("302 Found", "Location: " + std::to_string(step + 1) + "\r\n", "");
    }
  });
  EXPECT_EQ(FetchAll(client, five.Url("/0")).body, "there");
}

TEST(CageTest, TheEnvironmentsProxyIsNotAsked) {
  const TestServer proxy(Answers("from the proxy"));
  const TestServer server(Answers("from the server"));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
    setenv(name, proxy.Url("/").c_str(), 1);
  }
  OutboundClient client(RulesAllowing({"127.0.0.1/32"}));
  EXPECT_EQ(FetchAll(client, server.Url("/")).body, "from the server");
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  EXPECT_EQ(proxy.num_connections(), 0);
}

class TlsCageTest : public ::testing::Test {
 protected:
  TlsCageTest() { certificate_.WriteTo(path_); }
  ~TlsCageTest() override { std::remove(path_.c_str()); }

  const TestCertificate certificate_{"IP:127.0.0.1"};
  const std::string path_ =
      ::testing::TempDir() + "lethe_cage_test_" + std::to_string(getpid()) + ".pem";
  OutboundClient trusting_{RulesAllowing({"127.0.0.1/32"}), {.ca_file = path_}};
};

TEST_F(TlsCageTest, OnlyATrustedCertificateOfTheRightNameWillDo) {
  const TestServer server(Answers("samples"), certificate_.context());
  EXPECT_EQ(FetchAll(trusting_, server.Url("/?s3cr3t")).body, "samples");

  OutboundClient usual(RulesAllowing({"127.0.0.1/32"}));
  const auto unknown = FetchAll(usual, server.Url("/?s3cr3t"));
  EXPECT_EQ(unknown.code(), StatusCode::kUnavailable);
  EXPECT_EQ(unknown.message(), "127.0.0.1: its TLS certificate is not to be trusted");

  const TestCertificate other("DNS:other.example");
  other.WriteTo(path_);
  const TestServer impostor(Answers("samples"), other.context());
  const auto wrong_name = FetchAll(trusting_, impostor.Url("/?s3cr3t"));
  EXPECT_EQ(wrong_name.code(), StatusCode::kUnavailable);
  EXPECT_EQ(wrong_name.message(), "127.0.0.1: its TLS certificate is not to be trusted");
}

TEST_F(TlsCageTest, AHandshakeThatDoesNotEndIsGivenUp) {
  const TestServer silent(
      [](TestConnection& connection) { connection.WaitUntilTheOtherEndCloses(); });
  const std::string url = "https://127.0.0.1:" + std::to_string(silent.port()) + "/?s3cr3t";
  const auto fetched = FetchAll(trusting_, url, {.connect_time = Millis(200)});
  EXPECT_EQ(fetched.code(), StatusCode::kUnavailable);
  EXPECT_EQ(fetched.message(), "127.0.0.1: no connection in its time");
}

TEST_F(TlsCageTest, ARedirectDoesNotLeadOutOfTlsUnlessAllowed) {
  const TestServer plain(Answers("samples"));
  const TestServer server(RedirectsTo(plain.Url("/")), certificate_.context());
  EXPECT_EQ(FetchAll(trusting_, server.Url("/")).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(plain.num_connections(), 0);
  OutboundClient lenient(RulesAllowing({"127.0.0.1/32"}),
                         {.allow_downgrade = true, .ca_file = path_});
  EXPECT_EQ(FetchAll(lenient, server.Url("/")).body, "samples");
}

TEST_F(TlsCageTest, AServerThatHangsUpOnAPostDoesNotEndTheProgram) {
  const TestServer server([](TestConnection&) {}, certificate_.context());
  std::string body;
  body.resize(16'000'000, 'x');
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(trusting_.Post(server.Url("/"), "a/b", body, {}, {}).status().code(),
              StatusCode::kUnavailable);
  }
}

TEST(SigpipeGuardTest, ASignalThatCameMeanwhileIsTakenBack) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  sigset_t before, after, pending;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    const SigpipeGuard guard;
    EXPECT_EQ(write(ends[1], "x", 1), -1);  // without the guard, the end of this program
  }
  close(ends[1]);
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGPIPE), sigismember(&before, SIGPIPE));
}

}  // namespace
}  // namespace lethe
