#pragma once

// What the tests of the store share: a store of either kind with a clock that stands, and a folder
// that goes away.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "seal/keyring.h"
#include "store/sqlite_store.h"
#include "store/store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_folder.h"

namespace lethe {

/// 2026-11-24 12:00:00 UTC.
inline constexpr WallTime kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

/// Keys that nobody else has, in a folder of their own.
class TestKeyring {
 public:
  explicit TestKeyring(const Clock& clock)
      : keyring_(*Keyring::Open(folder(), "test", clock, true)) {}

  operator Keyring&() { return *keyring_; }
  Keyring* operator->() { return keyring_.get(); }
  std::string folder() const { return folder_.path().string(); }

 private:
  const TestFolder folder_;
  const std::unique_ptr<Keyring> keyring_;
};

/// Takes away what schemas after the first added; indices apart.
inline std::vector<std::string> UndoLaterSchemas() {
  std::vector<std::string> statements = {"DROP TABLE items",
                                         "DROP TABLE operations",
                                         "DROP TABLE ledger_outbox",
                                         "DROP TABLE retention_periods",
                                         "DELETE FROM counters WHERE name LIKE 'ledger%'",
                                         "DROP TABLE decisions",
                                         "DELETE FROM counters WHERE name LIKE 'decisions%'"};
  statements.emplace_back("DROP TABLE consents");
  statements.emplace_back("DROP TABLE cancellations");
  for (const char* column : {"consent_required", "monthly_limit", "overdue_since_ms"}) {
    statements.push_back("ALTER TABLE applications DROP COLUMN " + std::string(column));
  }
  for (const char* column :
       {"holder", "held_until_ms", "item", "audio_item", "holds_object", "object_name",
        "object_key", "audio_expires_ms", "erase_cause", "call_id", "subject", "callback_outcome",
        "callback_tried_ms", "callback_next_ms"}) {
    statements.push_back("ALTER TABLE tasks DROP COLUMN " + std::string(column));
  }
  for (const char* column : {"server_fault", "region", "fee", "item"}) {
    statements.push_back("ALTER TABLE finished_calls DROP COLUMN " + std::string(column));
  }
  return statements;
}

/// Records that go away with the test, for tests of what stands on them.
class TestStore {
 public:
  explicit TestStore(const Clock& clock)
      : keyring_(clock), store_(*OpenSqliteStore(folder_ / "records.db", clock, keyring_)) {}

  Store& operator*() const { return *store_; }
  Store* operator->() const { return store_.get(); }
  Keyring& keyring() { return keyring_; }

 private:
  const TestFolder folder_;
  TestKeyring keyring_;
  const std::unique_ptr<Store> store_;
};

}  // namespace lethe
