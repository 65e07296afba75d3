#include "server/operations.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include "server/internal/metrics_text.h"
#include "server/internal/process_metrics.h"
#include "store/interface.h"

namespace lethe {
namespace {

using server_internal::MetricsText;

void ServerMetrics(MetricsText& text, const ServerCounts& counts) {
  text.Single("lethe_connections_total", "counter", "Connections accepted.", counts.connections);
  text.Single("lethe_connections_open", "gauge", "Connections open now.", counts.open);
  text.Single("lethe_connections_refused_total", "counter",
              "Connections turned away: too many were open.", counts.refused);
  text.Single("lethe_http_requests_total", "counter", "Requests answered.", counts.requests);
  text.Single("lethe_http_bad_requests_total", "counter",
              "Requests that reached no interface: broken, too large, too slow, no such path.",
              counts.bad_requests);
  if (counts.certificate_until) {
    text.Single("lethe_tls_certificate_expiry_timestamp_seconds", "gauge",
                "Until when the certificate holds that new connections are shown, since 1970.",
                static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(
                                               counts.certificate_until->time_since_epoch())
                                               .count()));
  }
}

void CallMetrics(MetricsText& text, const Meter& meter) {
  text.Metric("lethe_calls_total", "counter", "Finished calls by interface and result.");
  for (const auto& [key, count] : meter.counts()) {
    text.Value(count, {{"interface", InterfaceName(key.first)}, {"result", key.second}});
  }
  const auto figures = meter.figures();
  // Every interface from the start: a rate needs a value before the first call.
  const auto each = [&](auto value) {
    for (const Interface interface : kInterfaces) {
      const auto found = figures.find(interface);
      value(InterfaceName(interface), found == figures.end() ? CallFigures() : found->second);
    }
  };
  text.Metric("lethe_call_faults_total", "counter",
              "Finished calls that failed by the service's own fault.");
  each([&](std::string_view interface, const CallFigures& calls) {
    text.Value(calls.faults, {{"interface", interface}});
  });
  text.Metric("lethe_audio_seconds_total", "counter", "Audio of finished calls, as it is metered.");
  each([&](std::string_view interface, const CallFigures& calls) {
    text.Value(static_cast<double>(calls.audio.count()) / 1000, {{"interface", interface}});
  });
  text.Metric("lethe_call_duration_seconds", "histogram",
              "How long finished calls lasted; live ones last as long as they are open.");
  each([&](std::string_view interface, const CallFigures& calls) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < calls.lasted.size(); ++i) {
      sum += calls.lasted[i];
      const std::string bound =
          i < CallFigures::kBounds.size()
              ? server_internal::ShowMetric(static_cast<double>(CallFigures::kBounds[i].count()) /
                                            1000)
              : "+Inf";
      text.Value(sum, {{"interface", interface}, {"le", bound}}, "_bucket");
    }
    text.Value(static_cast<double>(calls.duration.count()) / 1000, {{"interface", interface}},
               "_sum");
    text.Value(sum, {{"interface", interface}}, "_count");
  });
  text.Single("lethe_usage_rows_lost_total", "counter", "Rows of usage that could not be written.",
              meter.lost());
}

// A model that has several names is one engine.
EngineFigures FiguresOf(const EngineCatalog& engines) {
  EngineFigures figures;
  std::set<const SpeechEngine*> seen;
  for (const EngineEntry& entry : engines.Offered()) {
    if (seen.insert(entry.speech).second) figures += entry.speech->engine->figures();
  }
  return figures;
}

void EngineMetrics(MetricsText& text, const EngineFigures& figures) {
  const auto seconds = [](std::chrono::duration<double> time) { return time.count(); };
  text.Single("lethe_engine_live_streams", "gauge", "Live streams that are open.",
              static_cast<std::uint64_t>(figures.live_streams));
  text.Single("lethe_engine_recordings", "gauge", "Recordings that are being heard.",
              static_cast<std::uint64_t>(figures.recordings));
  text.Single("lethe_engine_waiting", "gauge", "Stretches of recordings that wait for the engine.",
              static_cast<std::uint64_t>(figures.waiting));
  text.Single("lethe_engine_heard_seconds_total", "counter", "Audio that the engine was given.",
              seconds(figures.heard));
  text.Single("lethe_engine_busy_seconds_total", "counter",
              "How long the engine's threads were at work, together.", seconds(figures.busy));
}

