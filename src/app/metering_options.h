#pragma once

// What the commands about usage, bills and service levels share.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "app/data_folder.h"
#include "metering/calendar.h"
#include "store/usage.h"

namespace lethe {

struct MeteringOptions {
  RecordsOptions records;
  std::string app;  // AppId or name; empty: all that used something
  std::string utc_offset = "+08:00";
  std::string prices = "mainland";
  std::string month;  // empty: the last one that is over
  bool json = false, csv = false;
};

void AddMeteringOptions(CLI::App* command, MeteringOptions& options);
void AddPricesOption(CLI::App* command, MeteringOptions& options);
void AddMonthOption(CLI::App* command, MeteringOptions& options);
void AddJsonFlag(CLI::App* command, MeteringOptions& options);
void AddCsvFlag(CLI::App* command, MeteringOptions& options);

/// The applications that are asked about; one that was removed is known by its number while its
/// usage is kept. Errors: kNotFound
Result<std::vector<AppId>> ChosenApplications(Store& store, const std::string& app);

/// The month that is asked about. Errors: kInvalidArgument; also when it has not begun
Result<BilledMonth> ChosenMonth(const MeteringOptions& options, WallTime now);

/// What a report has to say about a month that is not over, or not all there any more; or nothing.
std::string MonthWarning(bool over, bool complete);

/// Standard output in large pieces. Thread: one
class BufferedOutput {
 public:
  Status Write(std::string_view text);
  Status Flush();

 private:
  std::string waiting_;
};

}  // namespace lethe
