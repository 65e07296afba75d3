#pragma once

// What the calls of an interface came to since the start, for metrics.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "store/usage.h"

namespace lethe {

struct CallFigures {
  /// Calls are told apart by how long they lasted, from their first byte to their last: up to the
  /// first of these, up to the second, ..., longer than all. A live call lasts as long as it is
  /// open.
  static constexpr std::array kBounds = {
      Millis{50},    Millis{100},    Millis{250},    Millis{500},    Millis{1'000},  Millis{2'500},
      Millis{5'000}, Millis{10'000}, Millis{30'000}, Millis{60'000}, Millis{300'000}};

  std::array<std::uint64_t, kBounds.size() + 1> lasted{};
  Millis duration{0};        // of all
  std::uint64_t faults = 0;  // calls that failed by the service's own fault (IsServerFault())
  Millis audio{0};           // of all, as it is metered

  /// Counts a call whose fault is set.
  void Add(const FinishedCall& call) {
    const Millis took = std::chrono::floor<Millis>(call.end - call.start);
    std::size_t i = 0;
    while (i < kBounds.size() && took > kBounds[i]) ++i;
    ++lasted[i];
    duration += took;
    faults += call.server_fault ? 1 : 0;
    audio += call.audio;
  }
};

}  // namespace lethe
