#include "app/configuration.h"

#include <cstdlib>
#include <string>

#include "app/option_table.h"
#include "app/serve_options.h"

namespace lethe {
namespace {

Status Take() {
  const char* const path = std::getenv("LETHE_CONFIG");
  if (path == nullptr || *path == '\0') return OkStatus();
  ServeOptions options;
  OptionTable table;
  options.Describe(&table);
  const Status loaded = table.Load(path);
  if (!loaded.ok()) return loaded.WithContext(std::string(path) + " (LETHE_CONFIG)");
  table.SetEnvironment("store.");
  table.SetEnvironment("metering.");
  return OkStatus();
}

Status& Taken() {
  static Status status = OkStatus();
  return status;
}

}  // namespace

void TakeConfiguration(CLI::App* command) {
  command->preparse_callback([](std::size_t) { Taken() = Take(); });
}

const Status& ConfigurationStatus() { return Taken(); }

}  // namespace lethe
