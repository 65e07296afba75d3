#include "store/sql/internal/database.h"

#include <algorithm>
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
constexpr int kLastAttempts = 20;
// Who was refused sooner than this was not made to wait.
constexpr std::int64_t kAtOnceMillis = 1'000;

// Some milliseconds, more each time, and not the same for all who met.
void WaitAfterConflict(int conflicts) {
  std::array<std::byte, 1> random;
  FillRandom(random);
  std::this_thread::sleep_for(
      std::chrono::microseconds(conflicts * 40 * (1 + std::to_integer<int>(random[0]))));
}

std::int64_t SteadyMillis() {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
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
  if (!database->dialect_->schema_is_transactional()) {
    RETURN_IF_ERROR(database->MigrateUnderLock());
    return database;
  }
  // Where several open a new file at once, SQLite does not let all of them wait: who wants to turn
  // its write-ahead log on while another one writes without is refused at once.
  for (int attempt = 1;; ++attempt) {
    const std::int64_t begun = SteadyMillis();
    const Status migrated = database->Write(kMigrating, Migrate);
    const bool at_once = SteadyMillis() - begun < kAtOnceMillis;
    if (migrated.ok()) return database;
    if (migrated.code() != StatusCode::kUnavailable || !at_once || attempt == kLastAttempts) {
      return migrated;
    }
    WaitAfterConflict(attempt);
  }
}

Status Database::MigrateUnderLock() {
  try {
    Connection connection(*dialect_, Access::kSchema);
    RETURN_IF_ERROR(dialect_->LockSchema(connection));
    Status migrated = Migrate(connection);
    dialect_->UnlockSchema(connection);
    return migrated;
  } catch (const soci::soci_error& error) {
    // The end of the session lets go of the lock.
    return dialect_->Explain(error, kMigrating).status;
  }
}

Database::~Database() {
  for (int attempt = 0; attempt < kLastAttempts && removals_ != emptied_; ++attempt) {
    if (TryToEmptyLog()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Database::EmptyLogAfter(int removed, int batch) {
  if (removed > 0) ++removals_;
  if (removed < batch && removals_ != emptied_) {
    (void)TryToEmptyLog();
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
  const std::uint64_t removal = ++removals_;
  // Our own readers are soon out of the way.
  constexpr int kTries = 3;
  for (int i = 0; i < kTries && !TryToEmptyLog() && emptied_ < removal; ++i) {
  }
}

Millis Database::LogHeld() const {
  const std::int64_t since = held_since_;
  if (since == 0 || removals_ == emptied_) return Millis(0);
  // Not nothing in its first moment, when an erasure asks.
  return Millis(std::max<std::int64_t>(SteadyMillis() - since, 1));
}

bool Database::TryToEmptyLog() {
  const std::uint64_t before = emptied_;
  const bool emptied = EmptyLogOnce();
  if (emptied) {
    held_since_ = 0;
  } else if (before == emptied_) {
    // Nobody else came through meanwhile, either.
    std::int64_t not_held = 0;
    held_since_.compare_exchange_strong(not_held, SteadyMillis());
  }
  return emptied;
}

bool Database::EmptyLogOnce() {
  const std::uint64_t removals = removals_;
  // First what can be done while others write.
  TidyLog();
  auto loan = writers_.Take("empty the log");
  if (!loan.ok()) return false;
  try {
    const bool emptied = dialect_->EmptyLog(**loan);
    loan->Keep();
    // Somebody may have emptied it of more meanwhile.
    std::uint64_t before = emptied_;
    while (emptied && before < removals && !emptied_.compare_exchange_weak(before, removals)) {
    }
    return emptied;
  } catch (const soci::soci_error&) {
    // What is committed stays committed; only the log is longer.
    return false;
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
  failure.status = ToCaller(std::move(failure.status));
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
