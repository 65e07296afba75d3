#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/configuration.h"
#include "app/finish.h"
#include "app/ledger_report.h"
#include "app/output.h"
#include "base/file.h"
#include "base/mapped_file.h"
#include "ledger/export.h"
#include "ledger/ledger.h"
#include "ledger/verifier.h"
#include "metering/calendar.h"

namespace lethe {
namespace {

constexpr std::size_t kMaxReceiptsBytes = std::size_t{64} << 20;  // a thousand of the largest

struct Options {
  std::string data, ledger, keys;
  std::string out;
  std::uint64_t number = 0;
  bool sign = false;
  // Of verify.
  std::string file, receipt, public_key, head, id, at;
  std::int64_t allowed_lateness_s = VerifyOptions{}.allowed_lateness.count();
  bool json = false;
};

std::string LedgerFolder(const Options& options) {
  return options.ledger.empty() ? options.data + "/ledger" : options.ledger;
}

std::string KeysFolder(const Options& options) {
  return options.keys.empty() ? options.data + "/keys" : options.keys;
}

Result<std::unique_ptr<Ledger>> OpenForReading(const Options& options) {
  auto ledger = Ledger::OpenForReading(LedgerFolder(options));
  if (ledger.status().code() == StatusCode::kNotFound) {
    return FailedPrecondition("there is no ledger with a signed head yet, in " +
                              LedgerFolder(options));
  }
  return ledger;
}

// Only an existing ledger: a command that looks at one does not begin one.
Result<std::unique_ptr<Ledger>> OpenForWriting(const Options& options) {
  if (!ReadFile(LedgerFolder(options) + "/ledger.txt", 1 << 16).ok()) {
    return FailedPrecondition("there is no ledger in " + LedgerFolder(options));
  }
  return Ledger::Open({.folder = LedgerFolder(options),
                       .signing_key_file = KeysFolder(options) + "/ledger-signing.key"},
                      SystemClock());
}

Status Head(const Options& options) {
  if (options.sign) {
    ASSIGN_OR_RETURN(const auto ledger, OpenForWriting(options));
    ASSIGN_OR_RETURN(const SignedHead head, ledger->SignHead());
    return WriteStandardOutput(head.note());
  }
  ASSIGN_OR_RETURN(const auto ledger, OpenForReading(options));
  ASSIGN_OR_RETURN(const SignedHead head, ledger->LastHead());
  return WriteStandardOutput(head.note());
}

Status ShowKeys(const Options& options) {
  ASSIGN_OR_RETURN(const auto ledger, OpenForReading(options));
  std::string text;
  for (const VerifierKey& key : ledger->keys()) text += key.Text() + "\n";
  return WriteStandardOutput(text);
}

Status RotateKey(const Options& options) {
  ASSIGN_OR_RETURN(const auto ledger, OpenForWriting(options));
  ASSIGN_OR_RETURN(const SignedHead head, ledger->RotateKey());
  return WriteStandardOutput(head.note());
}

Status Export(const Options& options) {
  ASSIGN_OR_RETURN(const auto ledger, OpenForReading(options));
  if (options.out.empty()) {
    return WriteExport(*ledger, [](std::span<const std::byte> bytes) {
      return WriteStandardOutput({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    });
  }
  ASSIGN_OR_RETURN(AtomicFileWriter writer, AtomicFileWriter::Create(options.out));
  RETURN_IF_ERROR(
      WriteExport(*ledger, [&](std::span<const std::byte> bytes) { return writer.Write(bytes); }));
  return writer.Commit();
}

Status ShowReceipt(const Options& options) {
  ASSIGN_OR_RETURN(const auto ledger, OpenForReading(options));
  ASSIGN_OR_RETURN(const Receipt receipt, ledger->Prove(options.number));
  return WriteStandardOutput(receipt.Json());
}

// The receipts of a file, as lethe erase and the own interface write them: one behind the other, or
// in a list.
Result<std::vector<Receipt>> ReadReceipts(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxReceiptsBytes));
  std::vector<Receipt> receipts;
  std::size_t begin = 0;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"' && depth > 0) {
      quoted = true;
    } else if (c == '{') {
      if (depth++ == 0) begin = i;
    } else if (c == '}' && depth > 0) {
      if (--depth > 0) continue;
      ASSIGN_OR_RETURN(Receipt receipt,
                       Receipt::Parse(std::string_view(text).substr(begin, i + 1 - begin)));
      receipts.push_back(std::move(receipt));
    } else if (depth == 0 && std::string_view(" \t\r\n[],").find(c) == std::string_view::npos) {
      return InvalidArgument("this is no receipt of a ledger");
    }
  }
  if (depth > 0 || receipts.empty()) return InvalidArgument("this is no receipt of a ledger");
  return receipts;
}

