#include "store/sql/internal/sqlite_dialect.h"

#include <cerrno>

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sql/internal/connection.h"

namespace lethe {
namespace {

// How long one waits for another process that writes.
constexpr int kBusyMillis = 10'000;
constexpr int kMostLogPages = 8'000;  // of 4 kB
// Of SQLite's own 2 MB half the time of a sweep goes into reading the same pages again. What is in
// it is sealed, as in the file.
constexpr int kPageCacheKb = 32'000;  // of the session that writes

constexpr Dialect::Word kWords[] = {
    {"{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT"},
    {"{string}", "VARCHAR"},
    {"{text}", "TEXT"},
    {"{table}", ""},
    // Whoever writes is alone.
    {"{lock}", ""},
    {"{free}", ""},
};

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

class SqliteDialect : public Dialect {
 public:
  explicit SqliteDialect(std::string connect_string) : connect_string_(std::move(connect_string)) {}

  std::unique_ptr<soci::session> Connect(Access access) const override {
    auto session = std::make_unique<soci::session>(soci::sqlite3, connect_string_);
    int number = 0;
    *session << "PRAGMA busy_timeout = " << kBusyMillis, soci::into(number);
    *session << "PRAGMA foreign_keys = ON";
    // What is removed is overwritten with zeros.
    *session << "PRAGMA secure_delete = ON", soci::into(number);
    // Sorting of results goes to memory and never to a temporary file.
    *session << "PRAGMA temp_store = MEMORY";
    *session << "PRAGMA synchronous = NORMAL";
    if (access == Access::kWrite) *session << "PRAGMA cache_size = -" << kPageCacheKb;
    // Whoever commits when the log is that long has to write it back, so that is left to TidyLog(),
    // which is in nobody's way; this is for when nobody calls that.
    *session << "PRAGMA wal_autocheckpoint = " << kMostLogPages, soci::into(number);
    std::string mode;
    if (access != Access::kRead) *session << "PRAGMA journal_mode = WAL", soci::into(mode);
    return session;
  }

  // SQLite has one writer at a time whatever one does, so a pool of them would wait elsewhere;
  // every statement of ours is a short walk in an index, so one reader is enough. It is a second
  // session because of the disk: with a write-ahead log a caller's key is found while somebody's
  // task is being synced.
  std::size_t max_sessions() const override { return 1; }

  std::size_t MaxStatement(soci::session&) const override { return 0; }

  const char* BeginStatement(Access access) const override {
    // Asking for the write lock at once, for a reader that becomes a writer later may be refused
    // without waiting for its turn.
    return access == Access::kRead ? "BEGIN" : "BEGIN IMMEDIATE";
  }

  void SetSynced(soci::session& session, bool synced) const override {
    // Not by a kept statement: SQLite obeys this one when it is prepared, and not when it is run.
    session << (synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  }

  std::span<const Word> words() const override { return kWords; }

  const char* CountTables() const override {
    return "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = :name";
  }

  bool schema_is_transactional() const override { return true; }
  Status LockSchema(Connection&) const override { return OkStatus(); }
  void UnlockSchema(Connection&) const override {}
  bool SaysItIsThere(const soci::soci_error&) const override { return false; }

  void TidyLog(Connection& sql) const override {
    sql.Rows<std::tuple<Int, Int, Int>>("PRAGMA wal_checkpoint(PASSIVE)");
  }

  // Brings the write-ahead log into the file and empties it, so that what was removed is in
  // neither. Readers are in the way, and are not waited for long: nobody can write meanwhile.
  bool EmptyLog(Connection& sql) const override {
    constexpr int kShort = 50;
    SetBusyTimeout(sql, kShort);
    const auto rows = sql.Rows<std::tuple<Int, Int, Int>>("PRAGMA wal_checkpoint(TRUNCATE)");
    SetBusyTimeout(sql, kBusyMillis);
    constexpr Int kEmptied = 0;
    return !rows.empty() && std::get<0>(rows.front()) == kEmptied;
  }

  SqlFailure Explain(const soci::soci_error& error, std::string_view what) const override {
    // SOCI's own message has the values of the statement in it, and goes nowhere.
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    const int code = sqlite != nullptr ? sqlite->result() & 0xff : SQLITE_ERROR;
    return {.status = CodeStatus(code, "cannot " + std::string(what) + ": ")};
  }

 private:
  static void SetBusyTimeout(Connection& sql, int millis) {
    sql.Rows<std::tuple<Int>>("PRAGMA busy_timeout = " + std::to_string(millis));
  }

  static Status CodeStatus(int code, const std::string& cannot) {
    switch (code) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        return Unavailable(cannot + "another process is writing; try again");
      case SQLITE_FULL:
        return Unavailable(cannot + "the disk is full");
      case SQLITE_NOMEM:
        return Unavailable(cannot + "there is not enough memory");
      case SQLITE_TOOBIG:
        return ResourceExhausted(cannot + "too large");
      case SQLITE_NOTADB:
        return DataLoss(cannot + "the file is no database");
      case SQLITE_CORRUPT:
        return DataLoss(cannot + "the file is damaged; restore it from its backup");
      case SQLITE_READONLY:
      case SQLITE_PERM:
      case SQLITE_AUTH:
        return Unavailable(cannot + "the file may not be written");
      default:
        return Unavailable(cannot + "SQLite error " + std::to_string(code));
    }
  }

  const std::string connect_string_;
};

}  // namespace

Result<std::unique_ptr<Dialect>> MakeSqliteDialect(const std::string& path) {
  if (path.empty()) return InvalidArgument("the records need the path of a file");
  RETURN_IF_ERROR(PrepareFile(path));
  ASSIGN_OR_RETURN(std::string connect_string, ConnectString(path));
  return std::unique_ptr<Dialect>(std::make_unique<SqliteDialect>(std::move(connect_string)));
}

}  // namespace lethe
