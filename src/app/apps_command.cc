#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <unistd.h>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/erasure.h"
#include "app/finish.h"
#include "app/forgetters.h"
#include "app/output.h"
#include "app/table.h"
#include "service/eraser.h"
#include "store/holding_time.h"

namespace lethe {
namespace {

struct Options {
  RecordsOptions records;
  std::string app, name, interface;
  std::optional<Uin> account;
  Quota quota;
  std::string data_class;
  std::int64_t period_seconds = 0;
  bool yes = false;
};

// "sentence: 10 a second, 5 at once".
std::string ShowQuotas(const Application& application) {
  std::string text;
  for (const auto& [interface, quota] : application.quotas) {
    if (!text.empty()) text += "; ";
    text += std::string(InterfaceName(interface)) + ":";
    if (quota.calls_per_second) text += " " + std::to_string(*quota.calls_per_second) + " a second";
    if (quota.calls_per_second && quota.concurrency) text += ",";
    if (quota.concurrency) text += " " + std::to_string(*quota.concurrency) + " at once";
  }
  return text.empty() ? "as usual" : text;
}

Status List(const Options& options) {
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const std::vector<Application> all, folder.store->applications().List());
  Table table(6, {"APPID", "UIN", "STATE", "CREATED (UTC)", "NAME", "QUOTAS"});
  for (const Application& application : all) {
    table.Add({std::to_string(application.id), std::to_string(application.uin),
               application.enabled ? "enabled" : "disabled", ShowTime(application.created),
               application.name, ShowQuotas(application)});
  }
  return WriteStandardOutput(table.Text() + "\nRecords are kept in " + folder.records +
                             (options.records.dsn.empty()
                                  ? " (--data or LETHE_DATA names another folder).\n"
                                  : " (--store.dsn or LETHE_STORE_DSN names another one).\n"));
}

Status Create(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), true));
  // Records that were put back do not know which numbers are given.
  std::error_code ignored;
  if (std::filesystem::exists(folder.ledger.folder + "/decisions", ignored)) TellDecisions(folder);
  ASSIGN_OR_RETURN(const Application made, folder.store->applications().Create(
                                               {.name = options.name, .uin = options.account}));
  const std::string id = std::to_string(made.id);
  return WriteStandardOutput("AppId  " + id + "\nUin    " + std::to_string(made.uin) +
                             "\n\nIts first key: lethe keys create --app " + id + "\n");
}

// Finds the application and does something to it.
template <class Change>
Status ChangeOne(const Options& options, std::string_view done, Change change) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const Application found, FindApplication(*folder.store, options.app));
  RETURN_IF_ERROR(change(folder.store->applications(), found.id));
  TellDecisions(folder);
  return WriteStandardOutput(std::to_string(found.id) + ": " + std::string(done) + "\n");
}

// Somebody who means it: there is no way back. Typing the name is harder than a key by mistake.
Status Confirm(const Options& options, const Application& found) {
  if (options.yes) return OkStatus();
  const std::string what = std::to_string(found.id) + " (" + found.name + ")";
  if (::isatty(STDIN_FILENO) != 1) {
    return FailedPrecondition(
        "this removes the application with its keys, word lists and tasks, and cannot be undone; "
        "nothing was removed; add --yes to remove " +
        what);
  }
  const std::string question = "This removes " + what +
                               " with its keys, word lists and tasks, and cannot be undone.\n"
                               "Its name, to go on: ";
  std::fputs(question.c_str(), stderr);
  std::string typed;
  std::getline(std::cin, typed);
  return typed == found.name ? OkStatus()
                             : FailedPrecondition("that is not its name; nothing was removed");
}

