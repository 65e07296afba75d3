#pragma once

// The SQLite file: opened, kept in shape, and its exceptions turned into Status.
//
// Two sessions, one for writing and one for reading, each behind a mutex. SQLite has one writer at
// a time whatever one does, so a pool of them would wait elsewhere; every statement of ours is a
// short walk in an index, so one reader is enough. It is a second session because of the disk: with
// a write-ahead log a caller's key is found while somebody's task is being synced.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <soci/soci.h>

#include "base/status.h"
#include "store/sqlite/internal/connection.h"

namespace lethe {

/// What a power cut may take.
enum class Durability {
  kSynced,    // nothing that was written: the disk is waited for
  kBuffered,  // the last moments; the end of the process takes nothing
};

/// Thread: any
class Database {
 public:
  /// Errors: as OpenSqliteStore(), but for the master key
  static Result<std::unique_ptr<Database>> Open(const std::string& path);

  /// Runs `work(Connection&)`, which returns a Status or a Result, in a transaction that writes. It
  /// is rolled back unless that is ok. `what` is for messages: "cannot <what>: the disk is full".
  template <class Work>
  auto Write(std::string_view what, Work work, Durability durability = Durability::kSynced) {
    const std::lock_guard lock(write_mutex_);
    // Asking for the write lock at once, for a reader that becomes a writer later may be refused
    // without waiting for its turn.
    return Transact(*writer_, what, durability == Durability::kSynced, "BEGIN IMMEDIATE", work);
  }

  /// Runs `work(Connection&)` on one state of the database.
  template <class Work>
  auto Read(std::string_view what, Work work) {
    const std::lock_guard lock(read_mutex_);
    return Transact(*reader_, what, /*synced=*/false, "BEGIN", work);
  }

  /// Brings the write-ahead log into the file and empties it, so that what was removed is in
  /// neither. Somebody who reads in another process may be in the way; then the next time does it.
  void EmptyLog();

 private:
  Database() = default;

  template <class Work>
  auto Transact(Connection& connection, std::string_view what, bool synced, const char* begin,
                Work& work) -> std::invoke_result_t<Work&, Connection&> {
    bool begun = false;
    try {
      connection.SetSynced(synced);
      connection.Run(begin);
      begun = true;
      auto outcome = work(connection);
      connection.Run(outcome.ok() ? "COMMIT" : "ROLLBACK");
      return outcome;
    } catch (const soci::soci_error& error) {
      if (begun) RollBack(connection);
      return ErrorStatus(error, what);
    }
  }

  static void RollBack(Connection& connection);
  static Status ErrorStatus(const soci::soci_error& error, std::string_view what);

  std::mutex write_mutex_;
  std::unique_ptr<Connection> writer_;  // with write_mutex_
  std::mutex read_mutex_;
  std::unique_ptr<Connection> reader_;  // with read_mutex_
};

/// Makes the tables of this program's schema, step by step from whichever version is there.
/// Errors: kFailedPrecondition when the file was written by a newer program
Status Migrate(Connection& connection);

}  // namespace lethe
