#include "server/operations.h"

#include <chrono>
#include <string>

namespace lethe {
namespace {

void Line(std::string* text, const char* name, const char* help, const char* type,
          std::uint64_t value) {
  *text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" +
           name + " " + std::to_string(value) + "\n";
}

// What is over and still there, by what holds it.
void RetentionLines(std::string* text, const std::vector<Sweeper::Report>& reports) {
  const auto lines = [&](const char* name, const char* help, const char* type, auto value) {
    *text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    for (const Sweeper::Report& report : reports) {
      *text += std::string(name) + "{of=\"" + report.name + "\"} " + value(report) + "\n";
    }
  };
  lines("lethe_retention_removed_total", "Things removed because their time was over.", "counter",
        [](const Sweeper::Report& report) { return std::to_string(report.removed); });
  lines("lethe_retention_failures_total", "Sweeps that could not be finished.", "counter",
        [](const Sweeper::Report& report) { return std::to_string(report.failures); });
  lines("lethe_retention_lateness_seconds",
        "Nothing whose time was over longer ago than this is still there.", "gauge",
        [](const Sweeper::Report& report) {
          return std::to_string(static_cast<double>(report.lateness.count()) / 1000);
        });
}

std::string Metrics(const OperationsParts& parts) {
  std::string text;
  const ServerCounts counts = parts.server();
  Line(&text, "lethe_connections_total", "Connections accepted.", "counter", counts.connections);
  Line(&text, "lethe_connections_open", "Connections open now.", "gauge", counts.open);
  Line(&text, "lethe_connections_refused_total", "Connections turned away: too many were open.",
       "counter", counts.refused);
  Line(&text, "lethe_http_requests_total", "Requests answered.", "counter", counts.requests);
  Line(&text, "lethe_http_bad_requests_total",
       "Requests that reached no interface: broken, too large, too slow, no such path.", "counter",
       counts.bad_requests);
  Line(&text, "lethe_usage_rows_lost_total", "Rows of usage that could not be written.", "counter",
       parts.meter.lost());
  RetentionLines(&text, parts.retention());
  const LedgerFeed::Report ledger = parts.ledger();
  Line(&text, "lethe_ledger_is_ours", "1 if this process writes the ledger.", "gauge",
       ledger.is_ours ? 1 : 0);
  Line(&text, "lethe_ledger_leaves", "Leaves of the ledger.", "gauge", ledger.leaves);
  Line(&text, "lethe_ledger_heads", "Signed heads of the ledger.", "gauge", ledger.heads);
  Line(&text, "lethe_ledger_failures_total", "Times that the ledger could not be told.", "counter",
       ledger.failures);
  text +=
      "# HELP lethe_calls_total Finished calls by interface and result.\n"
      "# TYPE lethe_calls_total counter\n";
  for (const auto& [key, count] : parts.meter.counts()) {
    text += "lethe_calls_total{interface=\"" + std::string(InterfaceName(key.first)) +
            "\",result=\"" + key.second + "\"} " + std::to_string(count) + "\n";
  }
  return text;
}

// That what is over is not removed is no reason to send calls elsewhere, where it would be no
// better; but whoever looks should see it.
constexpr std::chrono::minutes kLate{10};

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
