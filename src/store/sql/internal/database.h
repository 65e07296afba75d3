#pragma once

// A database: transactions that are tried again when that is safe, and exceptions turned into
// Status.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <soci/soci.h>

#include "base/status.h"
#include "base/units.h"
#include "store/sql/internal/connection.h"
#include "store/sql/internal/session_pool.h"

namespace lethe {

/// What a power cut may take. A database server decides that by itself.
enum class Durability {
  kSynced,    // nothing that was written: the disk is waited for
  kBuffered,  // the last moments; the end of the process takes nothing
};

/// Thread: any
class Database {
 public:
  /// Brings the schema up to date.
  /// Errors: as OpenSqliteStore() and OpenMysqlStore(), but for the master key
  static Result<std::unique_ptr<Database>> Open(std::unique_ptr<Dialect> dialect);

  /// The same without looking at the schema.
  static std::unique_ptr<Database> OpenAsItIs(std::unique_ptr<Dialect> dialect);

  /// Tries for some seconds to empty a log that has to be, if somebody was in the way before: after
  /// the end of a command nobody does.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs `work(Connection&)`, which returns a Status or a Result, in a transaction that writes. It
  /// is rolled back unless that is ok, and may be run again when nothing of it was committed.
  /// `what` is for messages: "cannot <what>: the disk is full". Errors: as Store.
  template <class Work>
  auto Write(std::string_view what, Work work, Durability durability = Durability::kSynced) {
    return Transact(writers_, Access::kWrite, what, durability == Durability::kSynced, work);
  }

  /// Runs `work(Connection&)` on one state of the database.
  template <class Work>
  auto Read(std::string_view what, Work work) {
    return Transact(readers_, Access::kRead, what, /*synced=*/false, work);
  }

  /// Takes care that what was removed stays in no log, where that can be done. Where somebody is in
  /// the way, the next EmptyLogAfter() tries again.
  void EmptyLog();

  /// The same for what is removed in batches: when fewer than a batch were left, and only then, for
  /// it takes the disk a while. Until then the log is kept short, beside those who write. Sweeps
  /// call it every few seconds, also when nothing was removed.
  void EmptyLogAfter(int removed, int batch);

  /// For how long something that was removed has stayed in a log because somebody was in the way,
  /// as who reads the file for long is; 0: nothing has.
  Millis LogHeld() const;

 private:
  explicit Database(std::unique_ptr<Dialect> dialect)
      : dialect_(std::move(dialect)),
        writers_(*dialect_, Access::kWrite),
        keepers_(*dialect_, Access::kWrite),
        readers_(*dialect_, Access::kRead) {}

  void TidyLog();
  // Once; whether nothing that was removed before is in the log any more.
  bool TryToEmptyLog();
  bool EmptyLogOnce();

  // What went wrong with a call so far.
  struct Mishaps {
    int conflicts = 0, losses = 0;
  };

  template <class Work>
  auto Transact(SessionPool& pool, Access access, std::string_view what, bool synced, Work& work)
      -> std::invoke_result_t<Work&, Connection&> {
    for (Mishaps mishaps;;) {
      auto loan = pool.Take(what);
      if (!loan.ok()) return loan.status();
      Connection& connection = **loan;
      bool committing = false;
      try {
        connection.Begin(synced);
        auto outcome = work(connection);
        committing = outcome.ok() && access == Access::kWrite;
        connection.Run(outcome.ok() ? "COMMIT" : "ROLLBACK");
        loan->Keep();
        return outcome;
      } catch (const soci::soci_error& error) {
        Status status = AfterFailure(error, what, committing, *loan, mishaps);
        if (!status.ok()) return status;
      }
    }
  }

  // Ok if the call may be made again.
  Status AfterFailure(const soci::soci_error& error, std::string_view what, bool committing,
                      SessionPool::Loan& loan, Mishaps& mishaps);
  Status MigrateUnderLock();

  const std::unique_ptr<Dialect> dialect_;
  // How often something was removed, and how much of that is in no log any more.
  std::atomic<std::uint64_t> removals_ = 0, emptied_ = 0;
  std::atomic<std::int64_t> held_since_ = 0;  // of the steady clock; 0: it is not held
  std::atomic<int> batches_ = 0;
  SessionPool writers_, keepers_, readers_;
};

/// Makes the tables of this program's schema, step by step from whichever version is there.
/// Errors: kFailedPrecondition when they were made by a newer program
Status Migrate(Connection& connection);

/// The version of the tables that are there; 0: none.
Int SchemaVersion(Connection& connection);

}  // namespace lethe
