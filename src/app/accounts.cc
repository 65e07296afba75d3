#include "app/accounts.h"

#include <charconv>
#include <ctime>

#include "app/configuration.h"

namespace lethe {

void AddDataOption(CLI::App* command, std::string& path) {
  path = DefaultDataFolder();
  command->add_option("--data", path, "Folder of the records and their key")->capture_default_str();
}

void AddObjectsOptions(CLI::App* command, RecordsOptions& options) {
  command
      ->add_option("--store.objects", options.objects,
                   "Folder or bucket of recordings, as lethe serve has it")
      ->envname("LETHE_STORE_OBJECTS");
  command
      ->add_option("--store.objects-keys", options.objects_keys,
                   "File with the bucket's keys, as lethe serve has it")
      ->envname("LETHE_STORE_OBJECTS_KEYS");
}

void AddRecordsOptions(CLI::App* command, RecordsOptions& options) {
  TakeConfiguration(command);
  AddDataOption(command, options.data);
  command
      ->add_option("--store.dsn", options.dsn,
                   "Database server with the records, as lethe serve has it")
      ->envname("LETHE_STORE_DSN");
  command
      ->add_option("--store.password-file", options.password_file,
                   "File with the database's password; or LETHE_STORE_PASSWORD")
      ->envname("LETHE_STORE_PASSWORD_FILE");
  command
      ->add_option(
          "--store.keys", options.keys,
          "Folder of the keys, as lethe serve has it; by default \"keys\" in the data folder")
      ->envname("LETHE_STORE_KEYS");
  command
      ->add_option("--store.region", options.region,
                   "Region, as lethe serve has it; none: that of the keys")
      ->envname("LETHE_STORE_REGION")
      ->capture_default_str();
}

Result<Application> FindApplication(Store& store, const std::string& id_or_name) {
  AppId id = 0;
  const char* const end = id_or_name.data() + id_or_name.size();
  const auto [after, error] = std::from_chars(id_or_name.data(), end, id);
  const bool is_number = error == std::errc() && after == end;
  Result<Application> found =
      is_number ? store.applications().Find(id) : store.applications().FindByName(id_or_name);
  if (found.status().code() == StatusCode::kNotFound) {
    return NotFound("no application has this number or name; see: lethe apps list, not: " +
                    id_or_name);
  }
  return found;
}

std::string ShowTime(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &parts)};
}

}  // namespace lethe
