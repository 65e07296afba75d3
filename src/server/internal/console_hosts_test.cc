// Goal: the console answers under its own names and under no page's that was made to lead here.
// Method: names as browsers send them, and others.

#include "server/internal/console_hosts.h"

#include <gtest/gtest.h>

namespace lethe::server_internal {
namespace {

constexpr const char* kHere = "127.0.0.1";
constexpr const char* kElsewhere = "192.0.2.7";

TEST(ConsoleHostsTest, NamesAndPortsAreTakenApart) {
  const auto both = [](std::string_view host) {
    return HostName(host) + " " + std::string(HostPort(host));
  };
  EXPECT_EQ(both("LocalHost:8089"), "localhost 8089");
  EXPECT_EQ(both("lethe.example"), "lethe.example ");
  EXPECT_EQ(both("[::1]:8089"), "::1 8089");
  EXPECT_EQ(both("[::1]"), "::1 ");
  EXPECT_EQ(both(""), " ");
  EXPECT_EQ(both("x:80; Path=/"), "x ");
  EXPECT_EQ(both("x:808080"), "x ");
  EXPECT_EQ(both("x:"), "x ");
}

TEST(ConsoleHostsTest, AddressesAndLocalhostNeedNoNaming) {
  for (const char* host : {"localhost:8089", "LOCALHOST", "127.0.0.1", "127.0.0.1:8089",
                           "[::1]:8089", "[::1]", "192.0.2.1:443"}) {
    for (const char* peer : {kHere, kElsewhere, "::1", ""}) {
      EXPECT_TRUE(IsConsoleHost({}, host, peer)) << host;
      EXPECT_TRUE(IsConsoleHost({"lethe.example"}, host, peer)) << host;
    }
  }
}

TEST(ConsoleHostsTest, ANameThatWasMadeToLeadHereIsRefused) {
  for (const char* host :
       {"evil.example:8089", "localhost.evil.example", "127.0.0.1.evil.example", "evil.localhost",
        "127.0.0.1@evil.example", "", ":8089", "[::1", "[evil.example]:8089", "localhost."}) {
    for (const char* peer : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
      EXPECT_FALSE(IsConsoleHost({}, host, peer)) << host << " " << peer;
    }
    EXPECT_FALSE(IsConsoleHost({"lethe.example"}, host, kElsewhere)) << host;
  }
}

TEST(ConsoleHostsTest, TheOperatorAllowsNames) {
  const std::set<std::string> named = {"speech.example.org"};
  EXPECT_TRUE(IsConsoleHost(named, "Speech.Example.org:8443", kHere));
  EXPECT_TRUE(IsConsoleHost(named, "speech.example.org", kElsewhere));
  EXPECT_FALSE(IsConsoleHost(named, "xspeech.example.org", kHere));
  EXPECT_FALSE(IsConsoleHost(named, "example.org", kElsewhere));
}

// As it is reached over a network, under whatever name, if nobody said one.
TEST(ConsoleHostsTest, WithoutNamesCallersOfOtherMachinesMayUseAny) {
  EXPECT_TRUE(IsConsoleHost({}, "speech.example.org:8443", kElsewhere));
  EXPECT_TRUE(IsConsoleHost({}, "speech.example.org:8443", "fd00::7"));
}

}  // namespace
}  // namespace lethe::server_internal
