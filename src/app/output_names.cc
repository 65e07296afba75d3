#include "app/output_names.h"

#include <filesystem>
#include <unordered_map>
#include <unordered_set>

namespace lethe {

std::vector<std::string> OutputNames(const std::vector<std::string>& inputs,
                                     std::string_view extension) {
  const std::string ending = "." + std::string(extension);
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, int> next_number;
  std::vector<std::string> names;
  names.reserve(inputs.size());
  for (const std::string& input : inputs) {
    const std::filesystem::path path(input == "-" ? "stdin" : input);
    const std::string whole = path.filename().string();
    std::string name = path.stem().string() + ending;
    if (taken.contains(name)) name = whole + ending;
    // The number goes on where it stopped, so a thousand inputs of one name are not quadratic.
    int& number = next_number.try_emplace(whole, 2).first->second;
    while (taken.contains(name)) name = whole + "-" + std::to_string(number++) + ending;
    taken.insert(name);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace lethe
