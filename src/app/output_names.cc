#include "app/output_names.h"

#include <filesystem>
#include <unordered_map>
#include <unordered_set>

namespace lethe {

std::vector<std::string> OutputNames(const std::vector<std::string>& names,
                                     std::string_view extension) {
  const std::string ending = "." + std::string(extension);
  std::vector<std::string> wholes, stems;
  std::unordered_map<std::string, int> with_stem, with_whole;
  for (const std::string& name : names) {
    const std::filesystem::path path(name == "-" ? "stdin" : name);
    wholes.push_back(path.string());
    stems.push_back((path.parent_path() / path.stem()).string());
    ++with_stem[stems.back()];
  }
  std::unordered_set<std::string> taken;
  std::vector<std::string> outputs;
  outputs.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string output = (with_stem[stems[i]] == 1 ? stems[i] : wholes[i]) + ending;
    // The number goes on where it stopped, so a thousand recordings of one name are not quadratic.
    int& number = with_whole.try_emplace(wholes[i], 2).first->second;
    while (taken.contains(output)) {
      output = wholes[i] + "-" + std::to_string(number++) + ending;
    }
    taken.insert(output);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace lethe
