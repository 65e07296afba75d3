// Goal:   what users say of a bucket is read or refused with what to do, and no key is repeated.
// Method: URLs, files and variables.

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>

#include "store/objects/internal/s3_address.h"
#include "store/s3_objects.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(S3OptionsTest, AUrlIsRead) {
  const auto own = ParseS3Url(
      "s3://my.bucket/a/B_1?endpoint=https%3A%2F%2Fs3.example:9000&region=eu&location=here"
      "&etag=any&ca=/etc/a b.pem");
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(own->endpoint, "https://s3.example:9000");
  EXPECT_EQ(own->bucket, "my.bucket");
  EXPECT_EQ(own->prefix, "a/B_1/");
  EXPECT_EQ(own->region, "eu");
  EXPECT_EQ(own->location, "here");
  EXPECT_TRUE(own->path_style);
  EXPECT_FALSE(own->etags_are_md5);
  EXPECT_EQ(own->ca_file, "/etc/a b.pem");
  const auto amazon = ParseS3Url("s3://bucket?region=eu-west-1");
  ASSERT_THAT(amazon, IsOk());
  EXPECT_EQ(amazon->endpoint, "https://s3.eu-west-1.amazonaws.com");
  EXPECT_FALSE(amazon->path_style);
  EXPECT_EQ(amazon->prefix, "");
  EXPECT_EQ(ParseS3Url("s3://bucket/")->region, "us-east-1");
  EXPECT_EQ(ParseS3Url("s3://bucket/a/")->prefix, "a/");
}

TEST(S3OptionsTest, AWrongUrlIsRefusedAndNotRepeated) {
  for (const char* url : {"",
                          "s3:/bucket",
                          "http://bucket",
                          "s3://",
                          "s3://bu",
                          "s3://Bucket",
                          "s3://a..b",
                          "s3://-bucket",
                          "s3://bucket/a//b",
                          "s3://bucket/../x",
                          "s3://bucket/./x",
                          "s3://bucket/a b",
                          "s3://bucket/a%2Fb",
                          "s3://s3cr3t:s3cr3t@bucket",
                          "s3://bucket?secret=s3cr3t",
                          "s3://bucket?style=other",
                          "s3://bucket?etag=none",
                          "s3://bucket?region=a/b",
                          "s3://bucket?region=%0A",
                          "s3://bucket?location=a b",
                          "s3://bucket?endpoint=ftp://host",
                          "s3://bucket?endpoint=host",
                          "s3://bucket?endpoint=http://",
                          "s3://bucket?endpoint=http://u:s3cr3t@host",
                          "s3://bucket?endpoint=http://host/path",
                          "s3://bucket?endpoint=http://host?x=s3cr3t",
                          "s3://bucket?endpoint=http://host%23x",
                          "s3://bucket?endpoint=http://ho%20st",
                          "s3://bucket?endpoint=http://host%0D%0Ax",
                          "s3://bucket?endpoint=http://host:99999",
                          "s3://bucket?endpoint=http://127.0.0.1:80&style=host",
                          "s3://bucket?endpoint=http://[::1]&style=host",
                          "s3://my.bucket?region=eu-west-1"}) {
    const auto options = ParseS3Url(url);
    EXPECT_THAT(options, HasCode(StatusCode::kInvalidArgument)) << url;
    EXPECT_THAT(options.status().message(), Not(HasSubstr("s3cr3t")));
  }
  EXPECT_THAT(ParseS3Url("s3://bucket/" + std::string(5'000, 'a')),
              HasCode(StatusCode::kInvalidArgument));
}

TEST(S3OptionsTest, TheAddressIsThatOfTheStyle) {
  const auto path = AddressOf(*ParseS3Url("s3://bucket/x?endpoint=http://[::1]:9000"));
  ASSERT_THAT(path, IsOk());
  EXPECT_EQ(path->origin, "http://[::1]:9000");
  EXPECT_EQ(path->authority, "[::1]:9000");
  EXPECT_EQ(path->root, "/bucket/");
  EXPECT_EQ(path->place, "bucket bucket at [::1]");
  const auto host =
      AddressOf(*ParseS3Url("s3://bucket?endpoint=https://s3.example:443&style=host"));
  ASSERT_THAT(host, IsOk());
  EXPECT_EQ(host->origin, "https://bucket.s3.example");
  EXPECT_EQ(host->authority, "bucket.s3.example");
  EXPECT_EQ(host->root, "/");
}

class S3KeysTest : public testing::Test {
 protected:
  Status Load(const std::string& text) {
    std::ofstream(folder_ / "keys", std::ios::binary) << text;
    return LoadS3Keys(folder_ / "keys", options_);
  }

  const TestFolder folder_;
  S3Options options_;
};

TEST_F(S3KeysTest, ComeFromAFileOfTwoLines) {
  for (const char* text : {"AKIDX\ns3+/cr=et\n", "AKIDX\r\ns3+/cr=et\r\n", "AKIDX\ns3+/cr=et"}) {
    options_ = {};
    ASSERT_THAT(Load(text), IsOk());
    EXPECT_EQ(options_.access_key_id, "AKIDX");
    EXPECT_EQ(options_.secret_access_key.Reveal(), "s3+/cr=et");
  }
  for (const std::string& text :
       {std::string(), std::string("AKIDX"), std::string("AKIDX\n"), std::string("\ns3cr3t"),
        std::string("AKIDX\ns3cr3t\nmore"), std::string("AK IDX\ns3cr3t"),
        std::string("AK/IDX\ns3cr3t"), std::string("AKIDX\ns3\0cr3t", 13),
        "AKIDX\n" + std::string(513, 'x')}) {
    const Status status = Load(text);
    EXPECT_THAT(status, HasCode(StatusCode::kInvalidArgument)) << text;
    EXPECT_THAT(status.message(), Not(HasSubstr("s3cr3t")));
  }
  EXPECT_THAT(LoadS3Keys(folder_ / "nothing", options_), HasCode(StatusCode::kNotFound));
}

TEST_F(S3KeysTest, OrFromTheEnvironment) {
  unsetenv("LETHE_S3_ACCESS_KEY_ID");
  unsetenv("LETHE_S3_SECRET_ACCESS_KEY");
  EXPECT_THAT(LoadS3Keys("", options_), HasCode(StatusCode::kFailedPrecondition));
  setenv("LETHE_S3_ACCESS_KEY_ID", "AKIDX", 1);
  setenv("LETHE_S3_SECRET_ACCESS_KEY", "s3cr3t", 1);
  EXPECT_THAT(LoadS3Keys("", options_), IsOk());
  EXPECT_EQ(options_.secret_access_key.Reveal(), "s3cr3t");
  unsetenv("LETHE_S3_ACCESS_KEY_ID");
  unsetenv("LETHE_S3_SECRET_ACCESS_KEY");
}

}  // namespace
}  // namespace lethe