// All of it is erased first, so that the ledger is told what became of it, and no recording of it
// stays behind in an object store.
Status Remove(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  Applications& applications = folder.store->applications();
  ASSIGN_OR_RETURN(const Application found, FindApplication(*folder.store, options.app));
  RETURN_IF_ERROR(Confirm(options, found));
  RETURN_IF_ERROR(applications.SetEnabled(found.id, false));
  Eraser eraser({.store = *folder.store,
                 .recordings = folder.recordings.get(),
                 .reserve = folder.reserve.get()});
  ASSIGN_OR_RETURN(const Erasure erasure,
                   eraser.Erase({.app_id = found.id}, ErasureCause::kTenantRemoved));
  // Those that an earlier attempt could not reach.
  for (bool more = true; more;) {
    constexpr int kBatch = 100;
    const auto removed = RemoveObjects(folder, kBatch, found.id);
    if (!removed.ok()) {
      return removed.status().WithContext(
          "the application is disabled and its recordings cannot be opened any more, but not all "
          "could be removed from the object store; run this again");
    }
    more = *removed >= kBatch;
  }
  RETURN_IF_ERROR(applications.Remove(found.id));
  TellDecisions(folder);
  return WriteStandardOutput(std::to_string(found.id) +
                             ": removed, and erased: " + std::to_string(erasure.results) +
                             " results, " + std::to_string(erasure.recordings) + " recordings, " +
                             std::to_string(erasure.operations) + " rows of the operation log\n");
}

CLI::App* AddOne(CLI::App* apps, const std::string& name, const std::string& what,
                 const std::shared_ptr<Options>& options) {
  CLI::App* command = apps->add_subcommand(name, what);
  AddRecordsOptions(command, options->records);
  command->add_option("app", options->app, "AppId or name")->required();
  return command;
}

std::string ShowPeriod(Millis period) {
  const auto seconds = period / std::chrono::seconds(1);
  return std::to_string(seconds) + " s" +
         (seconds % 3600 == 0 && seconds > 0 ? " (" + std::to_string(seconds / 3600) + " h)" : "");
}

Status Retention(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const Application found, FindApplication(*folder.store, options.app));
  RetentionPeriods& periods = folder.store->retention_periods();
  if (!options.data_class.empty()) {
    const auto data_class = DataClassNamed(options.data_class);
    if (!data_class) return InvalidArgument("--class is one of audio, result, operation_log");
    RETURN_IF_ERROR(
        periods.Shorten(found.id, *data_class, std::chrono::seconds(options.period_seconds)));
    TellDecisions(folder);
  }
  ASSIGN_OR_RETURN(const auto chosen, periods.Find(found.id));
  Table table(1, {"CLASS", "HELD AT MOST"});
  for (const DataClass data_class : kDataClasses) {
    table.Add(
        {std::string(DataClassName(data_class)), ShowPeriod(HoldingTime(data_class, chosen))});
  }
  return WriteStandardOutput(table.Text());
}

void AddRetentionCommand(CLI::App* apps, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* retention =
      AddOne(apps, "retention", "Show how long what is held, or hold it shorter", options);
  retention->footer(
      "Examples:\n"
      "  lethe apps retention default\n"
      "  lethe apps retention default --class result --seconds 3600\n"
      "  lethe apps retention default --class audio --seconds 0\n"
      "\n"
      "A period can only become shorter, and does at once, also for what is stored already. Audio\n"
      "that is held for no time is never stored: an upload waits in memory.");
  CLI::Option* data_class =
      retention->add_option("--class", options->data_class, "audio, result or operation_log");
  CLI::Option* seconds = retention
                             ->add_option("--seconds", options->period_seconds,
                                          "The period from now on, which is shorter")
                             ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  data_class->needs(seconds);
  seconds->needs(data_class);
  Finish(retention, exit_code, [options] { return Retention(*options); });
}

