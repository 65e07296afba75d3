#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/accounts.h"
#include "app/commands.h"
#include "app/erasure.h"
#include "app/finish.h"
#include "app/output.h"
#include "app/table.h"
#include "service/consent_register.h"

namespace lethe {
namespace {

struct Options {
  RecordsOptions records;
  std::string app, subject, basis = "person", jurisdiction, receipts, required;
  bool everyone = false;
  std::optional<int> age;
  std::int64_t days = kUsualConsent / std::chrono::days(1);
};

constexpr int kPage = 1000;

Status Ages() {
  Table table(3, {"COUNTRY", "AGE", "LAW"});
  for (const AgeOfConsent& age : AgesOfConsent()) {
    table.Add({std::string(age.country), std::to_string(age.years), std::string(age.law)});
  }
  return WriteStandardOutput(
      table.Text() +
      "\nIn any other country the strictest holds: " + std::to_string(kStrictestAge) +
      ". Below the age a parent or guardian has to consent. This is no legal advice.\n");
}

// Whom it is about. Names on a command line are seen by other users and kept by shells.
Result<std::string> Subject(const Options& options) {
  if (options.everyone) return std::string();
  if (options.subject.empty()) {
    return InvalidArgument("--subject names nobody; everyone is --everyone");
  }
  if (options.subject != "-") return options.subject;
  std::string line;
  if (!std::getline(std::cin, line) || line.empty()) {
    return InvalidArgument("standard input has no name in its first line");
  }
  return line;
}

std::string ShowState(const Consent& consent, WallTime now) {
  if (consent.withdrawn) return "withdrawn " + ShowTime(*consent.withdrawn);
  return (consent.expires <= now ? "expired " : "until ") + ShowTime(consent.expires);
}

std::string ShowConsents(const std::vector<Consent>& consents, WallTime now) {
  Table table(6, {"SUBJECT", "PURPOSE", "BASIS", "COUNTRY", "GIVEN (UTC)", "STATE"});
  for (const Consent& consent : consents) {
    table.Add({consent.pseudonym.empty() ? "everyone" : consent.pseudonym,
               std::string(PurposeName(consent.purpose)),
               consent.basis ? std::string(BasisName(*consent.basis)) : "-",
               consent.jurisdiction.empty() ? "-" : consent.jurisdiction,
               consent.given ? ShowTime(*consent.given) : "-", ShowState(consent, now)});
  }
  return table.Text();
}

Status Give(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const Application found, FindApplication(*folder.store, options.app));
  ASSIGN_OR_RETURN(const std::string subject, Subject(options));
  const WallTime now = folder.clock->Now();
  const ReportedConsent report{
      .app_id = found.id,
      .subject = subject,
      .basis = options.everyone ? ConsentBasis::kCustomer
                                : BasisNamed(options.basis).value_or(ConsentBasis::kPerson),
      .age = options.age,
      .jurisdiction = options.jurisdiction,
      .lifetime = std::chrono::days(options.days)};
  ASSIGN_OR_RETURN(const Consent given, GiveConsent(folder.store->consents(), report, now));
  TellDecisions(folder);
  const AgeOfConsent age = FindAgeOfConsent(given.jurisdiction);
  return WriteStandardOutput(ShowConsents({given}, now) + "\nAge of consent there: " +
                             std::to_string(age.years) + " (" + std::string(age.law) + ")\n");
}

Status Withdraw(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const Application found, FindApplication(*folder.store, options.app));
  ASSIGN_OR_RETURN(const std::string subject, Subject(options));
  return EraseAndShow(folder, options.receipts, [&](Eraser& eraser) -> Result<Erasure> {
    ASSIGN_OR_RETURN(Withdrawal done,
                     WithdrawConsent(folder.store->consents(), eraser, found.id, subject));
    return std::move(done.erasure);
  });
}

Status List(const Options& options) {
  ASSIGN_OR_RETURN(const DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const Application found, FindApplication(*folder.store, options.app));
  std::vector<Consent> all;
  for (std::optional<std::string> after;;) {
    ASSIGN_OR_RETURN(const std::vector<Consent> page,
                     folder.store->consents().List(found.id, after, kPage));
    all.insert(all.end(), page.begin(), page.end());
    if (page.size() < kPage) break;
    after = page.back().pseudonym;
  }
  return WriteStandardOutput(
      ShowConsents(all, folder.clock->Now()) +
      "\nNobody is processed without consent: " + (found.consent_required ? "yes\n" : "no\n"));
}

