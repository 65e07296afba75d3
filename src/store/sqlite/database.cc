#include "store/sqlite/internal/database.h"

#include <cerrno>

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lethe {
namespace {

// How long one waits for another process that writes.
constexpr int kBusyMillis = 10'000;

// Makes the file before SQLite would, with a mode of our own; its log gets the same.
Status PrepareFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) return ErrnoStatus(errno, "cannot open the records " + path);
  struct stat about;
  const int error = ::fstat(fd, &about) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) return ErrnoStatus(error, "cannot open the records " + path);
  if (!S_ISREG(about.st_mode)) return DataLoss("this is no file with records: " + path);
  if ((about.st_mode & 077) != 0) {
    return PermissionDenied(
        "others may read or write the records; take them from them with: chmod "
        "600 " +
        path);
  }
  return OkStatus();
}

// SOCI takes a text without "=" as the path; with one, the path may not have blanks or quotes.
Result<std::string> ConnectString(const std::string& path) {
  if (path.find('=') == std::string::npos) return path;
  if (path.find_first_of(" \"") == std::string::npos) return "dbname=" + path;
  return InvalidArgument("a path with '=' may not have blanks or quotes: " + path);
}

}  // namespace

Connection::Connection(const std::string& connect_string)
    : session_(soci::sqlite3, connect_string) {
  Rows<std::tuple<Int>>("PRAGMA busy_timeout = " + std::to_string(kBusyMillis));
  Run("PRAGMA foreign_keys = ON");
  // What is removed is overwritten with zeros.
  Rows<std::tuple<Int>>("PRAGMA secure_delete = ON");
  // Sorting of results goes to memory and never to a temporary file.
  Run("PRAGMA temp_store = MEMORY");
  session_ << "PRAGMA synchronous = NORMAL";
}

void Connection::SetSynced(bool synced) {
  if (synced == synced_) return;
  // Not by a kept statement: SQLite obeys this one when it is prepared, and not when it is run.
  session_ << (synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  synced_ = synced;
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  if (path.empty()) return InvalidArgument("the records need the path of a file");
  RETURN_IF_ERROR(PrepareFile(path));
  ASSIGN_OR_RETURN(const std::string connect_string, ConnectString(path));
  std::unique_ptr<Database> database(new Database());
  try {
    database->writer_ = std::make_unique<Connection>(connect_string);
    database->writer_->Rows<std::tuple<Text>>("PRAGMA journal_mode = WAL");
    database->reader_ = std::make_unique<Connection>(connect_string);
  } catch (const soci::soci_error& error) {
    return ErrorStatus(error, "open the records").WithContext(path);
  }
  const Status migrated = database->Write("bring the records up to date", Migrate);
  if (!migrated.ok()) return migrated.WithContext(path);
  return database;
}

void Database::EmptyLog() {
  const std::lock_guard lock(write_mutex_);
  try {
    writer_->Rows<std::tuple<Int, Int, Int>>("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const soci::soci_error&) {
    // What is committed stays committed; only the log is longer.
  }
}

void Database::RollBack(Connection& connection) {
  try {
    connection.Run("ROLLBACK");
  } catch (const soci::soci_error&) {
    // SQLite rolls back by itself after the worst errors, and then there is nothing left to do.
  }
}

Status Database::ErrorStatus(const soci::soci_error& error, std::string_view what) {
  // SOCI's own message has the values of the statement in it, and goes nowhere.
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  const int code = sqlite != nullptr ? sqlite->result() & 0xff : SQLITE_ERROR;
  const std::string cannot = "cannot " + std::string(what) + ": ";
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Unavailable(cannot + "another process is writing; try again");
    case SQLITE_FULL:
      return ResourceExhausted(cannot + "the disk is full");
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ResourceExhausted(cannot + "too large");
    case SQLITE_NOTADB:
      return DataLoss(cannot + "the file is no database");
    case SQLITE_CORRUPT:
      return DataLoss(cannot + "the file is damaged; restore it from its backup");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return PermissionDenied(cannot + "the file may not be written");
    default:
      return Unavailable(cannot + "SQLite error " + std::to_string(code));
  }
}

}  // namespace lethe
