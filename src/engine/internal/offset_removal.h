#pragma once

// Takes a constant offset out of a stream, as cheap microphones add one.

#include <array>
#include <span>

namespace lethe {

/// Subtracts what the samples before are in the mean, the last half second counting most, where
/// that is an offset worth speaking of. Voice activity is deaf beside an offset louder than the
/// voice, and the speech model hears worse.
///
/// Units:     16 kHz; what is subtracted is at most full scale, so that one absurd sample does not
///            spoil what follows
/// Invariant: how samples are cut into calls changes no bit
/// Thread:    one at a time
class OffsetRemoval {
 public:
  /// Shapes: samples [n] f32, finite; in place
  void Remove(std::span<float> samples);

 private:
  void Take(std::span<float> part);
  void EndBlock();

  float mean_ = 0;
  int weight_ = 0;  // blocks that the mean is worth
  bool matters_ = false;
  // What is subtracted goes evenly from one to the other within a block.
  float from_ = 0, to_ = 0;
  std::array<float, 4> sums_ = {};  // of every fourth sample of the block so far
  int filled_ = 0;                  // samples of it
};

}  // namespace lethe
