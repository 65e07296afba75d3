#pragma once

// The tests of the interface run against every implementation: TEST_P(StoreContractTest, ...).

#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "store/memory_store.h"
#include "store/sqlite_store.h"
#include "tests/support/test_store.h"

namespace lethe {

class StoreContractTest : public testing::TestWithParam<std::string> {
 protected:
  StoreContractTest() {
    if (GetParam() == "Memory") {
      store_ = MakeMemoryStore(clock_);
    } else {
      store_ = *OpenSqliteStore(folder_ / "records.db", clock_, MasterKey::Random());
    }
  }

  /// A new application.
  Application MakeApplication(const std::string& name) {
    return *store_->applications().Create({.name = name});
  }

  TestFolder folder_;
  ManualClock clock_{kNoon};
  std::unique_ptr<Store> store_;
};

}  // namespace lethe
