// Goal: what is in another region is not reached, and neither is what nobody can say the region of.
// Method: names as the vendors of object stores give them out.

#include "outbound/region_rules.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace lethe {
namespace {

TEST(RegionInHostTest, ObjectStoresHaveItInTheirNames) {
  const std::map<std::string, std::string> hosts = {
      {"calls-1250000000.cos.ap-shanghai.myqcloud.com", "ap-shanghai"},
      {"Calls-1250000000.COS.eu-frankfurt.MyQCloud.com", "eu-frankfurt"},
      {"calls-1250000000.cos.ap-guangzhou.tencentcos.cn", "ap-guangzhou"},
      {"cos.ap-guangzhou.myqcloud.com", "ap-guangzhou"},
      {"calls.s3.eu-central-1.amazonaws.com", "eu-central-1"},
      {"s3.eu-central-1.amazonaws.com", "eu-central-1"},
      {"s3-eu-west-1.amazonaws.com", "eu-west-1"},
      {"calls.s3.dualstack.us-west-2.amazonaws.com", "us-west-2"},
      {"calls.s3.cn-north-1.amazonaws.com.cn", "cn-north-1"},
      {"calls.oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
      {"calls.oss-cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou"},
  };
  for (const auto& [host, region] : hosts) EXPECT_EQ(RegionInHost(host), region) << host;
}

TEST(RegionInHostTest, OthersDoNot) {
  for (const char* host :
       {"", ".", "com", "example.com", "myqcloud.com", "cos.myqcloud.com", "10.0.0.1",
        "cos.ap-shanghai.myqcloud.com.example.com", "s3.eu-central-1.amazonaws.com.evil.org",
        "b.cos.ap-guangzhou.x.cos.eu-frankfurt.myqcloud.com", "a.b.cos.ap-guangzhou.tencentcos.cn",
        "amazonaws.com", "s3.amazonaws.com", "oss-.aliyuncs.com", "myqcloud.com.", "..."}) {
    EXPECT_EQ(RegionInHost(host), std::nullopt) << host;
  }
}

TEST(RegionRulesTest, OnlyWhatIsKnownToBeInAnAllowedRegion) {
  const RegionRules rules = *RegionRules::Create(
      {.allow = {"eu-1", "eu-frankfurt"},
       .hosts = {
           {"media.example.com", "eu-1"}, {".corp.example", "eu-1"}, {".us.corp.example", "us"}}});
  for (const char* host : {"media.example.com", "MEDIA.example.com", "a.corp.example",
                           "a.b.corp.example", "x.cos.eu-frankfurt.myqcloud.com"}) {
    EXPECT_THAT(rules.Check(host), IsOk()) << host;
  }
  for (const char* host :
       {"example.com", "other.media.example.com", "corp.example", "", "a.us.corp.example",
        "evilcorp.example", "127.0.0.1", "x.cos.ap-shanghai.myqcloud.com"}) {
    EXPECT_THAT(rules.Check(host), HasCode(StatusCode::kPermissionDenied)) << host;
  }
}

TEST(RegionRulesTest, WithoutRegionsAllOfTheWorld) {
  EXPECT_THAT(RegionRules().Check("example.com"), IsOk());
}

TEST(RegionRulesTest, NamesAreNotEmpty) {
  for (const RegionRulesOptions& options :
       {RegionRulesOptions{.allow = {""}}, RegionRulesOptions{.hosts = {{"", "x"}}},
        RegionRulesOptions{.hosts = {{"a", ""}}}, RegionRulesOptions{.hosts = {{".", "x"}}}}) {
    EXPECT_THAT(RegionRules::Create(options).status(), HasCode(StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace lethe
