#pragma once

// Times of any number of calls in bounded memory, exact where it matters.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/units.h"
#include "metering/sla.h"

namespace lethe {

/// Thread: one
class TimeCounts {
 public:
  void Add(Millis time) {
    const std::size_t bin = BinOf(time);
    if (bin >= counts_.size()) counts_.resize(bin + 1);
    ++counts_[bin];
    ++total_;
  }

  /// Nothing when nothing was added.
  std::optional<Percentiles> percentiles() const {
    if (total_ == 0) return std::nullopt;
    return Percentiles{.p50 = AtRank(50), .p95 = AtRank(95), .p99 = AtRank(99)};
  }

 private:
  // A bin for each millisecond, then one for each second, rounded up.
  static constexpr std::int64_t kFine = 60'000, kMost = std::int64_t{6} * 3'600'000;

  static std::size_t BinOf(Millis time) {
    const std::int64_t millis = std::clamp<std::int64_t>(time.count(), 0, kMost);
    if (millis <= kFine) return static_cast<std::size_t>(millis);
    return static_cast<std::size_t>(kFine + (millis - kFine + 999) / 1000);
  }

  static Millis TimeOf(std::size_t bin) {
    const auto number = static_cast<std::int64_t>(bin);
    return Millis(number <= kFine ? number : kFine + (number - kFine) * 1000);
  }

  Millis AtRank(std::uint64_t percent) const {
    const std::uint64_t rank = (total_ * percent + 99) / 100;  // from 1
    std::uint64_t seen = 0;
    std::size_t bin = 0;
    while ((seen += counts_[bin]) < rank) ++bin;
    return TimeOf(bin);
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace lethe
