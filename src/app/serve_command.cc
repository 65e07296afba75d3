#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/data_folder.h"
#include "app/environment.h"
#include "app/finish.h"
#include "app/log.h"
#include "app/option_table.h"
#include "app/output.h"
#include "app/serve_options.h"
#include "app/serve_settings.h"
#include "app/service.h"
#include "app/setup.h"
#include "base/mutex.h"

namespace lethe {
namespace {

// What is left when calls have had their grace: the unit's TimeoutStopSec is later (debian/).
constexpr Millis kAfterGrace{20'000};

struct Options {
  ServeOptions serve;
  OptionTable table;
  std::string file;
  bool check = false, show = false;
};

// Signals are waited for by the main thread alone; every other one is started with them blocked.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // Whoever closes a terminal means the service in it to end; from others it asks for a reload.
  if (::isatty(STDIN_FILENO) == 0) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Ends the process when its stop takes longer than it may, because a database or an object store
// does not answer: no more is lost than with a process that is killed, which is what comes next.
class StopDeadline {
 public:
  StopDeadline() = default;
  StopDeadline(const StopDeadline&) = delete;
  StopDeadline& operator=(const StopDeadline&) = delete;
  ~StopDeadline() {
    {
      const MutexLock lock(mutex_);
      stopped_ = true;
    }
    changed_.NotifyAll();
    if (thread_.joinable()) thread_.join();
  }

  void Begin(Millis longest) {
    thread_ = std::thread([this, until = std::chrono::steady_clock::now() + longest] {
      const MutexLock lock(mutex_);
      while (!stopped_ && changed_.WaitUntil(mutex_, until)) {
      }
      if (stopped_) return;
      Log({.level = "error",
           .event = "stop_given_up",
           .sentence = "ended without what could not be finished: the records or the object store "
                       "do not answer; the next start takes up what is left"});
      std::_Exit(kExitFailed);
    });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Audio and secrets in memory want no core dump, and nobody of the same user to look at them.
void KeepMemoryPrivate() {
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0);
}

// Thousands of connections want as many descriptors. Those that there are none for would neither be
// served nor refused, and nothing else could be opened.
void FitConnections(ServeOptions* options) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
  const std::int64_t most = ConnectionsWithin(files.rlim_max, *options);
  if (most == options->max_connections) return;
  Log({.level = "warning",
       .event = "few_open_files",
       .sentence =
           "fewer connections than limits.connections: the system lets this process open too "
           "few files; raise LimitNOFILE of its unit, or ulimit -n",
       .facts = {{"connections", most},
                 {"open_files", static_cast<std::int64_t>(files.rlim_max)}}});
  options->max_connections = most;
}

std::string Address(const ListenAddress& address, std::uint16_t port) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (address.tls ? "https://" : "http://") + (v6 ? "[" + address.host + "]" : address.host) +
         ":" + std::to_string(port);
}

Status ShowFirstKeys(const FirstKeys& keys) {
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
  const Status shown = WriteStandardOutput(text);
  WipeSecret(text);
  if (shown.ok()) return OkStatus();
  return shown.WithContext(
      "the keys of this first start could not be shown, and are not shown again; the next start "
      "serves without: make others with lethe keys create --app default, and lethe keys password");
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

// Applications and keys of a first start are made and shown; where that is not wanted, that there
// are none is said.
Status MakeFirstKeys(const ServeOptions& serve, Store& store) {
  if (!serve.first_keys) return NoteMissingApplication(store);
  ASSIGN_OR_RETURN(const std::optional<FirstKeys> first, FirstStart(store));
  return first ? ShowFirstKeys(*first) : OkStatus();
}

Status Run(Options& options) {
  RETURN_IF_ERROR(options.table.Load(options.file));
  const ServeOptions& serve = options.serve;
  const std::string unknown = UnknownVariables(options.table);
  if (options.show) return WriteStandardOutput(options.table.Show());
  ASSIGN_OR_RETURN(ServeSettings settings, ReadServeSettings(serve));
  if (options.check) {
    if (!unknown.empty()) PrintNote(unknown);
    RETURN_IF_ERROR(CheckServeFiles(serve, settings));
    return WriteStandardOutput("the configuration is in order\n");
  }

  SetLogFormat(settings.log_format);
  if (!unknown.empty()) {
    Log({.level = "warning",
         .event = "unknown_variables",
         .sentence = "a setting in the environment may be misspelt",
         .error = InvalidArgument(unknown)});
  }
  KeepMemoryPrivate();
  FitConnections(&options.serve);
  KeepFreedMemory();  // before there are threads with arenas of their own
  // Libraries would write the keys of TLS sessions to the file it names.
  (void)unsetenv("SSLKEYLOGFILE");
  sigset_t signals = BlockSignals();
  const std::vector<ListenAddress> addresses = settings.addresses;
  ServiceInputs inputs;
  ASSIGN_OR_RETURN(inputs.media,
                   CagedMediaDecoder::Start({.max_busy = static_cast<int>(serve.decoders),
                                             .allow_unconfined = serve.allow_unconfined}));
  ASSIGN_OR_RETURN(inputs.engines, LoadEngines(serve));
  ASSIGN_OR_RETURN(inputs.data, OpenDataFolder(serve.records, SystemClock(), true));
  Store& store = *inputs.data.store;
  for (const std::string& note : inputs.data.notes) PrintNote(note);
  // Children of ours have no use for them.
  (void)unsetenv("LETHE_STORE_PASSWORD");
  (void)unsetenv("LETHE_S3_SECRET_ACCESS_KEY");

  StopDeadline deadline;  // for the end of the service, too
  Service service(serve, std::move(settings), std::move(inputs));
  RETURN_IF_ERROR(service.Start());
  // They are told once, so only when nothing keeps it from serving any more.
  if (Status made = MakeFirstKeys(serve, store); !made.ok()) {
    service.Stop();
    return made;
  }
  const std::vector<std::uint16_t> ports = service.ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    // That nobody can read it is no reason not to serve.
    (void)WriteStandardOutput("listening on " + Address(addresses[i], ports[i]) + "\n");
  }
  constexpr timespec kLook{.tv_sec = 1, .tv_nsec = 0};
  for (int signal = 0; signal <= 0 || signal == SIGHUP;) {
    signal = sigtimedwait(&signals, nullptr, &kLook);
    if (signal == SIGHUP) service.ReadCertificate();
    if (signal <= 0) service.Look();
  }
  // A second signal means: now. But for one that asks for a reload.
  sigdelset(&signals, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  const Millis grace = std::chrono::seconds(serve.grace_seconds);
  deadline.Begin(grace + kAfterGrace);
  Log({.level = "info",
       .event = "stopping",
       .sentence = "stopping: calls under way may take a while",
       .facts = {{"at_most_ms", grace}}});
  service.Stop();
  return OkStatus();
}

}  // namespace

void AddServeCommand(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->serve.records.serves = true;
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
      "SIGTERM and SIGINT stop it when what runs is finished, a second one at once; SIGHUP makes\n"
      "it read tls.certificate and tls.key again.\n"
      "More: lethe help start, lethe help operate, lethe help trouble");
  command->add_option("--config", options->file, "Configuration file (TOML)")
      ->envname("LETHE_CONFIG");
  command->add_option("--data", options->serve.records.data, "Folder of the records and their key")
      ->capture_default_str();
  command->add_flag("--check", options->check,
                    "Check the configuration, and the files it names, and end");
  command->add_flag("--show-config", options->show,
                    "Print the configuration, with every default, and end");
  options->table.AddFlags(command);
  Finish(command, exit_code, [options] { return Run(*options); });
}

}  // namespace lethe