void AddQuotaCommand(CLI::App* apps, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* quota =
      AddOne(apps, "quota", "Allow more or less than usual of one interface", options);
  quota->footer(
      "Examples:\n"
      "  lethe apps quota 1300000001 --interface sentence --rate 50\n"
      "  lethe apps quota 1300000001 --interface sentence\n"
      "\n"
      "What is not given is as usual again.");
  std::vector<std::string> names;
  for (const Interface interface : kInterfaces) names.emplace_back(InterfaceName(interface));
  quota->add_option("--interface", options->interface, "Which interface")
      ->required()
      ->check(CLI::IsMember(names));
  quota->add_option("--rate", options->quota.calls_per_second, "Calls a second")
      ->check(CLI::Range(0, kMaxQuota));
  quota->add_option("--concurrency", options->quota.concurrency, "Calls at once")
      ->check(CLI::Range(0, kMaxQuota));
  Finish(quota, exit_code, [options] {
    return ChangeOne(*options, "changed", [&](Applications& all, AppId id) {
      return all.SetQuota(id, *FindInterface(options->interface), options->quota);
    });
  });
}

}  // namespace

void AddAppsCommand(CLI::App& program, int& exit_code) {
  CLI::App* apps = program.add_subcommand("apps", "Manage the applications that may call");
  apps->require_subcommand(1);
  apps->footer(
      "Examples:\n"
      "  lethe apps create dictation\n"
      "  lethe apps list\n"
      "  lethe apps disable dictation\n"
      "\n"
      "A service that runs on the same folder notices at once.\n"
      "More: lethe help access, lethe help quotas");
  auto options = std::make_shared<Options>();

  CLI::App* list = apps->add_subcommand("list", "Show the applications there are");
  list->footer("Example:\n  lethe apps list");
  AddRecordsOptions(list, options->records);
  Finish(list, exit_code, [options] { return List(*options); });

  CLI::App* create =
      apps->add_subcommand("create", "Make an application, in an account of its own");
  create->footer(
      "Examples:\n"
      "  lethe apps create dictation\n"
      "  lethe apps create archive --account 100000000001");
  AddRecordsOptions(create, options->records);
  create->add_option("name", options->name, "What to call it")->required();
  create->add_option("--account", options->account, "Uin of an account that has applications");
  Finish(create, exit_code, [options] { return Create(*options); });

  CLI::App* rename = AddOne(apps, "rename", "Call an application something else", options);
  rename->footer("Example:\n  lethe apps rename 1300000001 archive");
  rename->add_option("name", options->name, "Its new name")->required();
  Finish(rename, exit_code, [options] {
    return ChangeOne(*options, "renamed",
                     [&](Applications& all, AppId id) { return all.Rename(id, options->name); });
  });

  AddRetentionCommand(apps, options, exit_code);
  AddQuotaCommand(apps, options, exit_code);
  AddBillingCommand(apps, exit_code);

  CLI::App* disable = AddOne(apps, "disable", "Refuse all calls of an application", options);
  disable->footer("Example:\n  lethe apps disable dictation");
  Finish(disable, exit_code, [options] {
    return ChangeOne(*options, "disabled",
                     [](Applications& all, AppId id) { return all.SetEnabled(id, false); });
  });

  CLI::App* enable = AddOne(apps, "enable", "Allow calls of a disabled application again", options);
  enable->footer("Example:\n  lethe apps enable dictation");
  Finish(enable, exit_code, [options] {
    return ChangeOne(*options, "enabled",
                     [](Applications& all, AppId id) { return all.SetEnabled(id, true); });
  });

  CLI::App* remove =
      AddOne(apps, "remove", "Remove an application with its keys, word lists and tasks", options);
  remove->footer(
      "Example:\n"
      "  lethe apps remove dictation\n"
      "\n"
      "This can not be undone, so its name is asked for, unless --yes is given. Its usage is kept "
      "as long as all usage is.");
  AddObjectsOptions(remove, options->records);
  remove->add_flag("--yes", options->yes, "Remove it without asking");
  Finish(remove, exit_code, [options] { return Remove(*options); });
}

}  // namespace lethe
