#pragma once

// The service: all of its parts, wired. Nothing else in the house knows them all.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "app/data_folder.h"
#include "app/health_log.h"
#include "app/serve_options.h"
#include "app/serve_settings.h"
#include "app/standing_files.h"
#include "audio/media_cage.h"
#include "metering/fee_estimator.h"
#include "outbound/http_client.h"
#include "retention/sweeper.h"
#include "server/console_access.h"
#include "server/faces.h"
#include "server/http_server.h"
#include "server/operations.h"
#include "server/watch_history.h"
#include "service/calls_under_way.h"
#include "service/cancellation_watch.h"
#include "service/eraser.h"
#include "service/ledger_feed.h"
#include "service/recording_tasks.h"

namespace lethe {

/// What has to be had before there is a service.
struct ServiceInputs {
  std::unique_ptr<CagedMediaDecoder> media;
  EngineCatalog engines;
  DataFolder data;
};

/// A model that is named twice is loaded once.
/// Errors: as ChooseKernels() and LoadModels(), with the name of the engine
Result<EngineCatalog> LoadEngines(const ServeOptions& options);

/// Thread: one, which constructs, starts and stops it
class Service {
 public:
  /// Nothing runs yet. `options` outlive it.
  Service(const ServeOptions& options, ServeSettings settings, ServiceInputs inputs);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Forgets what is over, or was erased though a backup brought it back; then opens the ports.
  /// Errors: what of that cannot be done; as HttpServer::Start(). Only destroy it then
  Status Start();

  /// Those of the settings' addresses, in their order.
  std::vector<std::uint16_t> ports() const { return server_->ports(); }

  /// To be called about once a second: logs what has changed, keeps the watch's history.
  void Look();

  /// Reads the certificate and its key again, and logs what became of that.
  void ReadCertificate();

  /// Lets calls under way end, for `options.grace_seconds` at most.
  void Stop();

 private:
  Status Forget();
  // Logs what comparisons with the ledger found since the last call.
  void ShowFound();
  Router MakeRouter();
  WatchCounts Counts() const { return ReadWatchCounts(operations_); }

  // Constant after construction.
  const ServeOptions& options_;
  const ServeSettings settings_;
  const TaskHolder node_;

  // The order is that in which they need each other.
  const std::unique_ptr<CagedMediaDecoder> media_;
  const EngineCatalog engines_;
  DataFolder data_;
  FeeEstimator fees_;
  CreditGate credit_;
  Meter meter_;
  CallGate gate_;
  FairPool pool_, quick_pool_, erasures_;
  Recognizer recognizer_;
  WordLists word_lists_;
  OutboundClient outbound_;
  DecisionFeed decisions_;
  LedgerFeed feed_;
  Sweeper sweeper_;
  CallsUnderWay calls_;
  CancellationWatch cancellations_;
  ConsoleAccess console_;
  StandingFiles files_;
  FaceContext context_;
  HealthLog health_;
  Journal::Recovery shown_;
  WatchHistory history_;
  std::atomic<bool> stopping_ = false;
  // Tasks run from the moment they are there, so only once all was forgotten that had to be.
  std::optional<RecordingTasks> tasks_;
  std::optional<Eraser> eraser_;
  std::atomic<HttpServer*> started_ = nullptr;  // asked for its counts while it answers already
  OperationsParts operations_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace lethe
