#include <memory>

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
  bool calls = false;
};

// "1:00:00" or "1000".
std::string ShowVolume(const BillLine& line, std::int64_t volume) {
  return line.unit == PriceUnit::kHour ? ShowDuration(static_cast<double>(volume))
                                       : std::to_string(volume);
}

std::string ShowBill(const Bill& bill) {
  Table table(
      3, {"INTERFACE", "FROM", "TO", "CALLS", "AUDIO", "FREE", "CHARGED", "TIER", "PRICE", "FEE"});
  for (const BillLine& line : bill.lines) {
    std::vector<std::string> row = {std::string(InterfaceName(line.interface)), ShowDay(line.first),
                                    ShowDay(line.last), std::to_string(line.calls),
                                    ShowDuration(static_cast<double>(line.seconds))};
    if (line.priced) {
      row.insert(
          row.end(),
          {ShowVolume(line, line.free), ShowVolume(line, line.charged), std::to_string(line.tier),
           ShowMoney(line.price) + (line.unit == PriceUnit::kHour ? "/h" : "/1000")});
    } else {
      row.insert(row.end(), {"-", "-", "-", "no price"});
    }
    row.push_back(ShowMoney(line.fee));
    table.Add(std::move(row));
  }
  return "AppId " + std::to_string(bill.app_id) + ", " + ShowMonth(bill.month.month) + " (" +
         ShowOffset(bill.month.utc_offset) + "), prices: " + bill.prices + "\n" +
         MonthWarning(bill.over, bill.complete) + "\n" + table.Text() + "\nTotal " +
         ShowMoney(bill.total) + " " + bill.currency +
         " (estimated while the calls ended: " + ShowMoney(bill.provisional) + ")\n\n";
}

Status WriteShares(Usage& usage, const CallQuery& query, const PriceTable& prices, const Bill& bill,
                   bool json, BufferedOutput& output) {
  CallShares shares(prices, bill);
  const auto offset = bill.month.utc_offset;
  RETURN_IF_ERROR(usage.Calls(query, [&](const FinishedCall& call) -> Status {
    ASSIGN_OR_RETURN(const MicroUnits share, shares.Next(call));
    return output.Write(json ? CallJson(call, offset, share) + "\n" : CallCsv(call, offset, share));
  }));
  return shares.Finish();
}

Status Run(const Options& options) {
  const MeteringOptions& wanted = options.metering;
  ASSIGN_OR_RETURN(const PriceTable prices, LoadPrices(wanted.prices));
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(wanted.records, SystemClock(), false));
  Usage& usage = folder.store->usage();
  const WallTime now = SystemClock().Now();
  ASSIGN_OR_RETURN(const BilledMonth month, ChosenMonth(wanted, now));
  ASSIGN_OR_RETURN(const std::vector<AppId> apps, ChosenApplications(*folder.store, wanted.app));
  // Calls go on ending: the bill and its calls are of one moment.
  ASSIGN_OR_RETURN(const UsageMark mark, usage.Mark());
  BufferedOutput output;
  if (!wanted.json && options.calls) RETURN_IF_ERROR(output.Write(CallCsvHead()));
  if (!options.calls && wanted.csv) RETURN_IF_ERROR(output.Write(BillCsvHead()));
  for (const AppId app_id : apps) {
    const CallQuery query{
        .app_id = app_id, .begin = month.begin(), .end = month.end(), .upto = mark};
    ASSIGN_OR_RETURN(const Bill bill, BillMonth(usage, prices, app_id, month, now, mark));
    if (wanted.json || wanted.csv || options.calls) {
      const std::string warning = MonthWarning(bill.over, bill.complete);
      if (!warning.empty()) PrintNote(warning.substr(0, warning.size() - 1));
    }
    if (options.calls) {
      RETURN_IF_ERROR(WriteShares(usage, query, prices, bill, wanted.json, output));
    } else {
      RETURN_IF_ERROR(output.Write(wanted.json  ? BillJson(bill) + "\n"
                                   : wanted.csv ? BillCsv(bill)
                                                : ShowBill(bill)));
    }
  }
  if (apps.empty()) PrintNote("no application used anything that is still known");
  return output.Flush();
}

}  // namespace

void AddBillCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("bill", "Show what a month's calls cost, to the micro-unit");
  command->footer(
      "Examples:\n"
      "  lethe bill\n"
      "  lethe bill --app default --month 2026-10 --csv > bill.csv\n"
      "  lethe bill --app default --month 2026-10 --calls > calls.csv\n"
      "  lethe bill --prices house.toml --json\n"
      "\n"
      "All of a period's usage has the price of the tier that it reaches. With --calls, every "
      "call\n"
      "has its share of the fee, and the shares add up to the bill. Make bills within four weeks\n"
      "after a month: calls are kept for two months, and a bill says when some are gone.\n"
      "Prepaid packs and balances are not there; limits and arrears: lethe apps billing --help.\n"
      "Prices, rounding, columns and fields: docs/metering.md. Works beside a running service.\n"
      "More: lethe help billing");
  AddMeteringOptions(command, options->metering);
  AddPricesOption(command, options->metering);
  AddMonthOption(command, options->metering);
  command->add_flag("--calls", options->calls, "Every call and its share, as CSV or with --json");
  AddCsvFlag(command, options->metering);
  AddJsonFlag(command, options->metering);
  command->get_option("--csv")->excludes("--json");
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
