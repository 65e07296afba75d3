#include "server/internal/own_api_watch.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "server/internal/own_api_json.h"

namespace lethe::server_internal {
namespace {

using Json = OwnApiJson;

// To the millisecond, and so short in JSON.
double Rounded(double value) { return std::round(value * 1000) / 1000; }
double Seconds(std::chrono::duration<double> time) { return Rounded(time.count()); }

template <class Number>
Json OrNull(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

// Interfaces without calls are left out.
Json Show(const std::array<WatchSample::Calls, kInterfaces.size()>& calls) {
  Json shown = Json::object();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].ended == 0) continue;
    shown[std::string(InterfaceName(kInterfaces[i]))] = {{"ended", calls[i].ended},
                                                         {"faults", calls[i].faults}};
  }
  return shown;
}

Json Show(const std::optional<LatencyQuantiles>& latency) {
  if (!latency) return nullptr;
  return {{"p50", Seconds(latency->p50)},
          {"p95", Seconds(latency->p95)},
          {"p99", Seconds(latency->p99)}};
}

Json Show(const WatchSample& sample) {
  return {{"number", sample.number},
          {"time", UnixSeconds(sample.time)},
          {"lasted", Seconds(sample.lasted)},
          {"calls", Show(sample.calls)},
          {"latency", Show(sample.latency)},
          {"refused", sample.refused},
          {"rows_lost", sample.rows_lost},
          {"heard", Seconds(sample.heard)},
          {"rtf", sample.rtf ? Json(Rounded(*sample.rtf)) : Json(nullptr)},
          {"live_streams", sample.live_streams},
          {"recordings", sample.recordings},
          {"calls_waiting", sample.calls_waiting},
          {"stretches_waiting", sample.stretches_waiting},
          {"erasure_late", Seconds(sample.erasure_late)},
          {"ledger_late", Seconds(sample.ledger_late)},
          {"resident_bytes", sample.resident_bytes}};
}

}  // namespace

HttpResponse ShowWatch(const OwnApiWatch& watch, const Clock& clock, const OwnApiCaller& caller,
                       const HttpRequest& request) {
  if (caller.app_id) {
    return OwnApiError(403, "permission_denied",
                       "only the operator watches the service: send the console's password");
  }
  std::optional<std::uint64_t> after;
  const Status status = ReadNumber(ReadQuery(request), "after", &after);
  if (!status.ok()) return OwnApiError(status);
  const WatchCounts now = watch.counts();
  Json samples = Json::array();
  for (const WatchSample& sample : watch.history.After(after.value_or(0))) {
    samples.push_back(Show(sample));
  }
  return OwnApiAnswer({{"now", UnixSeconds(clock.Now())},
                       {"process", {{"node", watch.node}, {"started", Rounded(now.started)}}},
                       {"interval", kWatchInterval.count()},
                       {"keeps", kWatchInterval.count() * static_cast<std::int64_t>(kWatchSamples)},
                       {"state",
                        {{"held", now.held},
                         {"clock_behind", Seconds(now.clock_behind)},
                         {"ledger_is_ours", now.ledger_is_ours},
                         {"rows_lost", now.rows_lost},
                         {"live_streams", now.engine.live_streams},
                         {"calls_waiting", now.calls_waiting},
                         {"resident_bytes", now.resident_bytes},
                         {"memory_limit", now.memory_limit},
                         {"disk_size", OrNull(now.disk_size)},
                         {"disk_free", OrNull(now.disk_free)}}},
                       {"samples", std::move(samples)}});
}

}  // namespace lethe::server_internal
