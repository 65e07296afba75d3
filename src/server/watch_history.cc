#include "server/watch_history.h"

#include <algorithm>

namespace lethe {
namespace {

// As of those the alert LetheSlow looks at: others last as long as somebody speaks, or wait for
// nobody.
constexpr std::array kWaitedFor = {Interface::kSentence, Interface::kFlash, Interface::kOpenAi};

using Buckets = std::array<std::uint64_t, CallFigures::kBounds.size() + 1>;

template <class Number>
Number Grown(Number before, Number now) {
  return now < before ? now : now - before;
}

// When one bucket has begun anew, all have.
Buckets Grown(const Buckets& before, const Buckets& now) {
  Buckets grown = now;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] < before[i]) return now;
    grown[i] = now[i] - before[i];
  }
  return grown;
}

std::uint64_t SumOf(const Buckets& buckets) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : buckets) sum += count;
  return sum;
}

std::chrono::duration<double> QuantileOf(const Buckets& lasted, double share) {
  const double rank = share * static_cast<double>(SumOf(lasted));
  double below = 0;
  std::chrono::duration<double> from{0};
  for (std::size_t i = 0; i < CallFigures::kBounds.size(); ++i) {
    const std::chrono::duration<double> to = CallFigures::kBounds[i];
    const auto inside = static_cast<double>(lasted[i]);
    if (inside > 0 && below + inside >= rank) return from + (to - from) * ((rank - below) / inside);
    below += inside;
    from = to;
  }
  return from;
}

WatchSample Between(const WatchCounts& before, const WatchCounts& now) {
  WatchSample sample;
  Buckets waited{};
  for (std::size_t i = 0; i < kInterfaces.size(); ++i) {
    const Buckets lasted = Grown(before.calls[i].lasted, now.calls[i].lasted);
    sample.calls[i] = {.ended = SumOf(lasted),
                       .faults = Grown(before.calls[i].faults, now.calls[i].faults)};
    if (std::find(kWaitedFor.begin(), kWaitedFor.end(), kInterfaces[i]) == kWaitedFor.end()) {
      continue;
    }
    for (std::size_t bucket = 0; bucket < waited.size(); ++bucket) {
      waited[bucket] += lasted[bucket];
    }
  }
  sample.latency = QuantilesOf(waited);
  sample.refused = Grown(before.refused, now.refused);
  sample.rows_lost = Grown(before.rows_lost, now.rows_lost);
  sample.heard = Grown(before.engine.heard, now.engine.heard);
  const std::chrono::duration<double> busy = Grown(before.engine.busy, now.engine.busy);
  if (sample.heard >= std::chrono::seconds(1)) sample.rtf = busy / sample.heard;
  sample.live_streams = now.engine.live_streams;
  sample.recordings = now.engine.recordings;
  sample.calls_waiting = now.calls_waiting;
  sample.stretches_waiting = static_cast<std::uint64_t>(now.engine.waiting);
  sample.erasure_late = now.erasure_late;
  sample.ledger_late = now.ledger_late;
  sample.resident_bytes = now.resident_bytes;
  return sample;
}

}  // namespace

std::optional<LatencyQuantiles> QuantilesOf(const Buckets& lasted) {
  if (SumOf(lasted) == 0) return std::nullopt;
  return LatencyQuantiles{.p50 = QuantileOf(lasted, 0.5),
                          .p95 = QuantileOf(lasted, 0.95),
                          .p99 = QuantileOf(lasted, 0.99)};
}

bool WatchHistory::IsDue(Steady::time_point now) const {
  const MutexLock lock(mutex_);
  return !before_ || now - looked_ >= kWatchInterval;
}

void WatchHistory::Add(const WatchCounts& counts, WallTime time, Steady::time_point now) {
  const MutexLock lock(mutex_);
  if (before_) {
    WatchSample sample = Between(*before_, counts);
    sample.number = ++last_;
    sample.time = time;
    sample.lasted = now - looked_;
    if (ring_.size() < most_) {
      ring_.push_back(sample);
    } else {
      ring_[(last_ - 1) % most_] = sample;
    }
  }
  before_ = counts;
  looked_ = now;
}

std::vector<WatchSample> WatchHistory::After(std::uint64_t number) const {
  const MutexLock lock(mutex_);
  if (number > last_) number = 0;
  number = std::max(number, last_ - ring_.size());
  std::vector<WatchSample> samples;
  samples.reserve(last_ - number);
  while (number < last_) samples.push_back(ring_[number++ % most_]);
  return samples;
}

}  // namespace lethe