Result<VerifyOptions> ReadVerifyOptions(const Options& options) {
  VerifyOptions read{.allowed_lateness = std::chrono::seconds(options.allowed_lateness_s)};
  if (!options.public_key.empty()) {
    ASSIGN_OR_RETURN(read.trusted_key, VerifierKey::Parse(options.public_key));
  }
  read.at = std::chrono::floor<std::chrono::seconds>(SystemClock().Now());
  if (!options.at.empty()) {
    const auto at = ParseMinute(options.at, std::chrono::minutes(0));
    if (!at.ok())
      return InvalidArgument("--at takes a time in UTC, 2026-11-24T12:00, not: " + options.at);
    read.at = std::chrono::floor<std::chrono::seconds>(*at);
  }
  if (!options.head.empty()) {
    ASSIGN_OR_RETURN(const std::string note, ReadFile(options.head, kMaxNoteBytes));
    ASSIGN_OR_RETURN(read.remembered_head, SignedHead::Parse(note));
  }
  if (!options.receipt.empty()) {
    ASSIGN_OR_RETURN(read.receipts, ReadReceipts(options.receipt));
    if (!options.id.empty() && std::ranges::none_of(read.receipts, [&](const Receipt& receipt) {
          return receipt.IsAbout(options.id);
        })) {
      return InvalidArgument(read.receipts.size() == 1 ? "the receipt is not about that id"
                                                       : "none of these receipts is about that id");
    }
  } else if (!options.id.empty()) {
    return InvalidArgument("--id is checked against a receipt: give one with --receipt");
  }
  return read;
}

// Receipts without the ledger: what their owner can do at any time.
Result<int> VerifyReceiptsAlone(const VerifyOptions& options, const std::string& id) {
  if (options.receipts.empty() || !options.trusted_key) {
    return InvalidArgument(
        "give an export to verify, or a receipt with --receipt and the key that it has to be "
        "signed "
        "by with --public-key");
  }
  if (options.remembered_head) {
    return InvalidArgument("--head is compared with an export: give one");
  }
  std::string text;
  for (const Receipt& receipt : options.receipts) {
    if (const auto finding = VerifyReceipt(receipt, *options.trusted_key)) {
      return InvalidArgument(finding->what);
    }
    text += "The receipt is good: leaf " + std::to_string(receipt.number) + ", " +
            std::string(LeafKindName(receipt.leaf.kind)) + ", " +
            std::string(DataClassName(receipt.leaf.data_class)) + ", of " +
            ShowTime(receipt.leaf.time) + " UTC" +
            (!id.empty() && receipt.IsAbout(id) ? ", about that id\n" : "\n");
  }
  RETURN_IF_ERROR(WriteStandardOutput(text));
  return kExitOk;
}

Result<int> Verify(const Options& options) {
  ASSIGN_OR_RETURN(const VerifyOptions verify_options, ReadVerifyOptions(options));
  if (options.file.empty()) return VerifyReceiptsAlone(verify_options, options.id);
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(options.file));
  ASSIGN_OR_RETURN(const Verification verified, VerifyExport(file.bytes(), verify_options));
  RETURN_IF_ERROR(
      WriteStandardOutput(options.json ? LedgerReportJson(verified) : LedgerReport(verified)));
  return verified.is_clean() ? kExitOk : kExitFailed;
}

void AddFolderOptions(CLI::App* command, Options& options) {
  TakeConfiguration(command);
  AddDataOption(command, options.data);
  command
      ->add_option("--store.ledger", options.ledger, "Folder of the ledger, as lethe serve has it")
      ->envname("LETHE_STORE_LEDGER");
}

void AddKeysOption(CLI::App* command, Options& options) {
  command->add_option("--store.keys", options.keys, "Folder of the keys, as lethe serve has it")
      ->envname("LETHE_STORE_KEYS");
}

