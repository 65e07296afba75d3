// Goal:   a URL has one reading, ours; what other parsers might read differently is refused, and so
//         is all that is not plain http or https.
// Method: forms known from attacks on services that fetch URLs, and honest ones.

#include "outbound/url.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(UrlTest, HonestUrlsAreTakenApart) {
  const auto url = ParseOutboundUrl("HTTPS://Media.Example.com/a/b%20c.wav?sign=x%2Fy&t=1#part");
  ASSERT_TRUE(url.ok()) << url.status().message();
  EXPECT_EQ(url->text, "https://Media.Example.com/a/b%20c.wav?sign=x%2Fy&t=1");
  EXPECT_EQ(url->host, "Media.Example.com");
  EXPECT_EQ(url->port, 443);
  EXPECT_TRUE(url->secure);
  EXPECT_FALSE(url->literal);

  const auto six = ParseOutboundUrl("http://[2001:db8::1]:8080?q");
  ASSERT_TRUE(six.ok()) << six.status().message();
  EXPECT_EQ(six->host, "2001:db8::1");
  EXPECT_EQ(six->port, 8080);
  EXPECT_FALSE(six->secure);
  EXPECT_EQ(six->literal, ParseIpAddress("2001:db8::1"));
}

TEST(UrlTest, OtherScriptsInPathsAreEncoded) {
  const auto url = ParseOutboundUrl("http://h.example/\xe6\xb5\x8b \xe8\xaf\x95.wav");
  ASSERT_TRUE(url.ok()) << url.status().message();
  EXPECT_EQ(url->text, "http://h.example/%E6%B5%8B%20%E8%AF%95.wav");
}

TEST(UrlTest, OddNotationsOfAddressesBecomeTheUsualOne) {
  for (const char* text :
       {"http://2130706433/", "http://0x7f.1/", "http://0x7f000001/", "http://0177.0.0.1/",
        "http://127.1/", "http://017700000001/", "http://127.0.0.1/"}) {
    const auto url = ParseOutboundUrl(text);
    ASSERT_TRUE(url.ok()) << text;
    EXPECT_EQ(url->literal, ParseIpAddress("127.0.0.1")) << text;
  }
  for (const char* text : {"http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
                           "http://[0:0:0:0:0:FFFF:7F00:0001]/"}) {
    const auto url = ParseOutboundUrl(text);
    ASSERT_TRUE(url.ok()) << text;
    EXPECT_EQ(url->literal, ParseIpAddress("::ffff:127.0.0.1")) << text;
  }
}

TEST(UrlTest, WhatIsNoPlainHttpUrlIsRefused) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "http://"},
           {"h.example/a", "http://"},
           {"//h.example/a", "http://"},
           {"file:///etc/passwd", "http://"},
           {"gopher://h.example/", "http://"},
           {"ftp://h.example/", "http://"},
           {"dict://h.example:11211/stat", "http://"},
           {"data:audio/wav;base64,AA", "http://"},
           {"http+unix://socket/", "http://"},
           {" http://h.example/", "http://"},
           {"http:/h.example/", "http://"},
           {"http:h.example", "http://"},
           {"http://", "no host"},
           {"http:///", "no host"},
           {"http:///h.example/", "no host"},
           {"http://?q", "no host"},
           {"http://:80/", "no host"},
           {"http://user@h.example/", "user name"},
           {"http://user:secret@h.example/", "user name"},
           {"http://@h.example/", "user name"},
           {"http://good.example:80@127.0.0.1/", "user name"},
           {"http://good.example\\@127.0.0.1/", "user name"},
           {"http://127.0.0.1\\.good.example/", "character"},
           {"http://127.0.0.1%2f.good.example/", "character"},
           {"http://%31%32%37.0.0.1/", "character"},
           {"http://[fe80::1%25eth0]/", "character"},
           {"http://[fe80::1%eth0]/", "character"},
           {"http://h.example /", "character"},
           // Digits in circles and full width, which some turn into 127.0.0.1.
           {"http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/", "character"},
           {"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "character"},
           {"http://h.example/ HTTP/1.1\r\nX-Injected: 1", "control"},
           {"http://h.example/%0d\n", "control"},
           {"http://h.example\r\n.evil.example/", "control"},
           {"http://h.example/\t", "control"},
           {std::string("http://h.example/\0x", 19), "control"},
           {"http://h.example:99999/", "not a URL"},
           {"http://h.example:8x/", "not a URL"},
           {"http://h.example:80:80/", "not a URL"},
           {"http://[::1/", "not a URL"},
           {"http://[127.0.0.1]/", "not a URL"},
           {"http://h.example/" + std::string(kMaxUrlBytes, 'a'), "8192 bytes"}}) {
    const auto url = ParseOutboundUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(url.status().message(), HasSubstr(why)) << text;
    EXPECT_THAT(url.status().message(), Not(HasSubstr("secret")));
  }
}

TEST(UrlTest, RedirectsAreReadAsTheirHostSentThem) {
  const auto from = ParseOutboundUrl("https://h.example/a/b?q=1");
  ASSERT_TRUE(from.ok());
  for (const auto& [location, expected] : std::vector<std::pair<std::string, std::string>>{
           {"/c", "https://h.example/c"},
           {"c?d", "https://h.example/a/c?d"},
           {"../../../c", "https://h.example/c"},
           {"?r", "https://h.example/a/b?r"},
           {"//other.example/x", "https://other.example/x"},
           {"http://other.example/x#y", "http://other.example/x"},
           {"/\xe6\xb5\x8b", "https://h.example/%E6%B5%8B"},
           // No host of its own, whatever browsers make of it.
           {"/\\evil.example/", "https://h.example/\\evil.example/"},
           {"/@evil.example", "https://h.example/@evil.example"}}) {
    const auto to = ParseRedirect(*from, location);
    ASSERT_TRUE(to.ok()) << location << ": " << to.status().message();
    EXPECT_EQ(to->text, expected);
  }
  for (const char* location : {"", "file:///etc/passwd", "javascript:0", "http:/x", "https:///x",
                               "//u@h.example/", "http://u:p@h.example/", "//", "///x", "/a\nb"}) {
    EXPECT_FALSE(ParseRedirect(*from, location).ok()) << location;
  }
}

}  // namespace
}  // namespace lethe