void PoolMetrics(MetricsText& text, const std::vector<NamedPool>& pools) {
  text.Metric("lethe_pool_waiting", "gauge", "Calls that wait for their turn.");
  for (const NamedPool& pool : pools) {
    text.Value(std::uint64_t{pool.pool.waiting()}, {{"pool", pool.name.text()}});
  }
  text.Metric("lethe_pool_refused_total", "counter",
              "Calls turned away because too many of their application waited.");
  for (const NamedPool& pool : pools) {
    text.Value(pool.pool.refused(), {{"pool", pool.name.text()}});
  }
}

// What is over and still there, by what holds it; what the ledger knows of it.
void PromiseMetrics(MetricsText& text, const OperationsParts& parts) {
  const std::vector<Sweeper::Report> reports = parts.retention();
  text.Metric("lethe_retention_removed_total", "counter",
              "Things removed because their time was over.");
  for (const Sweeper::Report& report : reports) text.Value(report.removed, {{"of", report.name}});
  text.Metric("lethe_retention_failures_total", "counter", "Sweeps that could not be finished.");
  for (const Sweeper::Report& report : reports) text.Value(report.failures, {{"of", report.name}});
  text.Metric("lethe_retention_lateness_seconds", "gauge",
              "Nothing whose time was over longer ago than this is still there.");
  for (const Sweeper::Report& report : reports) {
    text.Value(static_cast<double>(report.lateness.count()) / 1000, {{"of", report.name}});
  }
  text.Single("lethe_retention_held", "gauge",
              "1 while the clock is not believed because it leapt ahead.",
              std::uint64_t{parts.held() ? 1U : 0U});
  text.Single("lethe_records_silence_seconds", "gauge",
              "Since the records last answered; callers are not served without them.",
              static_cast<double>(parts.records_silence().count()) / 1000);
  text.Single("lethe_clock_behind_seconds", "gauge",
              "How far the machine's clock is behind the latest time that the service has seen.",
              static_cast<double>(parts.clock_behind().count()) / 1000);
  text.Single("lethe_files_lost", "gauge",
              "1 while records or ledger were removed or replaced under the service.",
              std::uint64_t{parts.files_lost() ? 1U : 0U});
  text.Single("lethe_records_log_held_seconds", "gauge",
              "For how long a reader of the records has kept what was removed in their log.",
              static_cast<double>(parts.log_held().count()) / 1000);
  const LedgerFeed::Report ledger = parts.ledger();
  text.Single("lethe_ledger_is_ours", "gauge", "1 if this process writes the ledger.",
              std::uint64_t{ledger.is_ours ? 1U : 0U});
  text.Single("lethe_ledger_leaves", "gauge", "Leaves of the ledger.", ledger.leaves);
  text.Single("lethe_ledger_heads", "gauge", "Signed heads of the ledger.", ledger.heads);
  text.Single("lethe_ledger_failures_total", "counter",
              "Reasons, one after the other, why the ledger could not be told.", ledger.failures);
  text.Single("lethe_ledger_lateness_seconds", "gauge",
              "Since the ledger was told without an error, or another process had it.",
              static_cast<double>(ledger.lateness.count()) / 1000);
  const CallbackCounts callbacks = parts.callbacks();
  text.Metric("lethe_callbacks_total", "counter", "Callbacks of recording tasks by outcome.");
  text.Value(callbacks.delivered, {{"outcome", "delivered"}});
  text.Value(callbacks.given_up, {{"outcome", "given_up"}});
}

