// Goal:   nothing that only this machine can reach passes as public, in whatever clothes; what the
//         configuration allows passes, and what it says wrong is explained.
// Method: for every range its first and last address and the neighbours outside; addresses that
//         carry others; broken CIDR texts.

#include "outbound/address_rules.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::HasSubstr;

AddressRules Rules(std::vector<std::string> allow = {}) {
  auto rules = AddressRules::Create({.allow = std::move(allow)});
  LETHE_CHECK(rules.ok());
  return *std::move(rules);
}

bool Allowed(const AddressRules& rules, const std::string& text) {
  const auto address = ParseIpAddress(text);
  LETHE_CHECK(address.has_value());
  return rules.Allows(*address);
}

TEST(AddressRulesTest, BothEndsOfEveryReservedRangeAreRefused) {
  const auto rules = Rules();
  for (const char* text : {
           "0.0.0.0",         "0.255.255.255",   "10.0.0.0",        "10.255.255.255",
           "100.64.0.0",      "100.127.255.255", "127.0.0.0",       "127.255.255.255",
           "169.254.0.0",     "169.254.169.254", "169.254.0.23",    "169.254.255.255",
           "172.16.0.0",      "172.31.255.255",  "192.0.0.0",       "192.0.0.255",
           "192.0.2.0",       "192.0.2.255",     "192.88.99.0",     "192.88.99.255",
           "192.168.0.0",     "192.168.255.255", "198.18.0.0",      "198.19.255.255",
           "198.51.100.0",    "198.51.100.255",  "203.0.113.0",     "203.0.113.255",
           "224.0.0.0",       "239.255.255.255", "240.0.0.0",       "255.255.255.254",
           "255.255.255.255", "168.63.129.16",   "100.100.100.200",
       }) {
    EXPECT_FALSE(Allowed(rules, text)) << text;
  }
}

TEST(AddressRulesTest, NeighboursOfReservedRangesAreAllowed) {
  const auto rules = Rules();
  for (const char* text : {
           "1.0.0.0",         "9.255.255.255",   "11.0.0.0",       "100.63.255.255",
           "100.128.0.0",     "126.255.255.255", "128.0.0.0",      "169.253.255.255",
           "169.255.0.0",     "172.15.255.255",  "172.32.0.0",     "192.0.1.0",
           "192.0.1.255",     "192.0.3.0",       "192.88.98.255",  "192.88.100.0",
           "192.167.255.255", "192.169.0.0",     "198.17.255.255", "198.20.0.0",
           "198.51.99.255",   "198.51.101.0",    "203.0.112.255",  "203.0.114.0",
           "223.255.255.255", "168.63.129.15",   "168.63.129.17",  "8.8.8.8",
       }) {
    EXPECT_TRUE(Allowed(rules, text)) << text;
  }
}

TEST(AddressRulesTest, OfIpv6OnlyGlobalUnicastIsAllowed) {
  const auto rules = Rules();
  for (const char* text : {
           "::",
           "::1",
           "::2",
           "1fff:ffff::",
           "4000::",
           "100::1",
           "5f00::1",
           "fc00::",
           "fd00:ec2::254",
           "fdff:ffff::",
           "fe80::",
           "fe80::1",
           "febf::1",
           "fec0::1",
           "feff::1",
           "ff00::",
           "ff02::1",
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
           "2001:2::1",
           "2001:10::1",
           "2001:1ff::1",
           "2001:db8::",
           "2001:db8:ffff::1",
           "3fff::1",
           "3fff:fff::1",
           "64:ff9b:1::808:808",
       }) {
    EXPECT_FALSE(Allowed(rules, text)) << text;
  }
  for (const char* text : {"2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2400:cb00::1",
                           "2606:4700::1111", "3ffe::1", "3fff:1000::1"}) {
    EXPECT_TRUE(Allowed(rules, text)) << text;
  }
}

