#include "store/sql/internal/mysql_dialect.h"

#include <algorithm>

#include <soci/mysql/soci-mysql.h>

#include "store/sql/internal/connection.h"

namespace lethe {
namespace {

// One tries to connect for so long, and waits for an answer for so long. A statement waits for
// another transaction's lock less than that, so that it is the server that ends the wait.
constexpr int kConnectSeconds = 5, kAnswerSeconds = 30, kLockSeconds = 10;
// Changing a large table may take a while.
constexpr int kSchemaAnswerSeconds = 3'600;
// How often LockSchema() waits for kLockSeconds.
constexpr int kSchemaLockWaits = 12;

// The server's numbers are not in every client's headers.
enum ServerError : unsigned {
  kTooManyConnections = 1040,
  kDatabaseAccessDenied = 1044,
  kAccessDenied = 1045,
  kUnknownDatabase = 1049,
  kTableExists = 1050,
  kServerShutdown = 1053,
  kDuplicateColumn = 1060,
  kDuplicateKeyName = 1061,
  kDuplicateEntry = 1062,
  kDiskFull = 1021,
  kTableFull = 1114,
  kCommandDenied = 1142,
  kColumnDenied = 1143,
  kAbortingConnection = 1152,
  kPacketTooLarge = 1153,
  kNetReadError = 1158,
  kNetWriteInterrupted = 1161,
  kTooManyUserConnections = 1203,
  kLockWaitTimeout = 1205,
  kDeadlock = 1213,
  kSpecificAccessDenied = 1227,
  kOptionPreventsStatement = 1290,
  kInterrupted = 1317,
  kCrashedTable = 1194,
  kCrashedTableTwice = 1195,
  kAccessDeniedNoPassword = 1698,
  kReadOnlyMode = 1836,
  kConnectionKilled = 1927,
  kIdleTooLong = 4031,
};

// Texts are bytes, compared as bytes: a blank at the end counts, and so does a capital letter, as
// in SQLite. And what is not UTF-8 is nobody's error.
constexpr Dialect::Word kWords[] = {
    {"{serial}", "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"},
    {"{string}", "VARBINARY"},
    {"{text}", "LONGBLOB"},
    {"{table}", "ENGINE=InnoDB"},
    {"{lock}", "FOR UPDATE"},
    {"{free}", "FOR UPDATE SKIP LOCKED"},
};

// A value as SOCI takes it: in quotes, with a backslash before what would end it.
std::string Quoted(std::string_view value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

// Whether the host's name has to be in the certificate is an option that SOCI does not pass on;
// but the client library reads options from the host's own text.
Result<std::string> HostWithTls(const MysqlOptions& options) {
  std::string text = "host=" + options.host + ";ssl-verify-server-cert=1;ssl-ca=" + options.tls_ca;
  if (!options.tls_certificate.empty()) {
    text += ";ssl-cert=" + options.tls_certificate + ";ssl-key=" + options.tls_key;
  }
  for (const std::string* part :
       {&options.host, &options.tls_ca, &options.tls_certificate, &options.tls_key}) {
    if (part->find_first_of(";=") != std::string::npos) {
      return InvalidArgument("hosts and TLS files cannot have ; or = in their names: " + *part);
    }
  }
  return text;
}

Result<std::string> ConnectString(const MysqlOptions& options) {
  std::string text;
  const auto add = [&text](const std::string& name, std::string_view value) {
    if (!value.empty()) text += (text.empty() ? "" : " ") + name + "=" + Quoted(value);
  };
  std::string host = options.host;
  if (options.tls == MysqlTls::kHost) {
    ASSIGN_OR_RETURN(host, HostWithTls(options));
  } else if (options.tls == MysqlTls::kChain) {
    add("sslca", options.tls_ca);
    add("sslcert", options.tls_certificate);
    add("sslkey", options.tls_key);
  }
  add("host", host);
  if (!options.host.empty()) add("port", std::to_string(options.port));
  add("unix_socket", options.socket);
  add("user", options.user);
  add("password", options.password.Reveal());
  add("db", options.database);
  // Texts are bytes (see kWords), and so are literals.
  add("charset", "binary");
  add("connect_timeout", std::to_string(kConnectSeconds));
  return text;
}

// While connecting, a failure of TLS is mostly a certificate that is not as demanded; the client
// library has the same number for every connection over TLS that breaks later.
class TlsRefused : public soci::soci_error {
 public:
  TlsRefused() : soci::soci_error("TLS refused") {}
};

std::unique_ptr<soci::session> OpenSession(const std::string& connect_string) {
  try {
    return std::make_unique<soci::session>(soci::mysql, connect_string);
  } catch (const soci::mysql_soci_error& error) {
    if (error.err_num_ == CR_SSL_CONNECTION_ERROR) throw TlsRefused();
    throw;
  }
}

class MysqlDialect : public Dialect {
 public:
  MysqlDialect(Secret connect_string, std::size_t max_sessions)
      : connect_string_(std::move(connect_string)), max_sessions_(max_sessions) {}

  std::unique_ptr<soci::session> Connect(Access access) const override {
    const std::string seconds =
        std::to_string(access == Access::kSchema ? kSchemaAnswerSeconds : kAnswerSeconds);
    auto session = OpenSession(std::string(connect_string_.Reveal()) + " read_timeout=" + seconds +
                               " write_timeout=" + seconds);
    // Nothing of what the server was configured with may change what a statement means; backslashes
    // in particular, which SOCI escapes with.
    *session << "SET SESSION sql_mode = 'STRICT_ALL_TABLES'";
    *session << "SET SESSION innodb_lock_wait_timeout = " << kLockSeconds;
    // A writer locks what it goes by; more isolation would only lock the gaps between. A reader has
    // a snapshot.
    *session << (access == Access::kRead
                     ? "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
                     : "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    return session;
  }

  std::size_t max_sessions() const override { return max_sessions_; }

  std::size_t MaxStatement(soci::session& session) const override {
    long long bytes = 0;
    session << "SELECT @@max_allowed_packet", soci::into(bytes);
    return static_cast<std::size_t>(bytes);
  }

  const char* BeginStatement(Access access) const override {
    return access == Access::kRead ? "START TRANSACTION READ ONLY" : "START TRANSACTION";
  }

  // When a commit is on the disk is the server's business: innodb_flush_log_at_trx_commit.
  void SetSynced(soci::session&, bool) const override {}

  std::span<const Word> words() const override { return kWords; }

  const char* CountTables() const override {
    return "SELECT COUNT(*) FROM information_schema.tables "
           "WHERE table_schema = DATABASE() AND table_name = :name";
  }

  // Every CREATE and ALTER is a transaction of its own.
  bool schema_is_transactional() const override { return false; }

  Status LockSchema(Connection& sql) const override {
    for (int i = 0; i < kSchemaLockWaits; ++i) {
      if (sql.Number("SELECT COALESCE(GET_LOCK(CONCAT('lethe-', MD5(DATABASE())), :seconds), 0)",
                     kLockSeconds) == 1) {
        return OkStatus();
      }
    }
    return Unavailable("another node is bringing the records up to date; try again");
  }

  void UnlockSchema(Connection& sql) const override {
    sql.Number("SELECT COALESCE(RELEASE_LOCK(CONCAT('lethe-', MD5(DATABASE()))), 0)");
  }

  bool SaysItIsThere(const soci::soci_error& error) const override {
    switch (Number(error)) {
      case kTableExists:
      case kDuplicateColumn:
      case kDuplicateKeyName:
      case kDuplicateEntry:
        return true;
      default:
        return false;
    }
  }

  // Pages, undo logs and binary logs are the server's; docs/database.md says what to set there.
  void TidyLog(Connection&) const override {}
  bool EmptyLog(Connection&) const override { return true; }

  SqlFailure Explain(const soci::soci_error& error, std::string_view what) const override {
    // SOCI's own message has the values of the statement in it, and goes nowhere.
    const unsigned number = Number(error);
    const std::string cannot = "cannot " + std::string(what) + ": ";
    if (dynamic_cast<const TlsRefused*>(&error) != nullptr) {
      return {.status = Unavailable(
                  cannot + "the database's TLS certificate or its TLS is not as demanded")};
    }
    return {.trouble = TroubleOf(number), .status = NumberStatus(number, cannot)};
  }

 private:
  static unsigned Number(const soci::soci_error& error) {
    const auto* mysql = dynamic_cast<const soci::mysql_soci_error*>(&error);
    return mysql != nullptr ? mysql->err_num_ : 0;
  }

  static Trouble TroubleOf(unsigned number) {
    switch (number) {
      case kDeadlock:
      case kLockWaitTimeout:
      case kDuplicateEntry:  // somebody took the name or the number since we looked
        return Trouble::kConflict;
      case CR_SERVER_GONE_ERROR:
      case CR_SERVER_LOST:
      case CR_SSL_CONNECTION_ERROR:
      case CR_COMMANDS_OUT_OF_SYNC:
      case kServerShutdown:
      case kAbortingConnection:
      case kConnectionKilled:
      case kInterrupted:
      case kIdleTooLong:
      // The server became a replica: another connection may reach the new primary.
      case kOptionPreventsStatement:
      case kReadOnlyMode:
        return Trouble::kLost;
      default:
        return number >= kNetReadError && number <= kNetWriteInterrupted ? Trouble::kLost
                                                                         : Trouble::kOther;
    }
  }

  static Status NumberStatus(unsigned number, const std::string& cannot) {
    switch (number) {
      case CR_CONNECTION_ERROR:
      case CR_CONN_HOST_ERROR:
      case CR_UNKNOWN_HOST:
        return Unavailable(cannot + "the database does not answer");
      case CR_SERVER_GONE_ERROR:
      case CR_SERVER_LOST:
      case CR_SSL_CONNECTION_ERROR:
        return Unavailable(cannot + "the connection to the database broke; try again");
      case kTooManyConnections:
      case kTooManyUserConnections:
        return Unavailable(cannot + "the database has too many connections already");
      case kAccessDenied:
      case kAccessDeniedNoPassword:
        return PermissionDenied(cannot + "the database refuses the user or the password");
      case kDatabaseAccessDenied:
      case kCommandDenied:
      case kColumnDenied:
      case kSpecificAccessDenied:
        return PermissionDenied(cannot + "the database's user lacks a right; GRANT it ALL on its " +
                                "own database");
      case kUnknownDatabase:
        return FailedPrecondition(cannot + "there is no such database; CREATE DATABASE it first");
      case kDiskFull:
      case kTableFull:
        return Unavailable(cannot + "the database's disk is full");
      case kPacketTooLarge:
      case CR_NET_PACKET_TOO_LARGE:
        return ResourceExhausted(cannot + "larger than the database's max_allowed_packet");
      case kCrashedTable:
      case kCrashedTableTwice:
        return DataLoss(cannot + "a table is damaged; restore it from its backup");
      case kDeadlock:
      case kLockWaitTimeout:
      case kDuplicateEntry:
        return Unavailable(cannot + "others are changing the same; try again");
      case 0:
        return Unavailable(cannot + "the database's answer makes no sense");
      default:
        return Unavailable(cannot + "MySQL error " + std::to_string(number));
    }
  }

  const Secret connect_string_;
  const std::size_t max_sessions_;
};

}  // namespace

Result<std::unique_ptr<Dialect>> MakeMysqlDialect(const MysqlOptions& options) {
  ASSIGN_OR_RETURN(std::string connect_string, ConnectString(options));
  return std::unique_ptr<Dialect>(std::make_unique<MysqlDialect>(
      Secret(std::move(connect_string)), std::max<std::size_t>(options.max_connections / 2, 1)));
}

}  // namespace lethe
