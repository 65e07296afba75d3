#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include <sys/resource.h>

#include "app/commands.h"
#include "app/data_folder.h"
#include "app/finish.h"
#include "app/forgetters.h"
#include "app/health_log.h"
#include "app/log.h"
#include "app/option_table.h"
#include "app/output.h"
#include "app/serve_options.h"
#include "app/setup.h"
#include "audio/media_cage.h"
#include "engine/hot_words.h"
#include "kernels/dispatch.h"
#include "metering/fee_estimator.h"
#include "model/speech_model.h"
#include "outbound/http_client.h"
#include "retention/sweeper.h"
#include "server/cloud_api.h"
#include "server/console.h"
#include "server/console_access.h"
#include "server/flash.h"
#include "server/http_server.h"
#include "server/openai.h"
#include "server/openai_realtime.h"
#include "server/operations.h"
#include "server/own_api.h"
#include "server/realtime.h"
#include "server/watch_history.h"
#include "service/calls_under_way.h"
#include "service/eraser.h"
#include "service/ledger_feed.h"
#include "service/recording_tasks.h"

namespace lethe {
namespace {

struct Options {
  ServeOptions serve;
  OptionTable table;
  std::string file;
  bool check = false, show = false;
};

// Signals are waited for by the main thread alone; every other one is started with them blocked.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Thousands of connections want as many descriptors; and audio and secrets in memory want no core
// dump.
void SetProcessLimits() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
  }
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
}

// Everything that listens, in the order of the configuration.
Result<std::vector<ListenAddress>> ListenAddresses(const std::vector<std::string>& texts) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(text));
    addresses.push_back(address);
  }
  if (addresses.empty()) return InvalidArgument("there is no address to listen on: --listen");
  return addresses;
}

Result<AddressRules> OutboundRules(const ServeOptions& options) {
  AddressRulesOptions rules{.allow = options.outbound_allow, .ports = {}};
  for (const std::string& port : options.outbound_ports) {
    rules.ports.push_back(std::atoi(port.c_str()));
  }
  return AddressRules::Create(rules);
}

int SampleRateOf(const std::string& engine) { return engine.starts_with("8k") ? 8'000 : 16'000; }

// A model that is named twice is loaded once.
Result<EngineCatalog> LoadEngines(const ServeOptions& options) {
  ASSIGN_OR_RETURN(const KernelTable* kernels, ChooseKernels());
  EngineCatalog catalog;
  std::map<std::string, std::shared_ptr<const SpeechEngine>> loaded;
  for (const auto& [name, model] : options.engines) {
    std::shared_ptr<const SpeechEngine>& speech = loaded[model];
    if (speech == nullptr) {
      const auto models = LoadModels(model, *kernels);
      if (!models.ok()) return models.status().WithContext("engine " + name);
      speech = std::make_shared<SpeechEngine>(
          SpeechEngine{.engine = std::make_shared<Engine>(
                           models->speech, models->voice_activity,
                           EngineOptions{.num_threads = static_cast<int>(options.threads),
                                         .max_streams = static_cast<int>(options.streams)}),
                       .label = models->label,
                       .codec = MakeTokenCodec(models->speech->tokenizer())});
    }
    catalog.Add(name, SampleRateOf(name), speech);
  }
  const auto standard = catalog.Find(options.default_engine);
  if (!standard.ok()) return standard.status().WithContext("default_engine");
  return catalog;
}

TaskHolder Node(const ServeOptions& options) {
  return {
      .node = options.node_name.empty() ? DefaultNodeName(options.records.data) : options.node_name,
      .lease = std::chrono::seconds(options.task_lease_seconds)};
}

// What the ledger found when it was opened, for whoever starts the service.
void ShowLedger(const LedgerFeed& feed, const Status& status) {
  const Journal::Recovery& found = feed.report().recovery;
  if (!status.ok()) {
    Log({.level = "warning",
         .event = "ledger_elsewhere",
         .sentence = "the ledger is not written to here",
         .error = status});
  }
  if (found.erased_again > 0 || found.lost > 0) {
    Log({.level = "warning",
         .event = "records_older_than_ledger",
         .sentence = "the records are older than the ledger: what it says was erased is erased "
                     "again, what it says was held is missing",
         .facts = {{"erased_again", found.erased_again}, {"missing", found.lost}}});
  }
}

