// Goal: bytes survive being written as text, and what is no such text is noticed. Method: the
// vectors of RFC 4648 and RFC 4231/2202, round trips, and malformed input of each kind.

#include "base/encoding.h"

#include <string>

#include <gmock/gmock.h>

#include "base/hmac.h"
#include "base/random.h"

namespace lethe {
namespace {

using ::testing::MatchesRegex;

std::string Hex(std::string_view bytes) {
  return HexEncode(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

TEST(Base64Test, VectorsOfTheRfcInBothDirections) {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(Base64Encode(bytes), text);
    EXPECT_EQ(Base64Decode(text), bytes);
  }
}

TEST(Base64Test, WhatSendersDoIsTolerated) {
  EXPECT_EQ(Base64Decode("Zm9v\r\nYmFy\n"), "foobar");
  EXPECT_EQ(Base64Decode("Zg"), "f");
  EXPECT_EQ(Base64Decode("-_8"), "\xfb\xff");
}

TEST(Base64Test, WhatIsNoBase64IsRefused) {
  for (const char* text : {"Z", "Zg=", "Zg===", "Z=g=", "Zm9v=", "Zm9v!", "====", "Zm9vY"}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(PercentTest, EncodesAllButUnreserved) {
  EXPECT_EQ(PercentEncode("a|b,\xe8\x85\xbe~"), "a%7Cb%2C%E8%85%BE~");
  EXPECT_EQ(PercentDecode("a%7Cb%2c+%", true), "a|b, %");
  EXPECT_EQ(PercentDecode("+%zz%4", false), "+%zz%4");
  EXPECT_EQ(PercentDecode("%41", false), "A");
}

TEST(Utf8Test, OverlongSurrogateTruncatedAndBeyondAreNoUtf8) {
  EXPECT_TRUE(IsUtf8("a\xc3\xa9\xe8\x85\xbe\xf0\x9f\x98\x80"));
  for (const char* text : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xe8\x85", "\x80", "\xff", "\xf0\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text)) << Hex(text);
  }
}

TEST(HmacTest, VectorsOfTheRfcs) {
  EXPECT_EQ(Hex(HmacSha1("Jefe", "what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abc", "ab"));
}

TEST(RandomTest, NamesHaveTheirFormAndDiffer) {
  EXPECT_THAT(RandomUuid(),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(RandomUuid(), RandomUuid());
  EXPECT_THAT(RandomHex(33), MatchesRegex("[0-9a-f]{33}"));
  EXPECT_THAT(RandomAlphanumeric(100), MatchesRegex("[A-Za-z0-9]{100}"));
}

}  // namespace
}  // namespace lethe
