// Goal:   what an S3 server says is read; whatever else comes is an error, and nothing of it is
//         shown.
// Method: documents of AWS's form, and documents that a hostile server would send.

#include "store/objects/internal/s3_xml.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace lethe {
namespace {

using ::testing::ElementsAre;

const std::string kHead = R"(<?xml version="1.0" encoding="UTF-8"?>)";
const std::string kListing =
    kHead + R"(<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>bucket</Name><Prefix>a/</Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys>
  <IsTruncated>true</IsTruncated><NextContinuationToken>1a/+=</NextContinuationToken>
  <Contents><Key>a/1</Key><ETag>"x"</ETag><Size>1</Size><Owner><ID>k</ID></Owner></Contents>
  <Contents><Key>a/b%20c+d&amp;</Key></Contents>
</ListBucketResult>)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(S3XmlTest, AListingIsRead) {
  const auto listing = ParseS3Listing(kListing, 2);
  ASSERT_THAT(listing, IsOk());
  EXPECT_THAT(listing->keys, ElementsAre("a/1", "a/b%20c+d&"));
  EXPECT_EQ(listing->next, "1a/+=");
  const auto encoded =
      ParseS3Listing(Replaced(kListing, "<Name>", "<EncodingType>url</EncodingType><Name>"), 2);
  EXPECT_THAT(encoded->keys, ElementsAre("a/1", "a/b c d&"));
  const auto last = ParseS3Listing(Replaced(kListing, ">true<", ">false<"), 2);
  EXPECT_EQ(last->next, "");
}

TEST(S3XmlTest, WhatIsNoListingIsAnError) {
  for (const std::string& xml :
       {std::string(), std::string("<"), std::string("hello"), kListing.substr(0, 300),
        kListing + "<x/>", Replaced(kListing, "<IsTruncated>true</IsTruncated>", ""),
        Replaced(kListing, ">true<", ">perhaps<"),
        Replaced(kListing, "<NextContinuationToken>1a/+=</NextContinuationToken>", ""),
        kHead + "<Error><Code>InternalError</Code></Error>", kHead + "<x><ListBucketResult/></x>",
        Replaced(kListing, "a/1", std::string(5'000, 'k')),
        Replaced(kListing, "a/1", std::string("a\0b", 3)), Replaced(kListing, "a/1", "\xff\xfe"),
        std::string(kMaxS3Listing + 1, ' ')}) {
    EXPECT_THAT(ParseS3Listing(xml, 2), HasCode(StatusCode::kUnavailable)) << xml.substr(0, 200);
  }
  EXPECT_THAT(ParseS3Listing(kListing, 1), HasCode(StatusCode::kUnavailable));
}

TEST(S3XmlTest, EntitiesOfTheServersOwnAreRefused) {
  const std::string laughs = R"(<!DOCTYPE l [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;">]>)";
  const std::string file = R"(<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>)";
  const std::string outside = R"(<!DOCTYPE l SYSTEM "http://127.0.0.1/x.dtd">)";
  for (const std::string& type : {laughs, file, outside}) {
    const std::string xml = Replaced(kListing, "<ListBucketResult", type + "<ListBucketResult");
    EXPECT_THAT(ParseS3Listing(xml, 2), HasCode(StatusCode::kUnavailable));
    EXPECT_THAT(ParseS3Listing(Replaced(xml, "a/1", "&a;"), 2), HasCode(StatusCode::kUnavailable));
    EXPECT_EQ(ParseS3Error(kHead + type + "<Error><Code>X</Code></Error>").code, "");
  }
}

TEST(S3XmlTest, DeepDocumentsAreRefused) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_THAT(ParseS3Listing("<ListBucketResult>" + deep, 2), HasCode(StatusCode::kUnavailable));
  std::string eight = "<a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>";
  EXPECT_THAT(ParseS3Listing(Replaced(kListing, "<Name>", eight + "<Name>"), 2),
              HasCode(StatusCode::kUnavailable));
}

TEST(S3XmlTest, AnErrorIsReadAndOnlyWhatCanBeShown) {
  const S3Error error = ParseS3Error(
      kHead + "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>");
  EXPECT_EQ(error.code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(error.region, "eu-west-1");
  for (const std::string& shown : {std::string("two words"), std::string("a\nb"),
                                   std::string(65, 'x'), std::string("\xc3\xa4")}) {
    EXPECT_EQ(ParseS3Error("<Error><Code>" + shown + "</Code></Error>").code, "");
  }
  EXPECT_EQ(ParseS3Error("<html><Code>x</Code></html>").code, "");
  EXPECT_EQ(ParseS3Error("<Error><Code>x</Code>").code, "");
  EXPECT_TRUE(IsS3Error("<Error/>"));
  EXPECT_FALSE(IsS3Error("<Error>"));
  EXPECT_FALSE(IsS3Error("<a><Error/></a>"));
  EXPECT_FALSE(IsS3Error(""));
}

TEST(S3XmlTest, PlaceAndVersioningAreRead) {
  EXPECT_EQ(
      *ParseS3Text("<LocationConstraint>eu-west-1</LocationConstraint>", "LocationConstraint"),
      "eu-west-1");
  EXPECT_EQ(*ParseS3Text("<LocationConstraint/>", "LocationConstraint"), "");
  EXPECT_THAT(ParseS3Text("<Other/>", "LocationConstraint"), HasCode(StatusCode::kUnavailable));
  EXPECT_EQ(*ParseS3Versioning("<VersioningConfiguration/>"), "");
  EXPECT_EQ(*ParseS3Versioning(
                "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
            "Enabled");
  EXPECT_THAT(ParseS3Versioning(
                  "<VersioningConfiguration><Status>maybe</Status></VersioningConfiguration>"),
              HasCode(StatusCode::kUnavailable));
  EXPECT_THAT(ParseS3Versioning(kListing), HasCode(StatusCode::kUnimplemented));
  EXPECT_THAT(ParseS3Versioning("<Error/>"), HasCode(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace lethe
