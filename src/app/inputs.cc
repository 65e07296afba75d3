#include "app/inputs.h"

#include <filesystem>

#include "app/output.h"
#include "service/transcriber.h"

namespace lethe {

bool ExpandFolders(const std::vector<std::string>& inputs, std::vector<std::string>* files,
                   std::vector<std::string>* names) {
  namespace fs = std::filesystem;
  bool good = true;
  const auto add = [&](const std::string& file, const fs::path& name) {
    files->push_back(file);
    if (names != nullptr) names->push_back(name.string());
  };
  for (const std::string& input : inputs) {
    std::error_code ignored;
    if (input == "-" || !fs::is_directory(input, ignored)) {
      add(input, fs::path(input).filename());
      continue;
    }
    const auto found = ListRecordings(input);
    if (!found.ok()) {
      PrintError(input, found.status());
      good = false;
      continue;
    }
    for (const std::string& file : *found) add(file, fs::path(file).lexically_relative(input));
  }
  return good;
}

}  // namespace lethe
