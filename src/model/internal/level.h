#pragma once

// How loud speech is, and what brings quiet speech to a level at which models know it: what they
// were trained on is seldom as quiet as a microphone far away.

#include <span>

#include "kernels/kernels.h"

namespace lethe {

/// The level that lasts for three windows, 96 ms: shorter than most syllables, longer than most
/// clicks. The level of a window is its root mean square. A constant offset counts, for it would be
/// raised too.
class SustainedLevel {
 public:
  static constexpr int kWindow = 512;

  explicit SustainedLevel(const KernelTable& kernels) : kernels_(kernels) {}

  /// Takes the next window [kWindow]; returns the level sustained up to its end, 0 before the
  /// third.
  float Add(std::span<const float> window);
  /// Of the last window alone.
  float last() const { return levels_[2]; }

 private:
  const KernelTable& kernels_;
  float levels_[3] = {};  // the oldest first
};

/// What samples are multiplied by whose sustained level is `level`: 1 where that is ordinary, more
/// where it is less.
/// Units: level 1 is full scale; -> in [1, 100], 40 dB
float GainOfQuiet(float level);

/// The same for a whole utterance, by the loudest of its sustained levels.
/// Shapes: samples [n] f32; shorter than three windows: as it is
float GainOfQuiet(const KernelTable& kernels, std::span<const float> samples);

}  // namespace lethe
