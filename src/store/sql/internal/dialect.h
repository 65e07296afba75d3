#pragma once

// What the databases do differently. The rest of store/sql/ is one SQL for all of them, with words
// in braces where there is none: {serial}, {string}, {text}, {table} in the schema, {lock} and
// {free} behind a SELECT.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <soci/soci.h>

#include "base/status.h"

namespace lethe {

class Connection;

/// What a session is for.
enum class Access { kRead, kWrite, kSchema };

/// What an error says about the transaction it happened in.
enum class Trouble {
  kConflict,  // given up in favour of another transaction: to be tried again
  kLost,      // the connection is gone, and with it what was not committed
  kOther,
};

struct SqlFailure {
  Trouble trouble = Trouble::kOther;
  Status status;
};

/// The status of a call: to whoever makes it, a database that refuses us is one that does not
/// answer. What is refused to *them* has the codes that opening it has, and is told apart so.
Status ToCaller(Status status);

/// Thread: any
class Dialect {
 public:
  virtual ~Dialect() = default;

  /// Opens a session. Errors: soci::soci_error
  virtual std::unique_ptr<soci::session> Connect(Access access) const = 0;

  /// How many sessions there may be for reading, and as many for writing.
  virtual std::size_t max_sessions() const = 0;

  /// The longest statement, its values written out; 0: as long as memory.
  virtual std::size_t MaxStatement(soci::session& session) const = 0;

  /// Begins a transaction. A reader sees one state of the database until its end.
  virtual const char* BeginStatement(Access access) const = 0;

  /// Whether a commit of this session waits for the disk, where the session may say so.
  virtual void SetSynced(soci::session& session, bool synced) const = 0;

  /// What the words in braces mean.
  using Word = std::pair<std::string_view, std::string_view>;
  virtual std::span<const Word> words() const = 0;

  /// Counts the tables of the name :name.
  virtual const char* CountTables() const = 0;

  /// Whether a schema is changed within a transaction, whole or not at all. Otherwise
  /// LockSchema() keeps others away, and a statement that was run before is known by its error.
  virtual bool schema_is_transactional() const = 0;
  /// Errors: kUnavailable when somebody else does not let go of it
  virtual Status LockSchema(Connection& sql) const = 0;
  virtual void UnlockSchema(Connection& sql) const = 0;
  virtual bool SaysItIsThere(const soci::soci_error& error) const = 0;

  /// Brings what is committed from the log to its place, as far as nobody is in the way and without
  /// being in anybody's way. The session is not one that others write with.
  virtual void TidyLog(Connection& sql) const = 0;

  /// Takes care that nothing of what was removed stays in a log, where that can be done. False:
  /// somebody who reads is in the way, and it has to be tried again.
  virtual bool EmptyLog(Connection& sql) const = 0;

  /// `what` was being done: "cannot <what>: the disk is full". Never a value of the statement.
  virtual SqlFailure Explain(const soci::soci_error& error, std::string_view what) const = 0;

  /// A statement for this database.
  std::string Translate(std::string sql) const;
};

}  // namespace lethe
