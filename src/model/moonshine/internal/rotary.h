#pragma once

// Rotary positions, tabulated.

#include <vector>

namespace lethe::moonshine {

/// cos and sin of position * inverse_frequency, in pairs: [positions, rotary_dim / 2, 2].
class RotaryTable {
 public:
  RotaryTable(const std::vector<float>& inverse_frequency, int positions);

  int positions() const { return positions_; }
  /// Turns the first rotary_dim values of a head, as pairs (2i, 2i + 1), by their position's
  /// angles. Source: Su et al. 2021, arXiv:2104.09864, in the interleaved form.
  void Rotate(float* head, int position) const;

 private:
  int pairs_;
  int positions_;
  std::vector<float> table_;
};

}  // namespace lethe::moonshine
