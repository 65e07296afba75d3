#include "app/commands.h"
#include "app/finish.h"
#include "app/output.h"

namespace lethe {

void AddVersionCommand(CLI::App& program, int& exit_code) {
  CLI::App* command = program.add_subcommand("version", "Print the version");
  command->footer("Example:\n  lethe version");
  Finish(command, exit_code, [] { return WriteStandardOutput("lethe " LETHE_VERSION "\n"); });
}

}  // namespace lethe
