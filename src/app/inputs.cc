#include "app/inputs.h"

#include <filesystem>

#include "app/output.h"
#include "service/transcriber.h"

namespace lethe {

bool ExpandFolders(const std::vector<std::string>& inputs, std::vector<std::string>* files) {
  bool good = true;
  for (const std::string& input : inputs) {
    std::error_code ignored;
    if (input == "-" || !std::filesystem::is_directory(input, ignored)) {
      files->push_back(input);
      continue;
    }
    const auto found = ListRecordings(input);
    if (!found.ok()) {
      PrintError(input, found.status());
      good = false;
      continue;
    }
    files->insert(files->end(), found->begin(), found->end());
  }
  return good;
}

}  // namespace lethe
