#include "app/option_table.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <toml++/toml.h>

#include "base/file.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string EnvironmentName(std::string_view name) {
  std::string upper = "LETHE_";
  for (const char c : name) {
    upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c == '.' ? '_' : c;
  }
  return upper;
}

std::string FlagName(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

std::vector<std::string> SplitCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// A value of the file as text; nothing if it has another type than options have.
std::optional<std::string> ValueText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

}  // namespace

OptionTable::Option& OptionTable::Append(const std::string& name, const std::string& help) {
  options_.push_back(std::make_unique<Option>());
  options_.back()->name = name;
  options_.back()->help = help;
  return *options_.back();
}

void OptionTable::Add(const std::string& name, const std::string& help, std::string* target) {
  Option& option = Append(name, help);
  option.text = target;
  option.set = [target](const std::vector<std::string>& values) {
    *target = values.back();
    return std::string();
  };
  option.show = [target] { return Quote(*target); };
}

void OptionTable::Add(const std::string& name, const std::string& help, bool* target) {
  Option& option = Append(name, help);
  option.set = [target](const std::vector<std::string>& values) -> std::string {
    const std::string& value = values.back();
    if (value != "true" && value != "false") return "has to be true or false";
    *target = value == "true";
    return {};
  };
  option.show = [target] { return std::string(*target ? "true" : "false"); };
}

void OptionTable::Add(const std::string& name, const std::string& help, std::int64_t least,
                      std::int64_t most, std::int64_t* target) {
  Option& option = Append(name, help);
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  option.range = range;
  option.set = [=](const std::vector<std::string>& values) -> std::string {
    const std::string& value = values.back();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < least ||
        number > most) {
      return "has to be a number from " + range;
    }
    *target = number;
    return {};
  };
  option.show = [target] { return std::to_string(*target); };
}

void OptionTable::Add(const std::string& name, const std::string& help,
                      std::vector<std::string>* target) {
  Option& option = Append(name, help);
  option.is_list = true;
  option.set = [target](const std::vector<std::string>& values) {
    *target = values;
    return std::string();
  };
  option.show = [target] {
    std::string text;
    for (const std::string& value : *target) text += (text.empty() ? "" : ", ") + Quote(value);
    return "[" + text + "]";
  };
}

void OptionTable::Add(const std::string& name, const std::string& help,
                      std::map<std::string, std::string>* target) {
  Option& option = Append(name, help);
  option.is_list = option.is_table = true;
  option.set = [target](const std::vector<std::string>& values) -> std::string {
    target->clear();
    for (const std::string& value : values) {
      const std::size_t equals = value.find('=');
      if (equals == 0 || equals == std::string::npos) return "takes NAME=VALUE";
      (*target)[value.substr(0, equals)] = value.substr(equals + 1);
    }
    return {};
  };
  option.show = [target] {
    std::string text;
    for (const auto& [key, value] : *target) {
      text += (text.empty() ? " " : ", ") + Quote(key) + " = " + Quote(value);
    }
    return "{" + text + " }";
  };
}

void OptionTable::AddFlags(CLI::App* command) {
  for (const auto& option : options_) {
    std::string help = option->help;
    if (!option->range.empty()) help += " (" + option->range + ")";
    CLI::Option* flag = command->add_option(FlagName(option->name), option->flag_values,
                                            help + " [" + option->show() + "]");
    flag->type_name(option->is_table ? "NAME=VALUE" : "VALUE")->allow_extra_args(false);
    if (!option->is_list) flag->expected(1);
  }
}

const OptionTable::Option* OptionTable::Find(std::string_view name) const {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [&](const auto& option) { return option->name == name; });
  return found == options_.end() ? nullptr : found->get();
}

bool OptionTable::IsSection(std::string_view name) const {
  return std::any_of(options_.begin(), options_.end(), [&](const auto& option) {
    return option->name.starts_with(std::string(name) + ".");
  });
}

void OptionTable::ReadFileText(const std::string& path, const std::string& text,
                               std::vector<std::string>* problems) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    problems->push_back(path + ":" + std::to_string(error.source().begin.line) + ": " +
                        std::string(error.description()));
    return;
  }
  const std::function<void(const toml::table&, const std::string&)> visit =
      [&](const toml::table& table, const std::string& prefix) {
        for (const auto& [key, node] : table) {
          const std::string name = prefix + std::string(key.str());
          const std::string where =
              path + ":" + std::to_string(node.source().begin.line) + ": " + name;
          const Option* option = Find(name);
          std::vector<std::string> values;
          bool good = true;
          const auto take = [&](const toml::node& value, const std::string& before) {
            const auto taken = ValueText(value);
            good = good && taken.has_value();
            values.push_back(before + taken.value_or(""));
          };
          if (option == nullptr && node.is_table() && IsSection(name)) {
            visit(*node.as_table(), name + ".");
            continue;
          }
          if (option == nullptr) {
            problems->push_back(where + (node.is_table() ? ": there is no such section"
                                                         : ": there is no such option"));
            continue;
          }
          if (option->is_table && node.is_table()) {
            for (const auto& [inner, value] : *node.as_table()) {
              take(value, std::string(inner.str()) + "=");
            }
          } else if (option->is_list && !option->is_table && node.is_array()) {
            for (const toml::node& value : *node.as_array()) take(value, "");
          } else if (!option->is_list) {
            take(node, "");
          } else {
            good = false;
          }
          const std::string problem = good ? option->set(values) : "has another type";
          if (!problem.empty()) problems->push_back(where + " " + problem);
        }
      };
  visit(root, "");
}

void OptionTable::ReadEnvironment(std::vector<std::string>* problems) {
  for (const auto& option : options_) {
    const std::string name = EnvironmentName(option->name);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) continue;
    const std::string problem =
        option->set(option->is_list ? SplitCommas(value) : std::vector<std::string>{value});
    if (!problem.empty()) problems->push_back(name + " " + problem);
  }
}

Status OptionTable::Load(const std::string& path) {
  std::vector<std::string> problems;
  if (!path.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFile));
    ReadFileText(path, text, &problems);
  }
  ReadEnvironment(&problems);
  for (const auto& option : options_) {
    if (option->flag_values.empty()) continue;
    const std::string problem = option->set(option->flag_values);
    if (!problem.empty()) problems.push_back(FlagName(option->name) + " " + problem);
  }
  if (problems.empty()) return OkStatus();
  // In one line, as all that is said.
  std::string message;
  for (const std::string& problem : problems) message += (message.empty() ? "" : "; ") + problem;
  return InvalidArgument("the configuration has to be put right: " + message);
}

std::vector<std::string> OptionTable::EnvironmentNames() const {
  std::vector<std::string> names;
  for (const auto& option : options_) names.push_back(EnvironmentName(option->name));
  return names;
}

void OptionTable::SetEnvironment(std::string_view prefix) const {
  for (const auto& option : options_) {
    if (!option->name.starts_with(prefix) || option->text == nullptr) continue;
    if (option->text->empty()) continue;
    (void)setenv(EnvironmentName(option->name).c_str(), option->text->c_str(), 1);
  }
}

std::string OptionTable::Show() const {
  std::string text;
  for (const auto& option : options_) {
    text += "# " + option->help + (option->range.empty() ? "" : " (" + option->range + ")") + "\n" +
            option->name + " = " + option->show() + "\n\n";
  }
  return text;
}

}  // namespace lethe