Status Require(const Options& options) {
  ASSIGN_OR_RETURN(DataFolder folder, OpenDataFolder(options.records, SystemClock(), false));
  ASSIGN_OR_RETURN(const Application found, FindApplication(*folder.store, options.app));
  const bool required = options.required == "on";
  RETURN_IF_ERROR(folder.store->applications().SetConsentRequired(found.id, required));
  TellDecisions(folder);
  return WriteStandardOutput(std::to_string(found.id) + ": " +
                             (required ? "nobody is processed without consent\n"
                                       : "who has not withdrawn is processed\n"));
}

CLI::App* AddOne(CLI::App* parent, const std::string& name, const std::string& what,
                 const std::shared_ptr<Options>& options) {
  CLI::App* command = parent->add_subcommand(name, what);
  AddRecordsOptions(command, options->records);
  command->add_option("app", options->app, "AppId or name")->required();
  return command;
}

void AddSubject(CLI::App* command, const std::shared_ptr<Options>& options) {
  auto* who = command->add_option_group("who", "One of");
  who->add_option("--subject", options->subject,
                  "The person, as calls name them; - reads a line of standard input");
  who->add_flag("--everyone", options->everyone, "All end users of the application");
  who->require_option(1);
}

void AddGive(CLI::App* parent, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* give = AddOne(parent, "give", "Write down a consent", options);
  give->footer(
      "Examples:\n"
      "  lethe consent give default --subject user-17 --age 18 --jurisdiction DE\n"
      "  lethe consent give default --subject user-18 --basis parent --jurisdiction DE\n"
      "  lethe consent give default --everyone --jurisdiction US\n"
      "\n"
      "Of everyone: the customer represents that all its end users are old enough, or their\n"
      "parents consent. A person's name is held nowhere; a pseudonym stands for it.");
  AddSubject(give, options);
  give->add_option("--basis", options->basis, "Who consents, of one person: person or parent")
      ->excludes("--everyone")
      ->check(CLI::IsMember({"person", "parent"}))
      ->capture_default_str();
  give->add_option("--age", options->age, "The person is attested to be so old at least, in years")
      ->check(CLI::Range(0, 150));
  give->add_option("--jurisdiction", options->jurisdiction,
                   "Where the person is: two letters, ISO 3166")
      ->required();
  give->add_option("--days", options->days, "For how long")
      ->check(CLI::Range(std::int64_t{1},
                         static_cast<std::int64_t>(kLongestConsent / std::chrono::days(1))))
      ->capture_default_str();
  Finish(give, exit_code, [options] { return Give(*options); });
}

void AddWithdraw(CLI::App* parent, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* withdraw =
      AddOne(parent, "withdraw", "Withdraw a consent, and erase what there is", options);
  withdraw->footer(
      "Examples:\n"
      "  lethe consent withdraw default --subject user-17 --receipts erased.json\n"
      "  lethe consent withdraw default --everyone\n"
      "\n"
      "From then on calls that name the person are refused, whatever else is given. Of everyone:\n"
      "all that the application has is erased. A running service ends the calls that it is at\n"
      "within a second.");
  AddObjectsOptions(withdraw, options->records);
  withdraw
      ->add_option("--store.ledger", options->records.ledger,
                   "Folder of the ledger, as lethe serve has it")
      ->envname("LETHE_STORE_LEDGER");
  AddSubject(withdraw, options);
  withdraw->add_option("--receipts", options->receipts,
                       "Write the receipts to this file, a JSON each");
  Finish(withdraw, exit_code, [options] { return Withdraw(*options); });
}

}  // namespace

void AddConsentCommand(CLI::App& program, int& exit_code) {
  CLI::App* consent = program.add_subcommand("consent", "The register of consents");
  consent->require_subcommand(1);
  consent->footer(
      "Examples:\n"
      "  lethe consent ages\n"
      "  lethe consent require default on\n"
      "  lethe consent give default --subject user-17 --age 18 --jurisdiction DE\n"
      "  lethe consent withdraw default --subject user-17\n"
      "\n"
      "A running service notices at once. Calls name the person in the header X-Lethe-Subject, or\n"
      "in the parameter lethe_subject of the address.");
  auto options = std::make_shared<Options>();

  CLI::App* ages = consent->add_subcommand("ages", "Show ages of consent by country, and laws");
  ages->footer("Example:\n  lethe consent ages");
  Finish(ages, exit_code, [] { return Ages(); });

  AddGive(consent, options, exit_code);
  AddWithdraw(consent, options, exit_code);

  CLI::App* list = AddOne(consent, "list", "Show the consents of an application", options);
  list->footer("Example:\n  lethe consent list default");
  Finish(list, exit_code, [options] { return List(*options); });

  CLI::App* require =
      AddOne(consent, "require", "Process nobody without consent, or do so again", options);
  require->footer(
      "Examples:\n  lethe consent require default on\n  lethe consent require default off");
  require->add_option("state", options->required, "on or off")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  Finish(require, exit_code, [options] { return Require(*options); });
}

}  // namespace lethe
