#include <algorithm>
#include <memory>
#include <string>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/erasure.h"
#include "app/finish.h"
#include "app/output.h"
#include "app/table.h"

namespace lethe {
namespace {

struct Options {
  RecordsOptions records;
  std::string app, id;
  bool bearer = false;
};

// Writes a text with secrets in it, which is wiped.
Status Tell(std::string text) {
  Status written = WriteStandardOutput(text);
  WipeSecret(text);
  return written;
}

Status List(const Options& options) {
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  std::optional<AppId> app_id;
  if (!options.app.empty()) {
    ASSIGN_OR_RETURN(const Application application, FindApplication(*folder.store, options.app));
    app_id = application.id;
  }
  ASSIGN_OR_RETURN(const std::vector<Key> keys, folder.store->keys().List(app_id));
  Table table(6, {"KEY", "KIND", "APPID", "STATE", "CREATED (UTC)", "SECRET ENDS IN"});
  for (const Key& key : keys) {
    table.Add({key.id, key.kind == KeyKind::kPair ? "pair" : "bearer", std::to_string(key.app_id),
               key.enabled ? "enabled" : "disabled", ShowTime(key.created), key.last4});
  }
  return WriteStandardOutput(table.Text());
}

Status Create(const Options& options) {
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const Application application, FindApplication(*folder.store, options.app));
  Keys& keys = folder.store->keys();
  ASSIGN_OR_RETURN(const NewKey made,
                   keys.Create(application.id, options.bearer ? KeyKind::kBearer : KeyKind::kPair));
  const std::string secret(made.secret.Reveal());
  Status told =
      options.bearer
          ? Tell("AppId      " + std::to_string(application.id) + "\nKey        " + made.key.id +
                 "\nBearer     " + secret + "\n\nKeep the bearer key now: it is not shown again.\n")
          : Tell("AppId      " + std::to_string(application.id) + "\nSecretId   " + made.key.id +
                 "\nSecretKey  " + secret + "\n\nKeep the SecretKey now: it is not shown again.\n");
  // A key that nobody was told is nobody's.
  if (!told.ok()) RETURN_IF_ERROR(keys.Remove(made.key.id));
  return told;
}

Status SetPassword(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  const Secret password = RandomPassword();
  RETURN_IF_ERROR(folder.store->keys().SetConsolePassword(password));
  TellDecisions(folder);
  return Tell("Console password  " + std::string(password.Reveal()) +
              "\n\nKeep it now: it is not shown again. The one before is no longer valid.\n");
}

template <class Change>
Status ChangeOne(const Options& options, std::string_view done, Change change) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  const Status changed = change(folder.store->keys());
  if (changed.code() == StatusCode::kNotFound) {
    return NotFound("there is no such key; see: lethe keys list");
  }
  RETURN_IF_ERROR(changed);
  TellDecisions(folder);
  return WriteStandardOutput(options.id + ": " + std::string(done) + "\n");
}

CLI::App* AddOne(CLI::App* keys, const std::string& name, const std::string& what,
                 const std::shared_ptr<Options>& options) {
  CLI::App* command = keys->add_subcommand(name, what);
  command->footer("Example:\n  lethe keys " + name + " bearer-Jb3kD81xQz0p");
  AddRecordsOptions(command, options->records);
  command->add_option("key", options->id, "SecretId, or name of a bearer key, as in the list")
      ->required();
  return command;
}

// The keys that what is stored is sealed under: that they are there, never what they are.
Status Sealing(const Options& options) {
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  KeyStore& keys = folder.keyring->keys();
  ASSIGN_OR_RETURN(const std::vector<Epoch> epochs, keys.Epochs());
  ASSIGN_OR_RETURN(const std::vector<TenantId> tenants, keys.Tenants());
  Table table(4, {"CLASS", "REGION", "HOUR (UTC)", "DESTROYED (UTC)"});
  for (const Epoch& epoch : epochs) {
    table.Add({std::string(DataClassName(epoch.data_class)), epoch.region,
               ShowTime(WallTime(std::chrono::hours(epoch.hour))), ShowTime(EndOf(epoch))});
  }
  // The number 0 is nobody's: its key says that the folder belongs to the records.
  const auto applications =
      std::count_if(tenants.begin(), tenants.end(), [](TenantId tenant) { return tenant != 0; });
  return WriteStandardOutput(table.Text() + "\nBesides: the master key, and a key for each of " +
                             std::to_string(applications) + " applications.\n");
}

