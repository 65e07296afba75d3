#include "app/environment.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "app/nearest_names.h"

namespace lethe {
namespace {

constexpr std::string_view kPrefix = "LETHE_";
// Read beside those of the options.
constexpr std::array<std::string_view, 8> kOthers = {
    "CONFIG",         "DATA", "FRAMES", "ISA", "MODELS", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY",
    "STORE_PASSWORD",
};

// Of our tests; of Kubernetes, for a service that is called lethe, or lethe-something.
bool IsSomebodys(std::string_view name) {
  return name.starts_with("TEST_") || name.starts_with("SERVICE_") ||
         name.find("_SERVICE_") != name.npos || name.starts_with("PORT") ||
         name.find("_PORT") != name.npos;
}

}  // namespace

std::string UnknownVariables(const OptionTable& table) {
  std::vector<std::string> known(kOthers.begin(), kOthers.end());
  for (const std::string& name : table.EnvironmentNames()) {
    known.push_back(name.substr(kPrefix.size()));
  }
  std::vector<std::string> unknown;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view name(*variable);
    name = name.substr(0, name.find('='));
    if (!name.starts_with(kPrefix)) continue;
    name.remove_prefix(kPrefix.size());
    if (IsSomebodys(name) || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::vector<std::string> nearest = NearestNames(name, known);
    unknown.push_back(
        std::string(kPrefix) + std::string(name) +
        (nearest.empty() ? "" : " (" + std::string(kPrefix) + nearest.front() + "?)"));
  }
  if (unknown.empty()) return {};
  std::sort(unknown.begin(), unknown.end());
  std::string text = "the environment has variables that nothing here reads: ";
  for (std::size_t i = 0; i < unknown.size(); ++i) text += (i == 0 ? "" : ", ") + unknown[i];
  return text;
}

}  // namespace lethe
