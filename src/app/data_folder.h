#pragma once

// The folder in which a service keeps what is its own:
//
//   records.db        applications, keys, tasks, usage (store/sqlite_store.h)
//   keys/master.key   what opens the secrets in it; belongs into another backup than the records
//   ledger/           what was created and erased (ledger/ledger.h)
//   keys/ledger-signing.key   signs it

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "base/status.h"
#include "store/store.h"

namespace lethe {

struct DataFolder {
  std::string path;
  std::unique_ptr<Store> store;
};

/// $LETHE_DATA, else $XDG_DATA_HOME/lethe, else ~/.local/share/lethe.
std::string DefaultDataFolder();

/// Opens the records in `path`. With `may_create` a folder that is missing or has none is made to
/// have some; otherwise that is kFailedPrecondition.
///
/// Errors:   as MasterKey::Load() and OpenSqliteStore(); records without their master key are
///           kFailedPrecondition, never given a new one
/// Lifetime: the clock has to outlive the store
Result<DataFolder> OpenDataFolder(const std::string& path, const Clock& clock, bool may_create);

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