Status Rotate(const Options& options) {
  ASSIGN_OR_RETURN(const int keys, RotateMasterKey(options.records));
  return WriteStandardOutput("a new master key, and sealed with it: " + std::to_string(keys) +
                             " keys and the secrets of the records\nThe old one is destroyed: "
                             "backups of keys from before open nothing new.\n");
}

void AddSealingCommands(CLI::App* keys, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* sealing =
      keys->add_subcommand("sealing", "Show the keys that what is stored is sealed under");
  sealing->footer(
      "Example:\n"
      "  lethe keys sealing\n"
      "\n"
      "Never what they are. With an hour's key goes all that was sealed in that hour.");
  AddRecordsOptions(sealing, options->records);
  Finish(sealing, exit_code, [options] { return Sealing(*options); });

  CLI::App* rotate =
      keys->add_subcommand("rotate", "Make a new master key, and destroy the old one");
  rotate->footer(
      "Example:\n"
      "  lethe keys rotate\n"
      "\n"
      "Stop every service on these records first. Every other key is sealed with the new master\n"
      "key, and so are the secrets of applications; what is stored is not touched. If it is\n"
      "interrupted, services refuse to start until it was run again.");
  AddRecordsOptions(rotate, options->records);
  Finish(rotate, exit_code, [options] { return Rotate(*options); });
}

}  // namespace

void AddKeysCommand(CLI::App& program, int& exit_code) {
  CLI::App* keys =
      program.add_subcommand("keys", "Manage the keys of applications, and of what is stored");
  keys->require_subcommand(1);
  keys->footer(
      "Examples:\n"
      "  lethe keys create --app dictation\n"
      "  lethe keys create --app dictation --bearer\n"
      "  lethe keys list\n"
      "\n"
      "Secrets are shown once, when they are made.\n"
      "More: lethe help access");
  auto options = std::make_shared<Options>();

  CLI::App* list = keys->add_subcommand("list", "Show the keys there are, without their secrets");
  list->footer("Example:\n  lethe keys list --app dictation");
  AddRecordsOptions(list, options->records);
  list->add_option("--app", options->app, "AppId or name; none means all");
  Finish(list, exit_code, [options] { return List(*options); });

  CLI::App* create = keys->add_subcommand("create", "Make a key and show its secret, once");
  create->footer(
      "Examples:\n"
      "  lethe keys create --app dictation\n"
      "  lethe keys create --app dictation --bearer\n"
      "\n"
      "A pair of SecretId and SecretKey is for clients of Tencent Cloud; a bearer key is for\n"
      "clients of OpenAI.");
  AddRecordsOptions(create, options->records);
  create->add_option("--app", options->app, "AppId or name")->required();
  create->add_flag("--bearer", options->bearer, "A bearer key and not a pair");
  Finish(create, exit_code, [options] { return Create(*options); });

  CLI::App* disable = AddOne(keys, "disable", "Refuse calls with a key", options);
  Finish(disable, exit_code, [options] {
    return ChangeOne(*options, "disabled",
                     [&](Keys& all) { return all.SetEnabled(options->id, false); });
  });

  CLI::App* enable = AddOne(keys, "enable", "Allow calls with a disabled key again", options);
  Finish(enable, exit_code, [options] {
    return ChangeOne(*options, "enabled",
                     [&](Keys& all) { return all.SetEnabled(options->id, true); });
  });

  CLI::App* remove = AddOne(keys, "remove", "Remove a key for good", options);
  Finish(remove, exit_code, [options] {
    return ChangeOne(*options, "removed", [&](Keys& all) { return all.Remove(options->id); });
  });

  CLI::App* password = keys->add_subcommand("password", "Set a new password of the console");
  password->footer("Example:\n  lethe keys password");
  AddRecordsOptions(password, options->records);
  Finish(password, exit_code, [options] { return SetPassword(*options); });

  AddSealingCommands(keys, options, exit_code);
}

}  // namespace lethe
