#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>  // all of it, here only (app/commands.h)

#include "app/commands.h"
#include "app/finish.h"
#include "app/help_topics.h"
#include "app/nearest_names.h"
#include "app/output.h"
#include "base/encoding.h"

namespace lethe {
namespace {

using Names = std::vector<std::string>;

// Columns of a name in the overview, as in that of --help.
constexpr std::size_t kNameColumns = 14;

Names CommandNames(CLI::App& parent) {
  Names names;
  for (const CLI::App* command : parent.get_subcommands([](CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

Names TopicNames() {
  Names names;
  for (const HelpTopic& topic : HelpTopics()) names.emplace_back(topic.name);
  return names;
}

CLI::App* FindCommand(CLI::App& parent, const std::string& name) {
  const auto found =
      parent.get_subcommands([&](CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

std::string Join(const Names& names, const char* between) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : between) + name;
  return joined;
}

std::string Row(std::string_view name, std::string_view text) {
  const std::size_t pad = kNameColumns - std::min(name.size(), kNameColumns - 1);
  return "  " + std::string(name) + std::string(pad, ' ') + std::string(text) + "\n";
}

std::string Overview(CLI::App& program) {
  std::string text =
      "Usage: lethe help [COMMAND | TOPIC]\n"
      "\n"
      "Topics:\n";
  for (const HelpTopic& topic : HelpTopics()) text += Row(topic.name, topic.title());
  text += "\nCommands, with their options:\n";
  for (const CLI::App* command : program.get_subcommands([](CLI::App*) { return true; })) {
    text += Row(command->get_name(), command->get_description());
  }
  return text + "\nlethe help apps create is lethe apps create --help.\n";
}

// Topics whose text has the word.
Names TopicsWith(const std::string& word) {
  Names names;
  if (word.empty()) return names;
  for (const HelpTopic& topic : HelpTopics()) {
    if (ToLowerAscii(topic.text).find(ToLowerAscii(word)) != std::string::npos) {
      names.emplace_back(topic.name);
    }
  }
  return names;
}

// There is no such command or topic: says which are near, and what lists them all.
int Unknown(const std::string& typed, const Names& names, const std::string& overview) {
  std::string what = "there is no such command or topic: " + typed;
  if (const Names nearest = NearestNames(typed, names); !nearest.empty()) {
    what += "; did you mean " + Join(nearest, " or ") + "?";
  } else if (const Names topics = TopicsWith(typed); !topics.empty()) {
    what += "; topics that speak of it: " + Join(topics, ", ");
  }
  PrintError(what);
  std::fputs(("try: " + overview + "\n").c_str(), stderr);
  return kExitUsage;
}

Result<int> Run(CLI::App& program, const Names& names) {
  std::string text;
  if (names.empty()) {
    text = Overview(program);
  } else if (CLI::App* command = FindCommand(program, names.front()); command != nullptr) {
    std::string path = "lethe";
    for (auto name = names.begin() + 1; name != names.end(); ++name) {
      path += " " + command->get_name();
      CLI::App* const next = FindCommand(*command, *name);
      if (next == nullptr) return Unknown(*name, CommandNames(*command), path + " --help");
      command = next;
    }
    text = command->help(path);
  } else {
    const std::span<const HelpTopic> topics = HelpTopics();
    const auto topic = std::find_if(topics.begin(), topics.end(), [&](const HelpTopic& each) {
      return each.name == names.front();
    });
    if (topic == topics.end() || names.size() > 1) {
      Names all = TopicNames();
      for (std::string& name : CommandNames(program)) all.push_back(std::move(name));
      return Unknown(topic == topics.end() ? names.front() : names[1], all, "lethe help");
    }
    text = topic->text;
  }
  RETURN_IF_ERROR(WriteStandardOutput(text));
  return kExitOk;
}

}  // namespace

void AddHelpCommand(CLI::App& program, int& exit_code) {
  auto names = std::make_shared<Names>();
  CLI::App* command = program.add_subcommand("help", "Explain a command or a topic");
  command->add_option("name", *names, "A command, or a topic; none: all there are");
  command->footer(
      "Examples:\n"
      "  lethe help\n"
      "  lethe help start\n"
      "  lethe help trouble\n"
      "  lethe help apps create");
  Finish(command, exit_code, [names, &program] { return Run(program, *names); });
}

}  // namespace lethe
