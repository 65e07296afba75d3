#pragma once

// The folder in which a service keeps its records and, apart from them, the key that seals them.

#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/secret.h"
#include "base/status.h"
#include "store/store.h"

namespace lethe {

struct DataFolder {
  std::string path;
  std::unique_ptr<Store> store;
  bool is_new = false;  // was made, or held no records
};

/// $LETHE_DATA, else $XDG_DATA_HOME/lethe, else ~/.local/share/lethe.
std::string DefaultDataFolder();

/// Adds --data.
void AddDataOption(CLI::App* command, std::string* path);

/// Opens the folder, which is made, for its owner only, when it is not there.
/// Errors: as OpenSqliteStore() and MasterKey::Load()
Result<DataFolder> OpenDataFolder(const std::string& path, const Clock& clock);

/// What a first start tells its owner, once.
struct FirstSecrets {
  Application application;
  NewKey pair, bearer;
  Secret console_password;
};

/// Makes an application with keys and a console password where there is no application yet.
Result<std::optional<FirstSecrets>> FirstStart(DataFolder& data);

}  // namespace lethe
