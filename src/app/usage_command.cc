#include <algorithm>
#include <memory>
#include <optional>

#include "app/commands.h"
#include "app/finish.h"
#include "app/metering_options.h"
#include "app/output.h"
#include "app/table.h"
#include "metering/reports.h"

namespace lethe {
namespace {

struct Options {
  MeteringOptions metering;
  std::string from, to;
  bool calls = false;
};

// What is asked for, of an application to be named.
Result<UsageQuery> ReadQuery(const Options& options, WallTime now) {
  UsageQuery query;
  ASSIGN_OR_RETURN(query.utc_offset, ParseOffset(options.metering.utc_offset));
  query.last = DayOf(now, query.utc_offset);
  if (!options.to.empty()) {
    ASSIGN_OR_RETURN(query.last, ParseDay(options.to));
  }
  const std::chrono::year_month_day last = query.last;
  query.first = last.year() / last.month() / 1;
  if (!options.from.empty()) {
    ASSIGN_OR_RETURN(query.first, ParseDay(options.from));
  }
  if (query.last < query.first) return InvalidArgument("--to lies before --from");
  return query;
}

Status WriteCalls(Usage& usage, const UsageQuery& query, bool json, BufferedOutput& output) {
  const CallQuery calls{.app_id = query.app_id,
                        .begin = query.first - query.utc_offset,
                        .end = query.last + std::chrono::days(1) - query.utc_offset};
  return usage.Calls(calls, [&](const FinishedCall& call) {
    return output.Write(json ? CallJson(call, query.utc_offset, std::nullopt) + "\n"
                             : CallCsv(call, query.utc_offset, std::nullopt));
  });
}

void AddRows(AppId app_id, const std::vector<DayUsage>& days, Table& table) {
  for (const DayUsage& day : days) {
    table.Add({std::to_string(app_id), ShowDay(day.day), std::string(InterfaceName(day.interface)),
               std::to_string(day.calls), std::to_string(day.failed),
               ShowDuration(static_cast<double>(day.seconds))});
  }
}

Status Run(const Options& options) {
  const MeteringOptions& wanted = options.metering;
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(wanted.records, SystemClock(), false));
  Usage& usage = folder.store->usage();
  ASSIGN_OR_RETURN(UsageQuery query, ReadQuery(options, SystemClock().Now()));
  ASSIGN_OR_RETURN(const std::vector<AppId> apps, ChosenApplications(*folder.store, wanted.app));
  BufferedOutput output;
  Table table(3, {"APPID", "DAY", "INTERFACE", "CALLS", "FAILED", "AUDIO"});
  if (options.calls && !wanted.json) RETURN_IF_ERROR(output.Write(CallCsvHead()));
  if (!options.calls && wanted.csv) RETURN_IF_ERROR(output.Write(UsageCsvHead()));
  for (const AppId app_id : apps) {
    query.app_id = app_id;
    if (options.calls) {
      RETURN_IF_ERROR(WriteCalls(usage, query, wanted.json, output));
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<DayUsage> days, usage.ByDay(query));
    if (wanted.json) {
      RETURN_IF_ERROR(output.Write(UsageJson(query, days) + "\n"));
    } else if (wanted.csv) {
      RETURN_IF_ERROR(output.Write(UsageCsv(app_id, days)));
    } else {
      AddRows(app_id, days, table);
    }
  }
  if (!options.calls && !wanted.json && !wanted.csv) RETURN_IF_ERROR(output.Write(table.Text()));
  return output.Flush();
}

}  // namespace

void AddUsageCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("usage", "Show what applications used, day by day");
  command->footer(
      "Examples:\n"
      "  lethe usage\n"
      "  lethe usage --app default --from 2026-10-01 --to 2026-10-31 --csv > october.csv\n"
      "  lethe usage --calls --json\n"
      "\n"
      "Only calls that succeeded are counted and cost something: at least a second each, parts of\n"
      "a second as whole ones. Calls are kept for two months. What they cost: lethe bill --help.\n"
      "Columns and fields: docs/metering.md. Works beside a running service.\n"
      "More: lethe help billing");
  AddMeteringOptions(command, options->metering);
  command->add_option("--from", options->from, "First day [the first of the last day's month]");
  command->add_option("--to", options->to, "Last day [today]");
  command->add_flag("--calls", options->calls, "Every call, as CSV or with --json");
  AddCsvFlag(command, options->metering);
  AddJsonFlag(command, options->metering);
  command->get_option("--csv")->excludes("--json");
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
