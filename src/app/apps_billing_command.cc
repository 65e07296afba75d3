#include <memory>
#include <optional>
#include <string>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/finish.h"
#include "app/metering_options.h"
#include "app/output.h"
#include "app/table.h"
#include "metering/money.h"

namespace lethe {
namespace {

struct Options {
  MeteringOptions metering;
  std::optional<std::string> limit;
  bool no_limit = false, overdue = false, settled = false;
};

Status Change(const Options& options, const DataFolder& folder, const Application& application) {
  Applications& applications = folder.store->applications();
  if (options.limit) {
    ASSIGN_OR_RETURN(const MicroUnits limit, ParseMoney(*options.limit, kHighestAmount));
    RETURN_IF_ERROR(applications.SetMonthlyLimit(application.id, limit));
  }
  if (options.no_limit) {
    RETURN_IF_ERROR(applications.SetMonthlyLimit(application.id, std::nullopt));
  }
  // Said twice, the first time counts.
  if (options.overdue && !application.overdue_since) {
    RETURN_IF_ERROR(applications.SetOverdue(application.uin, SystemClock().Now()));
  }
  if (options.settled) RETURN_IF_ERROR(applications.SetOverdue(application.uin, std::nullopt));
  return OkStatus();
}

Status Run(const Options& options) {
  const MeteringOptions& wanted = options.metering;
  ASSIGN_OR_RETURN(const std::chrono::minutes offset, ParseOffset(wanted.utc_offset));
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(wanted.records, SystemClock(), false));
  ASSIGN_OR_RETURN(Application application, FindApplication(*folder.store, wanted.app));
  RETURN_IF_ERROR(Change(options, folder, application));
  ASSIGN_OR_RETURN(application, folder.store->applications().Find(application.id));
  const std::chrono::year_month_day today = DayOf(SystemClock().Now(), offset);
  const BilledMonth month{.month = today.year() / today.month(), .utc_offset = offset};
  ASSIGN_OR_RETURN(const MicroUnits spent,
                   folder.store->usage().Fees(application.id, month.begin(), month.end()));
  Table table(2, {"AppId", std::to_string(application.id)});
  table.Add({"Uin", std::to_string(application.uin)});
  table.Add({"Spent in " + ShowMonth(month.month), ShowMoney(spent) + " (before the bill)"});
  table.Add({"Monthly limit",
             application.monthly_limit ? ShowMoney(*application.monthly_limit) : "none"});
  table.Add({"Account", application.overdue_since
                            ? "in arrears since " + ShowTime(*application.overdue_since) + " UTC"
                            : "not in arrears"});
  return WriteStandardOutput(table.Text());
}

}  // namespace

void AddBillingCommand(CLI::App* apps, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      apps->add_subcommand("billing", "Limit what an application spends, or stop who does not pay");
  command->footer(
      "Examples:\n"
      "  lethe apps billing default\n"
      "  lethe apps billing default --monthly-limit 250\n"
      "  lethe apps billing default --monthly-limit 0     # what is free, and no more\n"
      "  lethe apps billing default --overdue\n"
      "  lethe apps billing default --settled\n"
      "\n"
      "Neither rule holds unless it was made here. Amounts are in the currency of the price "
      "table.\n"
      "An account that is in arrears is served for metering.overdue_grace_hours (a day) more; "
      "that\n"
      "holds for all applications of the account. What callers are told: docs/metering.md. A\n"
      "service that runs on the same folder notices at once.");
  AddRecordsOptions(command, options->metering.records);
  command->add_option("app", options->metering.app, "AppId or name")->required();
  command
      ->add_option("--utc-offset", options->metering.utc_offset,
                   "Where months begin, as lethe serve has it")
      ->envname("LETHE_METERING_UTC_OFFSET")
      ->capture_default_str();
  CLI::Option* limit = command->add_option("--monthly-limit", options->limit,
                                           "What its calls of a calendar month may cost");
  command->add_flag("--no-limit", options->no_limit, "They may cost anything again")
      ->excludes(limit);
  CLI::Option* overdue =
      command->add_flag("--overdue", options->overdue, "The account has not paid, from now on");
  command->add_flag("--settled", options->settled, "The account has paid")->excludes(overdue);
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