// That another node has the ledger is no reason not to serve, once that has seen these records;
// that nobody can read it is.
Status AwaitLedger(LedgerFeed& feed, const Status& told, std::int64_t seconds) {
  if (told.code() != StatusCode::kFailedPrecondition) return told.WithContext("the ledger");
  if (seconds == 0) return OkStatus();
  const Status compared = feed.AwaitComparison(std::chrono::seconds(seconds));
  if (compared.ok()) return OkStatus();
  return compared.WithContext(
      "start that node, or give this one its folder (store.ledger), or serve without "
      "(store.ledger_wait_seconds = 0: then what a backup brought back can be read until that node "
      "is there)");
}

// Recordings that cannot be removed, because the object store does not answer, cannot be opened
// either; they are no reason not to serve.
Status FirstSweep(Sweeper& sweeper) {
  Status swept = sweeper.SweepAll();
  if (swept.ok()) return swept;
  for (const Sweeper::Report& report : sweeper.reports()) {
    if (report.error.empty()) continue;
    if (!IsOfRecordings(report.name)) return swept;
    Log({.level = "warning",
         .event = "recordings_not_removed",
         .sentence = "recordings that are over could not be removed yet",
         .error = {StatusCode::kUnavailable, report.error}});
  }
  return OkStatus();
}

std::string Address(const ListenAddress& address, std::uint16_t port) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (address.tls ? "https://" : "http://") + (v6 ? "[" + address.host + "]" : address.host) +
         ":" + std::to_string(port);
}

void ShowFirstKeys(const FirstKeys& keys) {
  std::string text =
      "This is the first start: an application was made, with keys. They are shown this once.\n"
      "  AppId             " +
      std::to_string(keys.application.id) +
      "\n"
      "  SecretId          " +
      keys.secret_id +
      "\n"
      "  SecretKey         " +
      std::string(keys.secret_key.Reveal()) +
      "\n"
      "  API key (OpenAI)  " +
      std::string(keys.bearer_key.Reveal()) +
      "\n"
      "  Console password  " +
      std::string(keys.console_password.Reveal()) + "\n";
  (void)WriteStandardOutput(text);
  WipeSecret(text);
}

Status NoteMissingApplication(Store& store) {
  ASSIGN_OR_RETURN(const std::vector<Application> applications, store.applications().List());
  if (applications.empty()) {
    Log({.level = "warning",
         .event = "no_application",
         .sentence = "there is no application yet, so nobody can call; make one: lethe apps create "
                     "NAME, lethe keys create --app NAME"});
  }
  return OkStatus();
}

