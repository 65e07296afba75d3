#include "store/sql/internal/database.h"

#include <array>
#include <chrono>
#include <thread>

#include "base/random.h"

namespace lethe {
namespace {

constexpr std::string_view kMigrating = "bring the records up to date";

// Transactions that lost against another one are mostly through at the second attempt.
constexpr int kMaxConflicts = 5;
// After so many batches of removals the log is brought to its place.
constexpr int kBatchesOfLog = 8;

// Some milliseconds, more each time, and not the same for all who met.
void WaitAfterConflict(int conflicts) {
  std::array<std::byte, 1> random;
  FillRandom(random);
  std::this_thread::sleep_for(
      std::chrono::microseconds(conflicts * 40 * (1 + std::to_integer<int>(random[0]))));
}

// False when it could not be said to the database.
bool RollBack(Connection& connection) {
  try {
    connection.Run("ROLLBACK");
    return true;
  } catch (const soci::soci_error&) {
    // SQLite rolls back by itself after the worst errors; closing the session is as good.
    return false;
  }
}

}  // namespace

std::unique_ptr<Database> Database::OpenAsItIs(std::unique_ptr<Dialect> dialect) {
  return std::unique_ptr<Database>(new Database(std::move(dialect)));
}

Result<std::unique_ptr<Database>> Database::Open(std::unique_ptr<Dialect> dialect) {
  auto database = OpenAsItIs(std::move(dialect));
  RETURN_IF_ERROR(database->dialect_->schema_is_transactional()
                      ? database->Write(kMigrating, Migrate)
                      : database->MigrateUnderLock());
  return database;
}

Status Database::MigrateUnderLock() {
  try {
    Connection connection(*dialect_, Access::kSchema);
    RETURN_IF_ERROR(dialect_->LockSchema(connection));
    const Status migrated = Migrate(connection);
    dialect_->UnlockSchema(connection);
    return migrated;
  } catch (const soci::soci_error& error) {
    // The end of the session lets go of the lock.
    return dialect_->Explain(error, kMigrating).status;
  }
}

void Database::EmptyLogAfter(int removed, int batch) {
  if (removed > 0) log_has_removed_ = true;
  if (removed < batch && log_has_removed_) {
    EmptyLog();
  } else if (removed < batch || ++batches_ % kBatchesOfLog == 0) {
    TidyLog();
  }
}

void Database::TidyLog() {
  auto loan = keepers_.Take("tidy the log");
  if (!loan.ok()) return;
  try {
    dialect_->TidyLog(**loan);
    loan->Keep();
  } catch (const soci::soci_error&) {
    // It is longer, then.
  }
}

void Database::EmptyLog() {
  log_has_removed_ = true;
  // First what can be done while others write.
  TidyLog();
  auto loan = writers_.Take("empty the log");
  if (!loan.ok()) return;
  try {
    if (dialect_->EmptyLog(**loan)) log_has_removed_ = false;
    loan->Keep();
  } catch (const soci::soci_error&) {
    // What is committed stays committed; only the log is longer.
  }
}

Status Database::AfterFailure(const soci::soci_error& error, std::string_view what, bool committing,
                              SessionPool::Loan& loan, Mishaps& mishaps) {
  const std::string cannot = "cannot " + std::string(what) + ": ";
  if (dynamic_cast<const StatementTooLong*>(&error) != nullptr) {
    if (RollBack(*loan)) loan.Keep();
    return ResourceExhausted(cannot + "larger than the database takes (max_allowed_packet)");
  }
  SqlFailure failure = dialect_->Explain(error, what);
  if (failure.trouble == Trouble::kLost) {
    // Those that nobody has were lost with it.
    writers_.CloseIdle();
    readers_.CloseIdle();
    if (committing) {
      return Unavailable(cannot +
                         "the connection broke during the commit; it may be written or not");
    }
    if (++mishaps.losses > 1) return failure.status;
    return OkStatus();
  }
  if (RollBack(*loan)) loan.Keep();
  if (failure.trouble != Trouble::kConflict || ++mishaps.conflicts > kMaxConflicts) {
    return failure.status;
  }
  WaitAfterConflict(mishaps.conflicts);
  return OkStatus();
}

}  // namespace lethe
