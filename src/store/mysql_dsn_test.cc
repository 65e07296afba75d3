// Goal: a DSN says what it says, and a password in one is refused and not repeated. Method: each
// part in each form, and each wrong in one place.

#include <gmock/gmock.h>

#include "store/mysql_store.h"
#include "tests/support/test_store.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MysqlDsnTest, HostsPortsAndSocketsAreRead) {
  const MysqlOptions plain = *ParseMysqlDsn("mysql://lethe@db.example/records");
  EXPECT_EQ(plain.host, "db.example");
  EXPECT_EQ(plain.port, 3306);
  EXPECT_EQ(plain.user, "lethe");
  EXPECT_EQ(plain.database, "records");
  EXPECT_EQ(plain.tls, MysqlTls::kOff);
  EXPECT_EQ(ParseMysqlDsn("mariadb://a@10.0.0.1:3307/b")->port, 3307);
  const MysqlOptions v6 = *ParseMysqlDsn("mysql://a@[fd00::1]:3307/b");
  EXPECT_EQ(v6.host, "fd00::1");
  EXPECT_EQ(v6.port, 3307);
  const MysqlOptions local = *ParseMysqlDsn("mysql://u%40x@/b%2Fc?socket=/run/mysqld/mysqld.sock");
  EXPECT_EQ(local.host, "");
  EXPECT_EQ(local.socket, "/run/mysqld/mysqld.sock");
  EXPECT_EQ(local.user, "u@x");
  EXPECT_EQ(local.database, "b/c");
}

TEST(MysqlDsnTest, TlsIsAsStrictAsItCanBeUnlessToldOtherwise) {
  const MysqlOptions host =
      *ParseMysqlDsn("mysql://a@b/c?tls_ca=/ca.pem&tls_cert=/c.pem&tls_key=/k.pem");
  EXPECT_EQ(host.tls, MysqlTls::kHost);
  EXPECT_EQ(host.tls_ca, "/ca.pem");
  EXPECT_EQ(host.tls_certificate, "/c.pem");
  EXPECT_EQ(host.tls_key, "/k.pem");
  EXPECT_EQ(ParseMysqlDsn("mysql://a@b/c?tls=chain&tls_ca=x")->tls, MysqlTls::kChain);
  EXPECT_EQ(ParseMysqlDsn("mysql://a@b/c?tls_ca=x&tls=off")->tls, MysqlTls::kOff);
}

TEST(MysqlDsnTest, WhatIsWrongIsRefused) {
  for (const char* wrong :
       {"", "lethe.db", "postgres://a@b/c", "mysql://b/c", "mysql://a@b", "mysql://a@b/",
        "mysql://@b/c", "mysql://a@/c", "mysql://a@b/c?socket=/s", "mysql://a@b:0/c",
        "mysql://a@b:65536/c", "mysql://a@b:x/c", "mysql://a@[::1/c", "mysql://a@[::1]x/c",
        "mysql://a@b/c?ssl=1", "mysql://a@b/c?tls=on", "mysql://a@b/c?tls=host",
        "mysql://a@/c?socket=/s&tls_ca=x", "mysql://a@b/c?tls_ca=x&tls_cert=y"}) {
    EXPECT_THAT(ParseMysqlDsn(wrong), HasCode(StatusCode::kInvalidArgument)) << wrong;
  }
  const auto password = ParseMysqlDsn("mysql://lethe:hunter2@db/records");
  ASSERT_THAT(password, HasCode(StatusCode::kInvalidArgument));
  EXPECT_THAT(password.status().message(), HasSubstr("store.password_file"));
  EXPECT_THAT(password.status().message(), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace lethe
