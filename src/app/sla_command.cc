#include <memory>
#include <optional>
#include <vector>

#include "app/commands.h"
#include "app/finish.h"
#include "app/metering_options.h"
#include "app/output.h"
#include "app/table.h"
#include "metering/month_report.h"
#include "metering/reports.h"

namespace lethe {
namespace {

struct Options {
  MeteringOptions metering;
  std::vector<std::string> excluded;
  std::optional<std::int64_t> p50, p95, p99, erasure_late, erasure_objective;
};

std::optional<Millis> ToMillis(const std::optional<std::int64_t>& millis) {
  return millis ? std::optional(Millis(*millis)) : std::nullopt;
}

Result<TimeRange> ReadRange(const std::string& text, std::chrono::minutes utc_offset) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) {
    return InvalidArgument("--exclude takes 2026-10-05T02:00/2026-10-05T04:00, not: " + text);
  }
  TimeRange range;
  ASSIGN_OR_RETURN(range.begin, ParseMinute(text.substr(0, slash), utc_offset));
  ASSIGN_OR_RETURN(range.end, ParseMinute(text.substr(slash + 1), utc_offset));
  if (range.end < range.begin) return InvalidArgument("--exclude ends before it begins: " + text);
  return range;
}

Result<SlaOptions> ReadOptions(const Options& options, std::chrono::minutes utc_offset) {
  SlaOptions sla{.objectives = {.p50 = ToMillis(options.p50),
                                .p95 = ToMillis(options.p95),
                                .p99 = ToMillis(options.p99)},
                 .erasure_lateness = ToMillis(options.erasure_late),
                 .erasure_objective = ToMillis(options.erasure_objective)};
  for (const std::string& text : options.excluded) {
    ASSIGN_OR_RETURN(const TimeRange range, ReadRange(text, utc_offset));
    sla.excluded.push_back(range);
  }
  return sla;
}

void AddDefinition(const std::string& name, const std::string& of, const Availability& availability,
                   Table& table) {
  table.Add({name, of, ShowPercent(availability.share), availability.met ? "met" : "missed",
             std::to_string(availability.percent) + " %", ShowMoney(availability.credit)});
}

std::string ShowTimes(const std::optional<Percentiles>& times) {
  if (!times) return "-";
  return std::to_string(times->p50.count()) + " / " + std::to_string(times->p95.count()) + " / " +
         std::to_string(times->p99.count());
}

std::string ShowErasure(const SlaReport& report) {
  if (!report.erasure_lateness) {
    return "Lateness of erasure: not given; `lethe ledger verify` tells it (--erasure-late-ms).\n";
  }
  std::string text =
      "Lateness of erasure: " + std::to_string(report.erasure_lateness->count()) + " ms";
  if (report.erasure_met) text += *report.erasure_met ? ", objective met" : ", objective missed";
  return text + "\n";
}

std::string ShowReport(const SlaReport& report) {
  const auto number = [](auto value) { return std::to_string(value); };
  Table definitions(2, {"DEFINITION", "FAULTS", "AVAILABLE", "99.9 %", "CREDIT", "OF THE FEE"});
  AddDefinition("minute rule",
                number(report.unavailable_minutes) + " of " + number(report.minutes) + " minutes",
                report.minute_rule, definitions);
  AddDefinition(
      "five minutes",
      number(report.troubled_intervals) + " of " + number(report.intervals) + " intervals",
      report.five_minutes, definitions);
  AddDefinition("requests",
                number(report.calls.server_faults) + " of " +
                    number(report.calls.succeeded + report.calls.server_faults) + " calls",
                report.requests, definitions);
  Table interfaces(1, {"INTERFACE", "SUCCEEDED", "SERVER FAULTS", "CALLER FAULTS",
                       "TIME p50/95/99 (ms)", "BEYOND AUDIO (ms)", "OBJECTIVE"});
  for (const InterfaceLevel& level : report.interfaces) {
    interfaces.Add({std::string(InterfaceName(level.interface)), number(level.calls.succeeded),
                    number(level.calls.server_faults), number(level.calls.caller_faults),
                    ShowTimes(level.time), ShowTimes(level.beyond),
                    !level.objectives_met   ? "-"
                    : *level.objectives_met ? "met"
                                            : "missed"});
  }
  return "AppId " + number(report.app_id) + ", " + ShowMonth(report.month.month) + " (" +
         ShowOffset(report.month.utc_offset) + "), fee " + ShowMoney(report.fee) + " " +
         report.currency + "\n" + MonthWarning(report.over, report.complete) + "\n" +
         definitions.Text() + "\n" + interfaces.Text() + "\n" + ShowErasure(report) +
         (report.excluded_calls > 0
              ? "Left out as announced maintenance: " + number(report.excluded_calls) + " calls.\n"
              : "") +
         "Not seen here: calls that became no row, while no node answered, before it was known\n"
         "who called, and while records could not be written. A service that is down looks like\n"
         "one that nobody asks; of one that stood still, callers seem to have left.\n\n";
}