std::string Metrics(const OperationsParts& parts) {
  MetricsText text;
  text.Metric("lethe_build_info", "gauge", "1; the label says which version runs.");
  text.Value(std::uint64_t{1}, {{"version", LETHE_VERSION}});
  ServerMetrics(text, parts.server());
  CallMetrics(text, parts.meter);
  EngineMetrics(text, FiguresOf(parts.engines));
  PoolMetrics(text, parts.pools);
  PromiseMetrics(text, parts);
  server_internal::AddProcessMetrics(text, parts.data_folder);
  return text.Take();
}

// That what is over is not removed is no reason to send calls elsewhere, where it would be no
// better; but whoever looks should see it.
constexpr std::chrono::minutes kLate{10};
// A look every second, and a database that is started again, are none of it.
constexpr std::chrono::seconds kSilent{10};

std::string LateLines(const std::vector<Sweeper::Report>& reports) {
  std::string text;
  for (const Sweeper::Report& report : reports) {
    if (report.lateness < kLate) continue;
    text += "late: " + report.name + ", not swept clean for " +
            std::to_string(report.lateness / std::chrono::seconds(1)) + " s\n";
  }
  return text;
}

}  // namespace

WatchCounts ReadWatchCounts(const OperationsParts& parts) {
  WatchCounts counts;
  const auto figures = parts.meter.figures();
  for (std::size_t i = 0; i < kInterfaces.size(); ++i) {
    const auto found = figures.find(kInterfaces[i]);
    if (found != figures.end()) counts.calls[i] = found->second;
  }
  counts.rows_lost = parts.meter.lost();
  counts.engine = FiguresOf(parts.engines);
  for (const NamedPool& pool : parts.pools) {
    counts.refused += pool.pool.refused();
    counts.calls_waiting += pool.pool.waiting();
  }
  for (const Sweeper::Report& report : parts.retention()) {
    counts.erasure_late = std::max(counts.erasure_late, report.lateness);
  }
  const LedgerFeed::Report ledger = parts.ledger();
  counts.ledger_late = ledger.lateness;
  counts.ledger_is_ours = ledger.is_ours;
  counts.held = parts.held();
  counts.clock_behind = parts.clock_behind();
  const auto process = server_internal::ReadProcessFigures(parts.data_folder);
  counts.resident_bytes = process.resident_bytes;
  counts.memory_limit = process.memory_limit;
  counts.started = process.started;
  if (process.disk) {
    counts.disk_size = process.disk->size;
    counts.disk_free = process.disk->free;
  }
  return counts;
}

void AddOperationsRoutes(Router& router, const OperationsParts& parts) {
  router.Add({.method = "GET",
              .path = "/healthz",
              .http = [](const HttpRequest&) -> Awaitable<HttpResponse> {
                co_return HttpResponse{.content_type = "text/plain", .body = "ok\n"};
              }});
  router.Add({.method = "GET",
              .path = "/readyz",
              .http = [parts](const HttpRequest&) -> Awaitable<HttpResponse> {
                HttpResponse response{.content_type = "text/plain", .body = "ready\n"};
                if (parts.stopping) {
                  response.status = 503;
                  response.body = "stopping\n";
                } else if (parts.engines.Offered().empty()) {
                  response.status = 503;
                  response.body = "no engine\n";
                } else if (const Millis silence = parts.records_silence(); silence > kSilent) {
                  // Nobody's key can be looked up.
                  response.status = 503;
                  response.body = "records: no answer for " +
                                  std::to_string(silence / std::chrono::seconds(1)) + " s\n";
                } else if (const auto lost = parts.files_lost()) {
                  // What is written there is lost when the process ends.
                  response.status = 503;
                  response.body = std::string(lost->text()) + ": removed or replaced\n";
                }
                response.body += LateLines(parts.retention());
                co_return response;
              }});
  router.Add({.method = "GET",
              .path = "/metrics",
              .http = [parts](const HttpRequest&) -> Awaitable<HttpResponse> {
                co_return HttpResponse{.content_type = "text/plain; version=0.0.4",
                                       .body = Metrics(parts)};
              }});
}

}  // namespace lethe
