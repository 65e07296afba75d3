// The program `lethe`: reads the command line, does one command, returns its exit code.

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/help_formatter.h"
#include "app/output.h"
#include "audio/media_cage.h"

namespace {

// A standard stream that is closed would become what is opened next, records say, and be written
// to. What stands in for it cannot be used either.
void FillStandardStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// CLI11 counts in its own: "--format: At Most 1 required but received 2".
std::string InOurWords(const CLI::Error& error) {
  const std::string what = error.what();
  const std::size_t at_most = what.find(": At Most 1 required but received ");
  return at_most == std::string::npos ? what : what.substr(0, at_most) + " can be given once only";
}

// Arguments that no option takes: one that is no option may be the value of one that is not there.
std::string WhatIsLeft(const std::vector<std::string>& left) {
  for (const std::string& argument : left) {
    if (argument.starts_with('-') && argument != "-") return "there is no such option: " + argument;
  }
  return left.empty() ? "there is an argument too many"
                      : "there is an argument too many: " + left.front();
}

int Run(int argc, char** argv) {
  // A reader that goes away is an error of write(), reported like any other, and not a silent
  // death.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App program(
      "lethe: speech recognition that forgets.\n"
      "\n"
      "First steps:\n"
      "  lethe doctor                     what this machine offers and what is missing\n"
      "  lethe models pull --all          fetch the models once\n"
      "  lethe transcribe talk.mp3        what was said in a recording\n"
      "  lethe serve                      run the service\n"
      "  lethe help                       topics: clients, formats, the promise, trouble, ...\n",
      "lethe");
  program.require_subcommand(1);
  program.set_version_flag("--version", "lethe " LETHE_VERSION, "Print the version");
  program.failure_message([](const CLI::App* app, const CLI::Error& error) {
    std::string what = InOurWords(error), command = app->get_name();
    while (!app->get_subcommands().empty()) {
      app = app->get_subcommands().front();
      command += " " + app->get_name();
    }
    // A name that is no command is left over, and then one is missed: say the cause, not the
    // effect.
    const std::vector<std::string> left = app->remaining();
    if (app->get_require_subcommand_min() > 0 && !left.empty()) {
      what = "there is no such command or option: " + left.front();
    } else if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
      what = WhatIsLeft(left);
    }
    return "lethe: " + what + "\ntry: " + command + " --help\n";
  });
  program.formatter(lethe::MakeHelpFormatter());

  int exit_code = lethe::kExitOk;
  lethe::AddTranscribeCommand(program, exit_code);
  lethe::AddServeCommand(program, exit_code);
  lethe::AddEvalCommand(program, exit_code);
  lethe::AddModelsCommand(program, exit_code);
  lethe::AddAppsCommand(program, exit_code);
  lethe::AddKeysCommand(program, exit_code);
  lethe::AddCallsCommand(program, exit_code);
  lethe::AddConsentCommand(program, exit_code);
  lethe::AddEraseCommand(program, exit_code);
  lethe::AddLedgerCommand(program, exit_code);
  lethe::AddUsageCommand(program, exit_code);
  lethe::AddBillCommand(program, exit_code);
  lethe::AddSlaCommand(program, exit_code);
  lethe::AddBenchCommand(program, exit_code);
  lethe::AddDoctorCommand(program, exit_code);
  lethe::AddHelpCommand(program, exit_code);
  lethe::AddVersionCommand(program, exit_code);

  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return program.exit(help);
  } catch (const CLI::ParseError& error) {
    program.exit(error);
    return lethe::kExitUsage;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // The decoder of one recording (audio/media_cage.h), before anything else is set up: it is to
    // have nothing but that.
    if (argc == 2 && std::string_view(argv[1]) == "media-child") lethe::RunMediaChild();
    FillStandardStreams();
    return Run(argc, argv);
  } catch (const std::exception& error) {
    // Nothing of ours throws; what is left is the allocator and the standard library's threads.
    std::fputs("lethe: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
    return lethe::kExitFailed;
  }
}