Status Run(const Options& options) {
  const MeteringOptions& wanted = options.metering;
  ASSIGN_OR_RETURN(const PriceTable prices, LoadPrices(wanted.prices));
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(wanted.records, SystemClock(), false));
  Usage& usage = folder.store->usage();
  const WallTime now = SystemClock().Now();
  ASSIGN_OR_RETURN(const BilledMonth month, ChosenMonth(wanted, now));
  ASSIGN_OR_RETURN(const SlaOptions sla, ReadOptions(options, month.utc_offset));
  ASSIGN_OR_RETURN(const std::vector<AppId> apps, ChosenApplications(*folder.store, wanted.app));
  BufferedOutput output;
  for (const AppId app_id : apps) {
    ASSIGN_OR_RETURN(const SlaReport report, ReportMonth(usage, prices, app_id, month, sla, now));
    RETURN_IF_ERROR(output.Write(wanted.json ? SlaJson(report) + "\n" : ShowReport(report)));
  }
  if (apps.empty()) PrintNote("no application used anything that is still known");
  return output.Flush();
}

}  // namespace

void AddSlaCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("sla", "Show how available the service was in a month");
  command->footer(
      "Examples:\n"
      "  lethe sla\n"
      "  lethe sla --app default --month 2026-10 --json\n"
      "  lethe sla --exclude 2026-10-05T02:00/2026-10-05T04:00 --p95-ms 800\n"
      "\n"
      "Three definitions side by side. minute rule: a minute is lost when calls ended in it and\n"
      "every one failed through the service's fault. five minutes: the mean, over intervals of\n"
      "five minutes, of calls that did not fail so. requests: of all calls that should have\n"
      "succeeded, those that did. Credit is the contract's: 10, 20 or 50 % of the month's fee "
      "below\n"
      "99.9, 99 and 95 %. What counts as whose fault, and what is not seen: docs/metering.md.\n"
      "Works beside a running service.\n"
      "More: lethe help availability");
  AddMeteringOptions(command, options->metering);
  AddPricesOption(command, options->metering);
  AddMonthOption(command, options->metering);
  AddJsonFlag(command, options->metering);
  command->add_option("--exclude", options->excluded,
                      "Announced maintenance, FROM/TO, at the offset; may be given again");
  const auto range = CLI::Range(std::int64_t{0}, std::int64_t{1} << 40);
  command->add_option("--p50-ms", options->p50, "Objective of the time beyond the audio")
      ->check(range);
  command->add_option("--p95-ms", options->p95, "Objective of the time beyond the audio")
      ->check(range);
  command->add_option("--p99-ms", options->p99, "Objective of the time beyond the audio")
      ->check(range);
  command->add_option("--erasure-late-ms", options->erasure_late, "How late the latest erasure was")
      ->check(range);
  command->add_option("--erasure-objective-ms", options->erasure_objective, "And may be")
      ->check(range);
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
