#pragma once

// The folder in which a service keeps what is its own:
//
//   records.db        applications, keys, tasks, usage (store/sqlite_store.h), unless they are in a
//                     database server (store/mysql_store.h)
//   objects/          recordings that wait to be transcribed, sealed (store/recordings.h)
//   clock             the latest moment seen (base/guarded_clock.h)
//   lock              held by the service
//   reserve           room on its disk for erasures when that is full (base/disk_reserve.h)
//   keys/             what opens the secrets and texts in them (seal/keyring.h), unless the keys
//                     are elsewhere; belongs into another backup than the records, or in none
//   ledger/           what was created and erased (ledger/ledger.h), and what was decided
//                     (ledger/decision_file.h), unless it is elsewhere; its signing key is with the
//                     keys

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/disk_reserve.h"
#include "base/file_lock.h"
#include "base/guarded_clock.h"
#include "base/secret.h"
#include "base/status.h"
#include "ledger/ledger.h"
#include "seal/keyring.h"
#include "store/objects.h"
#include "store/recordings.h"
#include "store/store.h"

namespace lethe {

/// $LETHE_DATA, else $XDG_DATA_HOME/lethe, else ~/.local/share/lethe.
std::string DefaultDataFolder();

/// Where the records are.
struct RecordsOptions {
  bool serves = false;  // a service, not a command beside one: it has the folder for itself, and
                        // says where recordings are
  std::string data = DefaultDataFolder();  // the folder
  std::string keys;                        // the folder of the keys; empty: "keys" in the folder
  std::string objects;        // the folder of recordings, or their bucket (ParseS3Url()); empty:
                              // "objects" in it, or, with a DSN, none
  std::string objects_keys;   // file of the bucket's keys (LoadS3Keys())
  std::string ledger;         // of the ledger; empty: "ledger" in it
  std::string region;         // empty: that of the keys, which of new ones is "default"
  std::string dsn;            // of a database server (ParseMysqlDsn()); empty: records.db
  std::string password_file;  // the server's password; empty: $LETHE_STORE_PASSWORD, or none
  std::int64_t connections = 16;
};

struct DataFolder {
  std::string path;
  std::string records;                   // the path again, or the DSN
  std::optional<FileLock> lock;          // of a service, so that there is one for a folder
  std::unique_ptr<GuardedClock> clock;   // the store's
  std::unique_ptr<DiskReserve> reserve;  // a service fills it
  std::unique_ptr<Keyring> keyring;
  std::unique_ptr<Store> store;
  std::unique_ptr<ObjectStore> objects;    // none: uploads stay in memory
  std::unique_ptr<Recordings> recordings;  // in them
  LedgerOptions ledger;                    // of these records
  std::vector<std::string> notes;          // what whoever starts the service should know
};

/// Gives records and keys a new master key, and destroys the old one; says how many keys were
/// sealed anew. No service may have them open. What is interrupted is finished by the next call.
/// Errors: as Keyring::ChangeMasterKey and ResealSqliteStore()
Result<int> RotateMasterKey(const RecordsOptions& options);

/// Opens the records. With `may_create` a folder that is missing or has none is made to have some,
/// and so is a database; otherwise that is kFailedPrecondition.
///
/// Errors:   kFailedPrecondition for a service on a folder that another one has;
///           as MasterKey::Load(), OpenSqliteStore(), ParseMysqlDsn() and OpenMysqlStore(); records
///           without their master key are kFailedPrecondition, never given a new one
/// Lifetime: the clock has to outlive the store
Result<DataFolder> OpenDataFolder(const RecordsOptions& options, const Clock& clock,
                                  bool may_create);

/// Whether the database server of `dsn` has no records yet. Changes nothing.
/// Errors: as ParseMysqlDsn() and MysqlStoreIsNew()
Result<bool> DatabaseIsNew(const RecordsOptions& options);

/// A name that no other service has: the machine's, and a part that differs for each folder on it.
std::string DefaultNodeName(const std::string& data);

/// What a new service begins with, told once.
struct FirstKeys {
  Application application;
  std::string secret_id;
  Secret secret_key, bearer_key, console_password;
};

/// In records without any application and without a console password, makes the application
/// "default" with a key pair, a bearer key and a password. Nothing in others.
Result<std::optional<FirstKeys>> FirstStart(Store& store);

/// A password nobody can guess and a person can type.
Secret RandomPassword();

}  // namespace lethe
