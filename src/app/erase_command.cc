#include <memory>
#include <string>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/erasure.h"
#include "app/finish.h"
#include "app/output.h"

namespace lethe {
namespace {

struct Options {
  RecordsOptions records;
  ErasureRequest request;
  std::string app, receipts;
};

Status Run(Options& options) {
  ASSIGN_OR_RETURN(DataFolder data, OpenDataFolder(options.records, SystemClock(), false));
  if (!options.app.empty()) {
    ASSIGN_OR_RETURN(const Application found, FindApplication(*data.store, options.app));
    options.request.app_id = found.id;
  }
  bool found_any = false;
  const auto erase = [&](Eraser& eraser) -> Result<Erasure> {
    ASSIGN_OR_RETURN(Erasure erasure, eraser.Erase(options.request, ErasureCause::kRequested));
    found_any = erasure.results + erasure.recordings + erasure.operations + erasure.unreachable +
                    erasure.receipts.size() + erasure.without_receipt >
                0;
    return erasure;
  };
  RETURN_IF_ERROR(EraseAndShow(data, options.receipts, erase));
  // No failure, for whoever asks once more is right. But a mistake in an id ends here, too.
  if (!found_any) {
    PrintNote(
        "nothing was found that is stored; it is gone already or under way, or the id is wrong");
  }
  return OkStatus();
}

}  // namespace

void AddEraseCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("erase", "Forget now what is held of a call, a task or a customer");
  command->footer(
      "Examples:\n"
      "  lethe erase --task 123456789012\n"
      "  lethe erase --call 8f1c2f0e-2b1a-4a52-9d2e-5a7a3f0c9c11 --receipts erased.json\n"
      "  lethe erase --uin 100000000001\n"
      "  lethe erase --app default\n"
      "\n"
      "Works beside a running service, which drops what it is transcribing of it within seconds,\n"
      "and ends live calls that it is about within one.\n"
      "A receipt proves that the ledger says so: lethe ledger verify --help.\n"
      "More: lethe help forgetting");
  AddRecordsOptions(command, options->records);
  AddObjectsOptions(command, options->records);
  command
      ->add_option("--store.ledger", options->records.ledger,
                   "Folder of the ledger, as lethe serve has it")
      ->envname("LETHE_STORE_LEDGER");
  auto* what = command->add_option_group("what", "One of");
  // CLI11 takes -1 for the largest number there is.
  const CLI::Validator digits(
      [](const std::string& text) {
        const bool number = text.find_first_not_of("0123456789") == std::string::npos;
        return number && text.size() < 20 ? "" : "takes a number of digits only, not: " + text;
      },
      "");
  what->add_option("--task", options->request.task, "A task, by its TaskId")->check(digits);
  what->add_option("--call", options->request.call_id, "A call, by its RequestId");
  what->add_option("--uin", options->request.uin, "All of an account")->check(digits);
  what->add_option("--app", options->app, "All of an application, by AppId or name");
  what->require_option(1);
  command->add_option("--receipts", options->receipts,
                      "Write the receipts to this file, a JSON each");
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
