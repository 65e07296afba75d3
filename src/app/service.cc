#include "app/service.h"

#include <map>
#include <span>
#include <utility>

#include "app/forgetters.h"
#include "app/log.h"
#include "app/setup.h"
#include "engine/hot_words.h"
#include "kernels/dispatch.h"
#include "model/speech_model.h"
#include "server/cloud_api.h"
#include "server/console.h"
#include "server/flash.h"
#include "server/openai.h"
#include "server/openai_realtime.h"
#include "server/own_api.h"
#include "server/realtime.h"

namespace lethe {
namespace {

int SampleRateOf(const std::string& engine) { return engine.starts_with("8k") ? 8'000 : 16'000; }

TaskHolder Node(const ServeOptions& options) {
  return {
      .node = options.node_name.empty() ? DefaultNodeName(options.records.data) : options.node_name,
      .lease = std::chrono::seconds(options.task_lease_seconds)};
}

// That the ledger has leaves of which the records do not know that it has them.
void ShowRecovery(const Journal::Recovery& found) {
  if (found.leaves == 0) return;
  if (found.leaves == found.settled) {
    Log({.level = "info",
         .event = "ledger_ahead",
         .sentence = "the ledger had been told more than the records knew, all of it theirs, as "
                     "after a crash",
         .facts = {{"leaves", found.leaves}}});
    return;
  }
  Log({.level = "warning",
       .event = "records_older_than_ledger",
       .sentence = "the records are older than the ledger: what it says was erased is erased "
                   "again, what it says was held is missing",
       .facts = {{"erased_again", found.erased_again},
                 {"missing", found.lost},
                 {"leaves", found.leaves}}});
}

// What older records had to be told again, and what is wrong with the file that knew it.
void ShowDecisions(const DecisionFeed::Report& found) {
  const DecisionsPutBack& put_back = found.put_back;
  if (put_back.sum() > 0) {
    Log({.level = "warning",
         .event = "decisions_put_back",
         .sentence = "the records did not have what had been decided, as when they are older: it "
                     "holds again",
         .facts = {{"periods", put_back.periods},
                   {"consent_required", put_back.consent_required},
                   {"withdrawals", put_back.withdrawals},
                   {"consents", put_back.consents},
                   {"keys", put_back.keys},
                   {"applications", put_back.applications},
                   {"passwords", put_back.passwords}}});
  }
  if (found.damaged > 0 || found.lost) {
    Log({.level = "error",
         .event = "decisions_damaged",
         .sentence =
             "the file of decisions beside the ledger was damaged, gone or an older one; it is "
             "written anew from what is readable and from the records, but of keys that "
             "were removed before it may have lost some",
         .facts = {{"unreadable", found.damaged}, {"gone_or_shorter", found.lost}}});
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
// either; they are no reason not to serve. Nor is a clock that cannot be written down: while nobody
// serves, nothing is forgotten.
Status FirstSweep(Sweeper& sweeper) {
  Status swept = sweeper.SweepAll();
  if (swept.ok()) return swept;
  for (const Sweeper::Report& report : sweeper.reports()) {
    // The health log tells of the clock.
    if (report.error.empty() || report.name == kSavingTheClock) continue;
    if (!IsOfRecordings(report.name)) return swept;
    Log({.level = "warning",
         .event = "recordings_not_removed",
         .sentence = "recordings that are over could not be removed yet",
         .error = {StatusCode::kUnavailable, report.error}});
  }
  return OkStatus();
}

// Who asks the store waits for no recording, and is answered soon.
constexpr int kQuickThreads = 4;
constexpr int kErasuresAtOnce = 2;

// For calls that are cut off to be told so.
constexpr Millis kLastAnswers{5'000};

}  // namespace

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

Service::Service(const ServeOptions& options, ServeSettings settings, ServiceInputs inputs)
    : options_(options),
      settings_(std::move(settings)),
      node_(Node(options)),
      media_(std::move(inputs.media)),
      engines_(std::move(inputs.engines)),
      data_(std::move(inputs.data)),
      fees_(settings_.prices, data_.store->usage(), SystemClock(), settings_.utc_offset),
      credit_(data_.store->usage(), SystemClock(),
              {.utc_offset = settings_.utc_offset,
               .grace = std::chrono::hours(options.overdue_grace_hours)}),
      meter_(data_.store->usage(), {.region = data_.keyring->sealer().region(),
                                    .price =
                                        [this](std::span<FinishedCall> calls) {
                                          fees_.Price(calls);
                                          credit_.Add(calls);
                                        },
                                    .log = &data_.store->operation_log()}),
      gate_(DefaultGateLimits()),
      pool_(static_cast<int>(options.calls_at_once),
            static_cast<std::size_t>(options.calls_waiting)),
      quick_pool_(kQuickThreads, kQuickThreads * static_cast<std::size_t>(options.calls_waiting)),
      erasures_(kErasuresAtOnce, static_cast<std::size_t>(options.calls_waiting)),
      recognizer_(*media_),
      word_lists_(data_.store->vocabularies()),
      outbound_(settings_.outbound_addresses,
                {.ca_file = "", .regions = settings_.outbound_regions}),
      decisions_(data_.store->decisions(), data_.keyring->keys(), *data_.clock),
      feed_(data_.store->journal(), data_.ledger, *data_.clock, &decisions_),
      sweeper_(Forgetters(data_), {}),
      cancellations_({*data_.store, calls_, meter_, *data_.clock}),
      console_(data_.store->keys(), SystemClock(), settings_.console_hosts),
      context_{*data_.store,
               engines_,
               gate_,
               credit_,
               pool_,
               quick_pool_,
               meter_,
               recognizer_,
               word_lists_,
               *media_,
               calls_,
               SystemClock(),
               console_,
               {.canonical_hosts = {options.canonical_hosts.begin(), options.canonical_hosts.end()},
                .regions = {options.request_regions.begin(), options.request_regions.end()},
                .default_engine = options.default_engine}},
      operations_{engines_,
                  meter_,
                  [this] {
                    const HttpServer* running = started_;
                    return running == nullptr ? ServerCounts() : running->counts();
                  },
                  [this] { return sweeper_.reports(); },
                  [this] { return feed_.report(); },
                  stopping_,
                  [this] { return data_.clock->leap() > Millis(0); },
                  [this] { return tasks_->callbacks(); },
                  {{"calls", pool_}, {"quick", quick_pool_}, {"erasures", erasures_}},
                  data_.path,
                  [this] { return cancellations_.silence(); },
                  [this] { return data_.clock->behind(); },
                  [this] { return files_.Lost(); },
                  [this] { return data_.store->LogHeld(); }} {}

Status Service::Forget() {
  // Older records that were put back are made to forget what the ledger says is erased, and told
  // what was decided since, first.
  const Status told = feed_.CatchUp();
  if (!told.ok()) {
    Log({.level = "warning",
         .event = "ledger_elsewhere",
         .sentence = "the ledger is not written to here",
         .error = told});
    RETURN_IF_ERROR(AwaitLedger(feed_, told, options_.ledger_wait_seconds));
  }
  ShowFound();
  // What is over by now is gone before anybody may ask for it, and before a head is signed that
  // would say it is there still.
  RETURN_IF_ERROR(FirstSweep(sweeper_));
  // Other nodes may be waiting for it.
  feed_.Start();
  sweeper_.Start();
  RETURN_IF_ERROR(cancellations_.Begin());
  cancellations_.Start();
  files_.Watch("records", data_.path + "/records.db");
  files_.Watch("ledger", data_.ledger.folder + "/ledger.txt");
  files_.Watch("ledger", data_.ledger.folder + "/heads");
  return OkStatus();
}

// The ledger may become ours later, and records may be put back while we run.
void Service::ShowFound() {
  const Journal::Recovery all = feed_.report().recovery;
  ShowRecovery({.leaves = all.leaves - shown_.leaves,
                .settled = all.settled - shown_.settled,
                .erased_again = all.erased_again - shown_.erased_again,
                .lost = all.lost - shown_.lost});
  shown_ = all;
  ShowDecisions(decisions_.TakeReport());
}

Router Service::MakeRouter() {
  const Millis max_ahead = std::chrono::seconds(options_.max_ahead_seconds);
  Router router;
  AddCloudApiRoutes(router, context_, *tasks_, outbound_);
  AddFlashRoutes(router, context_);
  AddOpenAiRoutes(router, context_);
  AddOpenAiRealtimeRoutes(router, context_, {.max_ahead = max_ahead});
  AddRealtimeRoutes(
      router, context_,
      {.max_ahead = max_ahead, .max_decoders = static_cast<int>(options_.decoders) / 2});
  AddOwnApiRoutes(router, context_, *eraser_, erasures_,
                  {settings_.prices,
                   settings_.utc_offset,
                   feed_,
                   *tasks_,
                   {history_, [this] { return Counts(); }, node_.node}});
  AddConsoleRoutes(router, context_);
  AddOperationsRoutes(router, operations_);
  return router;
}

Status Service::Start() {
  RETURN_IF_ERROR(Forget());
  tasks_.emplace(
      RecordingTasks::Parts{*data_.store, engines_, recognizer_, word_lists_, outbound_, meter_,
                            *data_.clock, data_.recordings.get()},
      RecordingTaskOptions{.node = node_,
                           .num_workers = static_cast<int>(options_.tasks_at_once),
                           .max_upload_memory = static_cast<std::size_t>(options_.upload_mb) << 20,
                           .callback_key = options_.callback_key,
                           .calendar = &SystemClock()});
  eraser_.emplace(Eraser::Parts{*data_.store, data_.recordings.get(), &*tasks_, &calls_, &feed_,
                                &meter_, &cancellations_, data_.reserve.get()});
  Router router = MakeRouter();
  // From here on it counts: no call is before the first sample.
  history_.Add(Counts(), SystemClock().Now());
  ASSIGN_OR_RETURN(
      server_,
      HttpServer::Start({.listen = settings_.addresses,
                         .tls_certificate = options_.tls_certificate,
                         .tls_key = options_.tls_key,
                         .num_threads = static_cast<int>(options_.io_threads),
                         .max_connections = static_cast<std::size_t>(options_.max_connections),
                         .max_body_memory = static_cast<std::size_t>(options_.upload_mb) << 20,
                         .cors_origins = options_.cors_origins},
                        std::move(router)));
  started_ = server_.get();
  return OkStatus();
}

void Service::Look() {
  data_.reserve->Fill();
  ShowFound();
  health_.Look({sweeper_.reports(), feed_.report(), meter_.lost(), data_.clock->leap() > Millis(0),
                data_.clock->behind(), files_.Lost(), data_.store->LogHeld()});
  if (history_.IsDue()) history_.Add(Counts(), SystemClock().Now());
}

void Service::ReadCertificate() {
  if (options_.tls_certificate.empty()) return;
  const Status read = server_->ReadCertificate();
  if (read.ok()) {
    Log({.level = "info",
         .event = "certificate_read",
         .sentence = "the certificate was read again, for connections from now on"});
  } else {
    Log({.level = "error",
         .event = "certificate_not_read",
         .sentence = "the certificate could not be read again; the one from before stays",
         .error = read});
  }
}

void Service::Stop() {
  stopping_ = true;
  server_->Drain(std::chrono::seconds(options_.grace_seconds));
  // Work on them would outlive their connections, and they would be billed.
  calls_.CutOff();
  server_->Stop(kLastAnswers);
  outbound_.Stop();
  pool_.Stop();
  quick_pool_.Stop();
  erasures_.Stop();
  // Before what may wait for an object store.
  meter_.Flush();
  tasks_->Stop();
  // The next start takes for done what was asked for until now, so rows that are written last are
  // held against it.
  meter_.Flush();
  (void)cancellations_.Look();
  sweeper_.Stop();
  feed_.Stop();
  ShowFound();
}

}  // namespace lethe
