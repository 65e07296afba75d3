#pragma once

// The recording that golden numbers are made from; signal.mjs is its twin and explains it. Both are
// compared with `signal.sha256` of golden.json.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lethe {

/// Units: 16 kHz mono; divided by 32768 they are what the models get
inline std::vector<std::int16_t> MakeGoldenSignal() {
  constexpr std::int64_t kNumSamples = 25600;
  constexpr std::int64_t kBurst = kNumSamples / 4;
  struct Resonator {
    std::int64_t c1, c2;
  };
  constexpr Resonator kResonators[4][2] = {
      {{30820, 15753}, {29003, 15508}},
      {{31950, 15753}, {19757, 15386}},
      {{31908, 15753}, {30037, 15508}},
      {{30820, 15753}, {29003, 15508}},
  };
  std::vector<std::int16_t> samples;
  std::uint32_t random = 1;
  std::uint32_t phase = 0;
  std::int64_t y[2][2] = {};
  for (std::int64_t n = 0; n < kNumSamples; ++n) {
    const std::int64_t within = n % kBurst;
    if (within == 0) std::fill(&y[0][0], &y[0][0] + 4, 0);
    const std::uint32_t before = phase;
    phase += 29527900U + 524U * static_cast<std::uint32_t>(n);
    std::int64_t x = phase < before ? 4096 : 0;
    for (int r = 0; r < 2; ++r) {
      const Resonator& resonator = kResonators[n / kBurst][r];
      // Shifts to the right are arithmetic: they round down, as the twin's Math.floor does.
      const std::int64_t next = ((resonator.c1 * y[r][0] - resonator.c2 * y[r][1]) >> 14) + x;
      y[r][1] = y[r][0];
      y[r][0] = next;
      x = next >> 3;
    }
    const std::int64_t level =
        std::clamp(std::min(within, kBurst - 1600 - within), std::int64_t{0}, std::int64_t{800});
    random = random * 1664525U + 1013904223U;
    const std::int64_t noise = static_cast<std::int64_t>(random >> 23) - 256;
    const std::int64_t product = x * level;
    const std::int64_t scaled = product / 800 - (product % 800 < 0 ? 1 : 0);
    samples.push_back(static_cast<std::int16_t>(
        std::clamp(scaled + noise, std::int64_t{-32768}, std::int64_t{32767})));
  }
  return samples;
}

}  // namespace lethe