TEST(AddressRulesTest, AnAddressThatCarriesAnotherIsJudgedByIt) {
  const auto rules = Rules();
  for (const char* text : {
           "::ffff:127.0.0.1",
           "::ffff:10.0.0.1",
           "::ffff:a9fe:a9fe",  // mapped
           "64:ff9b::10.0.0.1",
           "64:ff9b::7f00:1",  // NAT64
           "2002:7f00:1::",
           "2002:a9fe:a9fe::1",
           "2002:c0a8:1::1",  // 6to4
           // Teredo: the server, then the client with its bits flipped.
           "2001:0:a00:1::f7f7:f7f7",
           "2001:0:808:808::80ff:fffe",
           // IPv4-compatible, withdrawn, is refused whatever it carries.
           "::127.0.0.1",
           "::8.8.8.8",
       }) {
    EXPECT_FALSE(Allowed(rules, text)) << text;
  }
  for (const char* text :
       {"::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7"}) {
    EXPECT_TRUE(Allowed(rules, text)) << text;
  }
}

TEST(AddressRulesTest, WhatTheConfigurationAllowsAndNothingElsePasses) {
  const auto rules = Rules({"127.0.0.1/32", "10.4.0.0/14", "fd12::/16", "192.168.7.9"});
  for (const char* text : {"127.0.0.1", "10.4.0.0", "10.7.255.255", "fd12:ffff::1", "192.168.7.9",
                           "::ffff:127.0.0.1", "2002:a04:1::1", "8.8.8.8"}) {
    EXPECT_TRUE(Allowed(rules, text)) << text;
  }
  for (const char* text :
       {"127.0.0.2", "10.3.255.255", "10.8.0.0", "fd13::1", "192.168.7.8", "::1", "::127.0.0.1"}) {
    EXPECT_FALSE(Allowed(rules, text)) << text;
  }
  // All of IPv4 is not IPv6's loopback.
  EXPECT_FALSE(Allowed(Rules({"0.0.0.0/0"}), "::1"));
  EXPECT_TRUE(Allowed(Rules({"::/0"}), "::1"));
}

TEST(AddressRulesTest, LowPortsAreRefusedUnlessListed) {
  const auto rules = Rules();
  for (const int port : {80, 443, 1024, 8080, 65'535}) EXPECT_TRUE(rules.AllowsPort(port)) << port;
  for (const int port : {-1, 0, 1, 22, 25, 79, 442, 1023, 65'536}) {
    EXPECT_FALSE(rules.AllowsPort(port)) << port;
  }
  const auto strict = AddressRules::Create({.ports = {443}, .high_ports = false});
  ASSERT_TRUE(strict.ok());
  EXPECT_TRUE(strict->AllowsPort(443));
  EXPECT_FALSE(strict->AllowsPort(80));
  EXPECT_FALSE(strict->AllowsPort(8443));
}

TEST(AddressRulesTest, BrokenRangesAreExplained) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "no IP address"},
           {"/8", "no IP address"},
           {"localhost", "no IP address or CIDR range: localhost"},
           {"10.0.0/8", "no IP address"},
           {"010.0.0.0/8", "no IP address"},
           {"10.0.0.0.0/8", "no IP address"},
           {"[::1]/128", "no IP address"},
           {"fe80::1%eth0", "no IP address"},
           {std::string("10.0.0.0\0/8", 11), "no IP address"},
           {"10.0.0.0/", "from 0 to 32: 10.0.0.0/"},
           {"10.0.0.0/33", "from 0 to 32"},
           {"10.0.0.0/-1", "from 0 to 32"},
           {"10.0.0.0/+8", "from 0 to 32"},
           {"10.0.0.0/8 ", "from 0 to 32"},
           {"10.0.0.0/99999999999", "from 0 to 32"},
           {"::/129", "from 0 to 128"},
           {"10.0.0.1/8", "bits set behind its prefix: 10.0.0.1/8"},
           {"fd00::1/64", "bits set behind its prefix"}}) {
    const auto range = ParseIpRange(text);
    ASSERT_FALSE(range.ok()) << text;
    EXPECT_EQ(range.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(range.status().message(), HasSubstr(why));
  }
  EXPECT_FALSE(AddressRules::Create({.allow = {"10.0.0.0/8", "x"}}).ok());
  EXPECT_FALSE(AddressRules::Create({.ports = {0}}).ok());
  EXPECT_FALSE(AddressRules::Create({.ports = {65'536}}).ok());
}

}  // namespace
}  // namespace lethe
