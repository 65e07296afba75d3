#pragma once

// The findings so far: all are counted, and the first of each kind are kept in words. One dropped
// leaf can spoil the account of a thousand others; that must not crowd out what it comes from.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "ledger/verifier.h"

namespace lethe {

/// "2026-11-24 12:00:00 UTC".
inline std::string ShowUtc(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

class Findings {
 public:
  void Add(FindingKind kind, std::string what) {
    ++count_;
    if (++told_of_kind_[static_cast<std::size_t>(kind)] > kMaxToldOfAKind) return;
    told_.push_back({.kind = kind, .what = std::move(what)});
  }
  std::uint64_t count() const { return count_; }
  std::vector<Finding> Take() {
    std::ranges::stable_sort(told_, {}, &Finding::kind);
    return std::move(told_);
  }

 private:
  std::uint64_t count_ = 0;
  std::array<std::uint64_t, 12> told_of_kind_{};
  std::vector<Finding> told_;
};

}  // namespace lethe
