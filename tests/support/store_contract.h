#pragma once

// The tests of the interface run against every implementation: TEST_P(StoreContractTest, ...).

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "store/mysql_store.h"
#include "store/sqlite_store.h"
#include "tests/support/mariadb.h"
#include "tests/support/test_store.h"

namespace lethe {

/// The implementations there are; MariaDB where it is installed (mysql_store_test.cc asks for it).
inline std::vector<std::string> StoreKinds() {
  std::vector<std::string> kinds = {"Sqlite"};
  if (!MariaDbServer::Program().empty()) kinds.emplace_back("MariaDb");
  return kinds;
}

class StoreContractTest : public testing::TestWithParam<std::string> {
 protected:
  StoreContractTest() {
    if (GetParam() == "Sqlite") {
      store_ = *OpenSqliteStore(folder_ / "records.db", clock_, keyring_);
    } else {
      database_.emplace();
      MysqlOptions options{
          .socket = database_->server().socket(), .user = "root", .database = database_->name()};
      store_ = *OpenMysqlStore(options, clock_, keyring_);
    }
  }

  /// A new application.
  Application MakeApplication(const std::string& name) {
    return *store_->applications().Create({.name = name});
  }

  TestFolder folder_;
  std::optional<TestDatabase> database_;
  ManualClock clock_{kNoon};
  TestKeyring keyring_{clock_};
  std::unique_ptr<Store> store_;
};

}  // namespace lethe
