// Goal: a caller is never told that it is their doing when a database refuses the service, or is
// full. Method: errors as the clients' libraries throw them, without a database.

#include <soci/mysql/soci-mysql.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <gmock/gmock.h>

#include "store/sql/internal/dialect.h"
#include "store/sql/internal/mysql_dialect.h"
#include "store/sql/internal/sqlite_dialect.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {
namespace {

using ::testing::HasSubstr;

TEST(SqlFailuresTest, OnlyWhatIsTooLargeIsTheCallersDoing) {
  const TestFolder folder;
  const auto sqlite = *MakeSqliteDialect(folder / "records.db");
  const auto of_sqlite = [&](int number) {
    return ToCaller(sqlite->Explain(soci::sqlite3_soci_error("", number), "write").status);
  };
  for (const int number : {SQLITE_FULL, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH, SQLITE_NOMEM,
                           SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_BUSY}) {
    EXPECT_THAT(of_sqlite(number), HasCode(StatusCode::kUnavailable)) << number;
  }
  EXPECT_THAT(of_sqlite(SQLITE_FULL).message(), HasSubstr("the disk is full"));
  EXPECT_THAT(of_sqlite(SQLITE_TOOBIG), HasCode(StatusCode::kResourceExhausted));
  EXPECT_THAT(of_sqlite(SQLITE_CORRUPT), HasCode(StatusCode::kDataLoss));

  const auto mysql = *MakeMysqlDialect({.socket = "/nowhere", .user = "lethe"});
  const auto of_mysql = [&](int number) {
    return ToCaller(mysql->Explain(soci::mysql_soci_error("", number), "write").status);
  };
  // A full disk and a full table; a user, a database, a table and a column that are refused; a
  // database that is gone.
  for (const int number : {1021, 1114, 1044, 1045, 1142, 1143, 1227, 1698, 1049}) {
    EXPECT_THAT(of_mysql(number), HasCode(StatusCode::kUnavailable)) << number;
  }
  constexpr int kPacketTooLarge = 1153;
  EXPECT_THAT(of_mysql(kPacketTooLarge), HasCode(StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace lethe
