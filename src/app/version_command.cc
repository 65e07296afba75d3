#include "app/commands.h"
#include "app/output.h"

namespace lethe {

void AddVersionCommand(CLI::App& program, int& exit_code) {
  CLI::App* command = program.add_subcommand("version", "Print the version");
  command->footer("Example:\n  lethe version");
  command->callback([&exit_code] { exit_code = Print("lethe " LETHE_VERSION "\n"); });
}

}  // namespace lethe