Status Run(Options& options) {
  RETURN_IF_ERROR(options.table.Load(options.file));
  const ServeOptions& serve = options.serve;
  if (options.show) return WriteStandardOutput(options.table.Show());
  ASSIGN_OR_RETURN(const LogFormat log_format, ParseLogFormat(serve.log_format));
  ASSIGN_OR_RETURN(const std::vector<ListenAddress> addresses, ListenAddresses(serve.listen));
  ASSIGN_OR_RETURN(AddressRules rules, OutboundRules(serve));
  ASSIGN_OR_RETURN(RegionRules regions,
                   RegionRules::Create({serve.outbound_regions, serve.outbound_hosts}));
  ASSIGN_OR_RETURN(const PriceTable prices, LoadPrices(serve.prices));
  ASSIGN_OR_RETURN(const std::chrono::minutes utc_offset, ParseOffset(serve.utc_offset));
  ASSIGN_OR_RETURN(std::set<std::string> console_hosts, ParseConsoleHosts(serve.console_hosts));
  if (options.check) return WriteStandardOutput("the configuration is in order\n");

  SetLogFormat(log_format);
  SetProcessLimits();
  KeepFreedMemory();  // before there are threads with arenas of their own
  // Libraries would write the keys of TLS sessions to the file it names.
  (void)unsetenv("SSLKEYLOGFILE");
  const sigset_t signals = BlockStopSignals();
  ASSIGN_OR_RETURN(const std::unique_ptr<CagedMediaDecoder> media,
                   CagedMediaDecoder::Start({.max_busy = static_cast<int>(serve.decoders),
                                             .allow_unconfined = serve.allow_unconfined}));
  ASSIGN_OR_RETURN(const EngineCatalog engines, LoadEngines(serve));
  ASSIGN_OR_RETURN(DataFolder data, OpenDataFolder(serve.records, SystemClock(), true));
  const Clock& clock = *data.clock;
  if (serve.first_keys) {
    ASSIGN_OR_RETURN(const std::optional<FirstKeys> first, FirstStart(*data.store));
    // At once: nobody is told them again, should the start fail further on.
    if (first) ShowFirstKeys(*first);
  } else {
    RETURN_IF_ERROR(NoteMissingApplication(*data.store));
  }

  for (const std::string& note : data.notes) PrintNote(note);
  // Children of ours have no use for them.
  (void)unsetenv("LETHE_STORE_PASSWORD");
  (void)unsetenv("LETHE_S3_SECRET_ACCESS_KEY");

  Store& store = *data.store;
  FeeEstimator fees(prices, store.usage(), clock, utc_offset);
  CreditGate credit(
      store.usage(), clock,
      {.utc_offset = utc_offset, .grace = std::chrono::hours(serve.overdue_grace_hours)});
  Meter meter(store.usage(), {.region = data.keyring->sealer().region(),
                              .price =
                                  [&fees, &credit](std::span<FinishedCall> calls) {
                                    fees.Price(calls);
                                    credit.Add(calls);
                                  },
                              .log = &store.operation_log()});
  CallGate gate(DefaultGateLimits());
  FairPool pool(static_cast<int>(serve.calls_at_once),
                static_cast<std::size_t>(serve.calls_waiting));
  FairPool quick_pool(4, 4 * static_cast<std::size_t>(serve.calls_waiting));
  FairPool erasures(2, static_cast<std::size_t>(serve.calls_waiting));
  Recognizer recognizer(*media);
  WordLists word_lists(store.vocabularies());
  OutboundClient outbound(std::move(rules), {.ca_file = "", .regions = std::move(regions)});
  LedgerFeed feed(store.journal(), data.ledger, clock);
  // Older records that were put back are made to forget what the ledger says is erased, first.
  const Status told = feed.CatchUp();
  ShowLedger(feed, told);
  if (!told.ok()) RETURN_IF_ERROR(AwaitLedger(feed, told, serve.ledger_wait_seconds));
  Sweeper sweeper(Forgetters(data), {.held = [&data] { return MaybeSetWrong(*data.clock); }});
  // Other nodes may be waiting for it.
  feed.Start();
  // What is over by now is gone before anybody may ask for it.
  RETURN_IF_ERROR(FirstSweep(sweeper));
  sweeper.Start();
  CallsUnderWay calls;
  CancellationWatch cancellations({store, calls, meter, clock});
  RETURN_IF_ERROR(cancellations.Begin());
  cancellations.Start();
  RecordingTasks tasks(
      {store, engines, recognizer, word_lists, outbound, meter, clock, data.recordings.get()},
      {.node = Node(serve),
       .num_workers = static_cast<int>(serve.tasks_at_once),
       .max_upload_memory = static_cast<std::size_t>(serve.upload_mb) << 20,
       .callback_key = serve.callback_key});
  Eraser eraser({store, data.recordings.get(), &tasks, &calls, &feed, &meter, &cancellations});
  ConsoleAccess console(store.keys(), SystemClock(), std::move(console_hosts));
  FaceContext context{
      store,
      engines,
      gate,
      credit,
      pool,
      quick_pool,
      meter,
      recognizer,
      word_lists,
      *media,
      calls,
      SystemClock(),
      console,
      {.canonical_hosts = {serve.canonical_hosts.begin(), serve.canonical_hosts.end()},
       .regions = {serve.request_regions.begin(), serve.request_regions.end()},
       .default_engine = serve.default_engine}};
  WatchHistory history;
  std::atomic<bool> stopping = false;
  std::unique_ptr<HttpServer> server;
  std::atomic<HttpServer*> started = nullptr;
  Router router;
  AddCloudApiRoutes(router, context, tasks, outbound);
  AddFlashRoutes(router, context);
  AddOpenAiRoutes(router, context);
  AddOpenAiRealtimeRoutes(router, context,
                          {.max_ahead = std::chrono::seconds(serve.max_ahead_seconds)});
  AddRealtimeRoutes(router, context,
                    {.max_ahead = std::chrono::seconds(serve.max_ahead_seconds),
                     .max_decoders = static_cast<int>(serve.decoders) / 2});
  const OperationsParts operations{engines,
                                   meter,
                                   [&started] {
                                     const HttpServer* running = started;
                                     return running == nullptr ? ServerCounts() : running->counts();
                                   },
                                   [&sweeper] { return sweeper.reports(); },
                                   [&feed] { return feed.report(); },
                                   stopping,
                                   [&data] { return MaybeSetWrong(*data.clock); },
                                   [&tasks] { return tasks.callbacks(); },
                                   {{"calls", pool}, {"quick", quick_pool}, {"erasures", erasures}},
                                   data.path};
  AddOwnApiRoutes(
      router, context, eraser, erasures,
      {prices,
       utc_offset,
       feed,
       tasks,
       {history, [&operations] { return ReadWatchCounts(operations); }, Node(serve).node}});
  AddConsoleRoutes(router, context);
  AddOperationsRoutes(router, operations);
  // From here on it counts: no call is before the first sample.
  history.Add(ReadWatchCounts(operations), SystemClock().Now());
  ASSIGN_OR_RETURN(server, HttpServer::Start(
                               {.listen = addresses,
                                .tls_certificate = serve.tls_certificate,
                                .tls_key = serve.tls_key,
                                .num_threads = static_cast<int>(serve.io_threads),
                                .max_connections = static_cast<std::size_t>(serve.max_connections),
                                .max_body_memory = static_cast<std::size_t>(serve.upload_mb) << 20},
                               std::move(router)));
  started = server.get();
  const std::vector<std::uint16_t> ports = server->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    RETURN_IF_ERROR(WriteStandardOutput("listening on " + Address(addresses[i], ports[i]) + "\n"));
  }

  HealthLog health;
  constexpr timespec kLook{.tv_sec = 1, .tv_nsec = 0};
  while (sigtimedwait(&signals, nullptr, &kLook) < 0) {
    health.Look({sweeper.reports(), feed.report(), meter.lost(), MaybeSetWrong(*data.clock)});
    if (history.IsDue()) history.Add(ReadWatchCounts(operations), SystemClock().Now());
  }
  stopping = true;
  Log({.level = "info",
       .event = "stopping",
       .sentence = "stopping: calls under way may take a while",
       .facts = {{"at_most_ms", Millis(std::chrono::seconds(serve.grace_seconds))}}});
  // A second signal means: now.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  server->Stop(std::chrono::seconds(serve.grace_seconds));
  outbound.Stop();
  tasks.Stop();
  pool.Stop();
  quick_pool.Stop();
  erasures.Stop();
  // The next start takes for done what was asked for until now, so rows that are written last are
  // held against it.
  meter.Flush();
  (void)cancellations.Look();
  sweeper.Stop();
  feed.Stop();
  return OkStatus();
}

}  // namespace

void AddServeCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->serve.Describe(&options->table);
  CLI::App* command = program.add_subcommand("serve", "Run the service");
  command->footer(
      "Examples:\n"
      "  lethe serve\n"
      "  lethe serve --config /etc/lethe/lethe.toml --data /var/lib/lethe\n"
      "  lethe serve --listen 0.0.0.0:80 --listen tls:0.0.0.0:443 \\\n"
      "      --tls.certificate cert.pem --tls.key key.pem\n"
      "  lethe serve --store.dsn mysql://lethe@db.example/lethe --store.password-file /run/pw\n"
      "  lethe serve --show-config > lethe.toml\n"
      "\n"
      "The first start makes an application with keys and shows them once; `lethe apps` and\n"
      "`lethe keys` make more. Every option may stand in the configuration file, in the\n"
      "environment (LETHE_LIMITS_STREAMS) or here; what is nearer goes first.\n"
      "SIGTERM and SIGINT stop it when what runs is finished, a second one at once.\n"
      "More: lethe help start, lethe help operate, lethe help trouble");
  command->add_option("--config", options->file, "Configuration file (TOML)")
      ->envname("LETHE_CONFIG");
  command->add_option("--data", options->serve.records.data, "Folder of the records and their key")
      ->capture_default_str();
  command->add_flag("--check", options->check, "Check the configuration and end");
  command->add_flag("--show-config", options->show,
                    "Print the configuration, with every default, and end");
  options->table.AddFlags(command);
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
