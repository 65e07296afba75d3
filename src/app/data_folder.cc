#include "app/data_folder.h"

#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>

#include "base/random.h"
#include "store/sqlite_store.h"

namespace lethe {

std::string DefaultDataFolder() {
  if (const char* folder = std::getenv("LETHE_DATA"); folder != nullptr && *folder != 0) {
    return folder;
  }
  if (const char* folder = std::getenv("XDG_DATA_HOME"); folder != nullptr && *folder != 0) {
    return std::string(folder) + "/lethe";
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/share/lethe";
}

void AddDataOption(CLI::App* command, std::string* path) {
  *path = DefaultDataFolder();
  command->add_option("--data", *path, "Folder of the records and their key")
      ->capture_default_str();
}

Result<DataFolder> OpenDataFolder(const std::string& path, const Clock& clock) {
  DataFolder data{.path = path};
  const std::string keys = path + "/keys", records = path + "/lethe.db";
  std::error_code error;
  std::filesystem::create_directories(keys, error);
  if (error) return ErrnoStatus(error.value(), "cannot make the folder " + keys);
  if (chmod(keys.c_str(), S_IRWXU) != 0) return ErrnoStatus(errno, "cannot close " + keys);
  data.is_new = !std::filesystem::exists(records, error);
  // A key that is missing beside records is lost, and a new one would open nothing.
  ASSIGN_OR_RETURN(MasterKey key, MasterKey::Load(keys + "/master.key", data.is_new));
  ASSIGN_OR_RETURN(data.store, OpenSqliteStore(records, clock, std::move(key)));
  return data;
}

Result<std::optional<FirstSecrets>> FirstStart(DataFolder& data) {
  ASSIGN_OR_RETURN(const std::vector<Application> applications, data.store->applications().List());
  if (!data.is_new || !applications.empty()) return std::optional<FirstSecrets>();
  FirstSecrets secrets;
  ASSIGN_OR_RETURN(secrets.application, data.store->applications().Create({.name = "default"}));
  Keys& keys = data.store->keys();
  ASSIGN_OR_RETURN(secrets.pair, keys.Create(secrets.application.id, KeyKind::kPair));
  ASSIGN_OR_RETURN(secrets.bearer, keys.Create(secrets.application.id, KeyKind::kBearer));
  constexpr std::size_t kPasswordLength = 20;
  secrets.console_password = Secret(RandomAlphanumeric(kPasswordLength));
  RETURN_IF_ERROR(keys.SetConsolePassword(secrets.console_password));
  return std::optional<FirstSecrets>(std::move(secrets));
}

}  // namespace lethe
