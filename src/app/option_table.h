#pragma once

// Options of a long-running command, each declared once: its name is its key in the configuration
// file (`limits.upload_mb`), its flag (`--limits.upload-mb`) and its environment variable
// (LETHE_LIMITS_UPLOAD_MB). A flag goes before the environment, that before the file.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/App.hpp>

#include "base/status.h"

namespace lethe {

/// Thread: one
class OptionTable {
 public:
  /// The targets hold the defaults, and outlive the table.
  void Add(const std::string& name, const std::string& help, std::string* target);
  void Add(const std::string& name, const std::string& help, bool* target);
  void Add(const std::string& name, const std::string& help, std::int64_t least, std::int64_t most,
           std::int64_t* target);
  /// A list; whoever names it replaces the default as a whole. In the environment the elements are
  /// apart by commas.
  void Add(const std::string& name, const std::string& help, std::vector<std::string>* target);
  /// A table of the file whose keys are the caller's ("engines" -> engines.16k_en = "x"); as a flag
  /// and in the environment NAME=VALUE, as a list.
  void Add(const std::string& name, const std::string& help,
           std::map<std::string, std::string>* target);

  /// Makes a flag of every option.
  void AddFlags(CLI::App* command);

  /// Reads the file (nothing if `path` is empty), the environment and what the flags said.
  /// Errors: kInvalidArgument with every problem there is, in one line: unknown keys, wrong types,
  ///         values out of their range; as ReadFile() for the file
  Status Load(const std::string& path);

  /// The variables of the environment that Load() reads.
  std::vector<std::string> EnvironmentNames() const;

  /// Sets the variables of the environment of those options under `prefix` ("store.") that are one
  /// text, and not empty.
  void SetEnvironment(std::string_view prefix) const;

  /// Every option as a documented configuration file with the values it has.
  std::string Show() const;

 private:
  struct Option {
    std::string name, help, range;
    bool is_list = false, is_table = false;
    const std::string* text = nullptr;  // of an option that is one
    // Sets the option to these values, in place of what it had; a problem, or empty.
    std::function<std::string(const std::vector<std::string>& values)> set;
    std::function<std::string()> show;  // as TOML
    std::vector<std::string> flag_values;
  };
  Option& Append(const std::string& name, const std::string& help);
  const Option* Find(std::string_view name) const;
  bool IsSection(std::string_view name) const;  // "limits"
  void ReadFileText(const std::string& path, const std::string& text,
                    std::vector<std::string>* problems);
  void ReadEnvironment(std::vector<std::string>* problems);

  std::vector<std::unique_ptr<Option>> options_;
};

}  // namespace lethe
