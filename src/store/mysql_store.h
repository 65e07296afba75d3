#pragma once

// Records in MySQL or MariaDB, for several nodes at once. The nodes share the master key (a copy of
// its file) and have clocks that agree; store/tasks.h says what each may take.
//
// What a call promises when the server goes away:
//   - before the commit was sent, nothing was written; the call is made once more, on a new
//     connection, and is kUnavailable if that does not help
//   - between the commit and its answer, nobody can know; the call is kUnavailable, says so, and is
//     not made again. Whoever called has to look (a task: whether it is finished under the lease).
// A transaction that the server gives up in favour of another one is tried again a few times.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "base/status.h"
#include "seal/keyring.h"
#include "store/store.h"

namespace lethe {

/// How a connection is protected.
enum class MysqlTls {
  kOff,
  kChain,  // encrypted; the server's certificate has to be of `tls_ca`
  kHost,   // and has to be the certificate of the host that was named
};

struct MysqlOptions {
  std::string host;  // a name or an address; empty: `socket`
  std::uint16_t port = 3306;
  std::string socket;  // the path of a Unix socket
  std::string user, database;
  Secret password;
  MysqlTls tls = MysqlTls::kOff;
  std::string tls_ca, tls_certificate, tls_key;  // PEM files; the latter two for a client's own
  std::size_t max_connections = 16;              // half of them read, half write; at least 2
};

/// Reads "mysql://USER@HOST[:PORT]/DATABASE[?NAME=VALUE[&...]]" (also mariadb://). Names: socket (a
/// path, with an empty host), tls (off, chain or host; host if there is a tls_ca), tls_ca,
/// tls_cert, tls_key. In all parts %XX stands for a byte. Errors: kInvalidArgument, saying what is
/// wrong; a password in it is, and is not repeated
Result<MysqlOptions> ParseMysqlDsn(std::string_view dsn);

/// Connects, makes the tables if there are none, and brings the schema up to date; several nodes
/// may do so at once.
///
/// Errors:   kUnavailable when the server does not answer; kPermissionDenied when it refuses the
///           user; kFailedPrecondition when there is no such database, its tables were made by a
///           newer Lethe or belong to another master key
/// Lifetime: the clock and the keyring have to outlive the store
Result<std::unique_ptr<Store>> OpenMysqlStore(const MysqlOptions& options, const Clock& clock,
                                              Keyring& keyring);

/// As ResealSqliteStore().
Status ResealMysqlStore(const MysqlOptions& options, const MasterKey& from, const MasterKey& to);

/// Whether no store has been opened in that database yet, so that a new master key may be its own.
/// Errors: as OpenMysqlStore()
Result<bool> MysqlStoreIsNew(const MysqlOptions& options);

}  // namespace lethe