void AddVerifyCommand(CLI::App* ledger, int& exit_code, const std::shared_ptr<Options>& options) {
  CLI::App* verify =
      ledger->add_subcommand("verify", "Verify an export or a receipt, without any service");
  verify->footer(
      "Examples:\n"
      "  lethe ledger verify ledger.bin --public-key NAME+ID+BASE64\n"
      "  lethe ledger verify ledger.bin --head kept.txt --json\n"
      "  lethe ledger verify ledger.bin --at 2026-11-24T12:00\n"
      "  lethe ledger verify --receipt erased.json --public-key NAME+ID+BASE64 "
      "--id task:4711\n"
      "\n"
      "Shows that each signed head goes on from the one before, that all that was created is live "
      "or\n"
      "was erased once, and how late. The exit code is 1 if anything was found. Without a key "
      "from\n"
      "elsewhere (--public-key) a ledger can only be found to agree with itself; without a head "
      "that\n"
      "was kept (--head) an older state of it looks as good as the present one. A last head that "
      "is more\n"
      "than two days older than now is found, too: of an export from earlier, say when it was made "
      "(--at).");
  verify->add_option("file", options->file, "What `lethe ledger export` wrote");
  verify->add_option("--public-key", options->public_key, "The key that has to have signed it");
  verify->add_option("--head", options->head, "File with a head kept from earlier, to go on from");
  verify->add_option("--receipt", options->receipt, "File with receipts that have to belong to it");
  verify->add_option("--id", options->id, "What the receipt has to be about; of several, one");
  verify
      ->add_option("--allow-lateness", options->allowed_lateness_s,
                   "Seconds that an erasure may be late without being a finding")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{366 * 86'400}))
      ->capture_default_str();
  verify->add_option("--at", options->at,
                     "When the export was made, in UTC (2026-11-24T12:00); else it counts as of "
                     "now");
  verify->add_flag("--json", options->json, "Report as JSON");
  Finish(verify, exit_code, [options] { return Verify(*options); });
}

}  // namespace

void AddLedgerCommand(CLI::App& program, int& exit_code) {
  CLI::App* ledger = program.add_subcommand(
      "ledger", "Show, export and verify the ledger of what was created and erased");
  ledger->require_subcommand(1);
  ledger->footer(
      "Examples:\n"
      "  lethe ledger head > kept.txt\n"
      "  lethe ledger export --out ledger.bin\n"
      "  lethe ledger verify ledger.bin --head kept.txt\n"
      "\n"
      "The ledger holds no names, ids or content. An export can be handed to an auditor.\n"
      "More: lethe help proof");
  auto options = std::make_shared<Options>();

  CLI::App* head = ledger->add_subcommand("head", "Show the last signed head");
  head->footer(
      "Example:\n  lethe ledger head > kept.txt\n"
      "\n"
      "Whoever keeps a head can later see that the ledger goes on from it.");
  AddFolderOptions(head, *options);
  AddKeysOption(head, *options);
  head->add_flag("--sign", options->sign, "Sign a new one first; the service must not be running");
  Finish(head, exit_code, [options] { return Head(*options); });

  CLI::App* keys = ledger->add_subcommand("keys", "Show the public keys, the first one first");
  keys->footer("Example:\n  lethe ledger keys");
  AddFolderOptions(keys, *options);
  Finish(keys, exit_code, [options] { return ShowKeys(*options); });

  CLI::App* rotate = ledger->add_subcommand("rotate-key", "Hand over to a new signing key");
  rotate->footer(
      "Example:\n  lethe ledger rotate-key\n"
      "\n"
      "Shows the head that hands over, which both keys sign. The service must not be running.");
  AddFolderOptions(rotate, *options);
  AddKeysOption(rotate, *options);
  Finish(rotate, exit_code, [options] { return RotateKey(*options); });

  CLI::App* export_command =
      ledger->add_subcommand("export", "Write all that is signed into one file");
  export_command->footer(
      "Examples:\n"
      "  lethe ledger export --out ledger.bin\n"
      "  lethe ledger export | ssh auditor 'cat > ledger.bin'");
  AddFolderOptions(export_command, *options);
  export_command->add_option("--out", options->out, "The file; none means standard output");
  Finish(export_command, exit_code, [options] { return Export(*options); });

  CLI::App* receipt = ledger->add_subcommand("receipt", "Show the receipt of a leaf");
  receipt->footer("Example:\n  lethe ledger receipt 4711 > erased.json");
  AddFolderOptions(receipt, *options);
  receipt->add_option("number", options->number, "The leaf's number")->required();
  Finish(receipt, exit_code, [options] { return ShowReceipt(*options); });

  AddVerifyCommand(ledger, exit_code, options);
}

}  // namespace lethe
