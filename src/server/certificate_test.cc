// Goal: a certificate that no client could be served with is found before it is needed. Method:
// keys and certificates made for the test.

#include "server/certificate.h"

#include <fstream>

#include <gmock/gmock.h>

#include "tests/support/test_certificate.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;

class CertificateTest : public ::testing::Test {
 protected:
  CertificateTest() {
    first_.WriteTo(Path("first.pem"));
    first_.WriteKeyTo(Path("first.key"));
    second_.WriteKeyTo(Path("second.key"));
    std::ofstream(Path("text")) << "no certificate\n";
  }

  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string Problem(const std::string& certificate, const std::string& key) const {
    return ReadCertificate(Path(certificate), Path(key)).status().message();
  }

  TestFolder folder_;
  TestCertificate first_{"IP:127.0.0.1"}, second_{"IP:127.0.0.1"};
};

TEST_F(CertificateTest, SaysUntilWhenItHolds) {
  const auto until = ReadCertificate(Path("first.pem"), Path("first.key"));
  ASSERT_TRUE(until.ok()) << until.status().message();
  const Millis left = *until - SystemClock().Now();
  EXPECT_GT(left, std::chrono::hours(23));
  EXPECT_LE(left, std::chrono::hours(24));
}

TEST_F(CertificateTest, WhatIsNoPairIsNamed) {
  EXPECT_THAT(Problem("first.pem", "second.key"), HasSubstr("another certificate"));
  EXPECT_THAT(Problem("text", "first.key"), HasSubstr("holds no certificate"));
  EXPECT_THAT(Problem("first.pem", "text"), HasSubstr("holds no private key"));
  EXPECT_THAT(Problem("first.pem", "none.key"), HasSubstr("none.key"));
  EXPECT_THAT(Problem("none.pem", "first.key"), HasSubstr("none.pem"));
}

}  // namespace
}  // namespace lethe
