#include "app/metering_options.h"

#include <algorithm>
#include <charconv>

#include "app/accounts.h"
#include "app/output.h"

namespace lethe {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;

}  // namespace

void AddMeteringOptions(CLI::App* command, MeteringOptions& options) {
  AddRecordsOptions(command, options.records);
  command->add_option("--app", options.app, "AppId or name; without it, all that used something");
  command
      ->add_option("--utc-offset", options.utc_offset,
                   "Where days and months begin, as lethe serve has it")
      ->envname("LETHE_METERING_UTC_OFFSET")
      ->capture_default_str();
}

void AddPricesOption(CLI::App* command, MeteringOptions& options) {
  command
      ->add_option("--prices", options.prices,
                   "mainland, international, free or a file of prices, as lethe serve has it")
      ->envname("LETHE_METERING_PRICES")
      ->capture_default_str();
}

void AddMonthOption(CLI::App* command, MeteringOptions& options) {
  command->add_option("--month", options.month, "Such as 2026-10 [the last one that is over]");
}

void AddJsonFlag(CLI::App* command, MeteringOptions& options) {
  command->add_flag("--json", options.json, "A JSON object a line");
}

void AddCsvFlag(CLI::App* command, MeteringOptions& options) {
  command->add_flag("--csv", options.csv, "CSV (RFC 4180), names first");
}

Result<std::vector<AppId>> ChosenApplications(Store& store, const std::string& app) {
  if (app.empty()) return store.usage().Applications();
  const Result<Application> found = FindApplication(store, app);
  if (found.ok()) return std::vector<AppId>{found->id};
  AppId id = 0;
  const auto [after, error] = std::from_chars(app.data(), app.data() + app.size(), id);
  if (found.status().code() == StatusCode::kNotFound && error == std::errc() &&
      after == app.data() + app.size()) {
    ASSIGN_OR_RETURN(const std::vector<AppId> known, store.usage().Applications());
    if (std::find(known.begin(), known.end(), id) != known.end()) return std::vector<AppId>{id};
  }
  return found.status();
}

Result<BilledMonth> ChosenMonth(const MeteringOptions& options, WallTime now) {
  ASSIGN_OR_RETURN(const std::chrono::minutes offset, ParseOffset(options.utc_offset));
  const std::chrono::year_month_day today = DayOf(now, offset);
  BilledMonth month{.month = today.year() / today.month() - std::chrono::months(1),
                    .utc_offset = offset};
  if (options.month.empty()) return month;
  ASSIGN_OR_RETURN(month.month, ParseMonth(options.month));
  if (now < month.begin()) {
    return InvalidArgument("the month has not begun yet: " + ShowMonth(month.month));
  }
  return month;
}

std::string MonthWarning(bool over, bool complete) {
  if (!complete) {
    return "INCOMPLETE: calls are kept for two months, and some of this one are forgotten.\n";
  }
  if (!over) return "This month is not over: what is to come may change every figure.\n";
  return "";
}

Status BufferedOutput::Write(std::string_view text) {
  waiting_ += text;
  return waiting_.size() < kPiece ? OkStatus() : Flush();
}

Status BufferedOutput::Flush() {
  const std::string text = std::exchange(waiting_, std::string());
  return text.empty() ? OkStatus() : WriteStandardOutput(text);
}

}  // namespace lethe
