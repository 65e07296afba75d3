#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include <unistd.h>

#include "app/commands.h"
#include "app/doctor.h"
#include "app/environment.h"
#include "app/finish.h"
#include "app/output.h"
#include "audio/media_cage.h"
#include "base/subprocess.h"
#include "base/wiped_memory.h"
#include "kernels/dispatch.h"
#include "model/moonshine/moonshine.h"
#include "model/silero/silero.h"
#include "model/store.h"

namespace lethe {
namespace {

void LookAtCpu(DoctorReport* report) {
  std::string sets;
  for (const KernelTable* table : AvailableKernels()) {
    sets += (sets.empty() ? "" : ", ") + std::string(table->name);
  }
  report->Good("processor",
               CpuName() + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores");
  const auto chosen = ChooseKernels();
  if (!chosen.ok()) {
    report->Bad("kernels", chosen.status().message() + "; unset LETHE_ISA or name one of these");
  } else if (AvailableKernels().size() == 1) {
    report->Note("kernels", "plain code only: this CPU has no AVX2, expect a tenth of the speed");
  } else {
    report->Good("kernels", std::string((*chosen)->name) + " of " + sets);
  }
}

void LookAtMemory(DoctorReport* report) {
  std::ifstream info("/proc/meminfo");
  long long available_kib = 0;
  for (std::string key; info >> key;) {
    if (key == "MemAvailable:") {
      info >> available_kib;
      break;
    }
    info.ignore(256, '\n');
  }
  if (available_kib == 0) return;
  const std::string found =
      ShowBytes(static_cast<double>(available_kib) * 1024) + " available, " +
      (FreedMemoryIsWiped() ? "zeroed when freed"
                            : "not zeroed when freed: sanitizers are built in");
  if (available_kib < 256 * 1024 || !FreedMemoryIsWiped()) {
    report->Note("memory", found + "; transcribing wants 256 MB");
  } else {
    report->Good("memory", found);
  }
}

void LookAtModels(DoctorReport* report) {
  const ModelStore store(ModelStore::DefaultDirectory());
  for (const CatalogueEntry& entry : Catalogue()) {
    const std::string name(entry.name);
    if (const auto found = store.Find(name); !found.ok()) {
      report->Bad(name, found.status().message());
    } else if (const Status status = store.Verify(name);
               status.code() == StatusCode::kFailedPrecondition) {
      report->Note(name, status.message());
    } else if (!status.ok()) {
      report->Bad(name, status.message());
    } else {
      report->Good(name, "installed, as published: " + found->path);
    }
  }
  for (const InstalledModel& model : store.List()) {
    if (FindInCatalogue(model.name) != nullptr) continue;
    const Status status = store.Verify(model.name);
    if (status.ok()) {
      report->Good(model.name, "installed, as imported: " + model.path);
    } else {
      report->Bad(model.name, status.message());
    }
  }
}

void LookAtModelFolder(DoctorReport* report) {
  const std::string folder = ModelStore::DefaultDirectory();
  // The nearest folder that is there decides whether the rest can be made.
  std::filesystem::path nearest(folder);
  std::error_code ignored;
  while (!std::filesystem::exists(nearest, ignored) && nearest.has_relative_path()) {
    nearest = nearest.parent_path();
  }
  if (::access(nearest.c_str(), W_OK) == 0) {
    report->Good("model folder", folder + " can be written");
  } else {
    report->Note("model folder", folder +
                                     " cannot be written by this user: models can be used, "
                                     "not pulled; LETHE_MODELS names another folder");
  }
  if (const auto npm = RunCommand({"npm", "--version"}, "/", {}); npm.ok() && npm->exit_code == 0) {
    report->Good("npm", npm->output.substr(0, npm->output.find('\n')) + ", fetches models");
  } else {
    report->Note("npm", "is missing, models cannot be pulled; apt-get install nodejs npm");
  }
}

void LookAtMediaCage(DoctorReport* report) {
  const auto decoder = CagedMediaDecoder::Start({.max_idle = 1});
  if (!decoder.ok()) {
    report->Note("media cage", decoder.status().message());
    return;
  }
  const MediaConfinement& confinement = (*decoder)->confinement();
  const std::string seccomp = std::string("seccomp ") + (confinement.seccomp ? "yes" : "no");
  if (confinement.landlock_abi > 0) {
    report->Good("media cage", seccomp + ", landlock yes (version " +
                                   std::to_string(confinement.landlock_abi) + ")");
  } else {
    report->Note("media cage", seccomp + ", landlock no: this kernel lacks it or has it off; " +
                                   "system calls are filtered all the same");
  }
}

}  // namespace

void AddDoctorCommand(CLI::App& program, int& exit_code) {
  struct Options {
    ServeOptions serve;
    OptionTable table;
    std::string file;
  };
  auto options = std::make_shared<Options>();
  options->serve.Describe(&options->table);
  CLI::App* command =
      program.add_subcommand("doctor", "Say what this machine offers and what is missing");
  command->footer(
      "Example:\n"
      "  lethe doctor && lethe transcribe talk.mp3\n"
      "  lethe doctor --config /etc/lethe/lethe.toml --data /var/lib/lethe\n"
      "\n"
      "Options of the service are read from the configuration file and the environment, as by\n"
      "`lethe serve`. The exit code is 1 when something marked FAIL keeps lethe from "
      "transcribing,\n"
      "or a service from running as it should.");
  command->add_option("--config", options->file, "The service's configuration file (TOML)")
      ->envname("LETHE_CONFIG");
  command->add_option("--data", options->serve.records.data, "Folder of the records and their key")
      ->capture_default_str();
  Finish(command, exit_code, [options]() -> Result<int> {
    RETURN_IF_ERROR(options->table.Load(options->file));
    DoctorReport report;
    LookAtCpu(&report);
    LookAtMemory(&report);
    LookAtModelFolder(&report);
    LookAtModels(&report);
    LookAtMediaCage(&report);
    if (const std::string unknown = UnknownVariables(options->table); !unknown.empty()) {
      report.Note("environment", unknown);
    }
    LookAtService(options->serve, &report);
    RETURN_IF_ERROR(WriteStandardOutput(report.text()));
    return report.problems() > 0 ? kExitFailed : kExitOk;
  });
}

}  // namespace lethe
