#pragma once

// The commands, a file each. Every Add function hangs one under the program and leaves its exit
// code in `exit_code` when it was chosen.
//
// Headers include <CLI/App.hpp> and not <CLI/CLI.hpp>: with that, every source compiles what CLI11
// formats help with, two seconds long. One does, help_command.cc, and help_formatter.cc has half of
// it: there GCC leaves the virtual
// tables, and with them all that they name, for the linker.

#include <CLI/App.hpp>

namespace lethe {

void AddTranscribeCommand(CLI::App& program, int& exit_code);
void AddServeCommand(CLI::App& program, int& exit_code);
void AddEvalCommand(CLI::App& program, int& exit_code);
void AddModelsCommand(CLI::App& program, int& exit_code);
void AddAppsCommand(CLI::App& program, int& exit_code);
void AddBillingCommand(CLI::App* apps, int& exit_code);  // one of those of `apps`
void AddKeysCommand(CLI::App& program, int& exit_code);
void AddCallsCommand(CLI::App& program, int& exit_code);
void AddConsentCommand(CLI::App& program, int& exit_code);
void AddEraseCommand(CLI::App& program, int& exit_code);
void AddLedgerCommand(CLI::App& program, int& exit_code);
void AddUsageCommand(CLI::App& program, int& exit_code);
void AddBillCommand(CLI::App& program, int& exit_code);
void AddSlaCommand(CLI::App& program, int& exit_code);
void AddBenchCommand(CLI::App& program, int& exit_code);
void AddDoctorCommand(CLI::App& program, int& exit_code);
void AddHelpCommand(CLI::App& program, int& exit_code);
void AddVersionCommand(CLI::App& program, int& exit_code);

/// The model used when none is named.
inline constexpr const char* kDefaultModel = "moonshine-tiny-en";
inline constexpr const char* kVoiceActivityModel = "silero-vad";

inline constexpr int kMaxThreads = 1024;

}  // namespace lethe
