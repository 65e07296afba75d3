#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/finish.h"
#include "app/output.h"
#include "base/json.h"

namespace lethe {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  RecordsOptions records;
  std::string call_id;
  bool json = false;
};

Status Show(const Options& options) {
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const std::vector<LoggedOperation> found,
                   folder.store->operation_log().Find(options.call_id));
  if (found.empty()) {
    return NotFound(
        "nothing is known of this call: no such id, its seven days are over, it was erased, or its "
        "application wants nothing held");
  }
  Json list = Json::array();
  std::string text;
  for (const LoggedOperation& operation : found) {
    const Json facts = ParseJson<Json>(operation.facts);
    if (!facts.is_object()) return DataLoss("a row of the operation log is no object");
    list.push_back({{"app_id", operation.app_id}, {"facts", facts}});
    text += ShowTime(operation.created) + "  AppId " + std::to_string(operation.app_id) + "\n";
    for (const auto& [name, value] : facts.items()) {
      const bool is_time = name == "start" || name == "end";
      std::string shown = value.is_string() ? value.get<std::string>() : WriteJson(value);
      if (is_time && value.is_number_integer()) {
        shown = ShowTime(WallTime(Millis(value.get<std::int64_t>())));
      }
      text +=
          "  " + name + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') + shown + "\n";
    }
  }
  return WriteStandardOutput(options.json ? WriteJson(list, 2) + "\n" : text);
}

}  // namespace

void AddCallsCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* calls = program.add_subcommand("calls", "Explain what was done for a call");
  calls->require_subcommand(1);
  calls->footer("Example:\n  lethe calls show 8f1c2f0e-2b1a-4a52-9d2e-5a7a3f0c9c11");
  CLI::App* show = calls->add_subcommand("show", "Show what the operation log has of a call");
  show->footer(
      "Example:\n"
      "  lethe calls show 8f1c2f0e-2b1a-4a52-9d2e-5a7a3f0c9c11\n"
      "\n"
      "The id is the RequestId of a call, or the voice_id of a live one. Kept seven days, or\n"
      "shorter where the application wants it: lethe apps retention. No text, audio or name of a\n"
      "caller's is in it.");
  AddRecordsOptions(show, options->records);
  show->add_option("id", options->call_id, "The call's id")->required();
  show->add_flag("--json", options->json, "Print JSON");
  Finish(show, exit_code, [options] { return Show(*options); });
}

}  // namespace lethe
