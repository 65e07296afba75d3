#pragma once

// Rotary positions, tabulated.

#include <cstddef>
#include <vector>

namespace lethe::moonshine {

/// cos and sin of position * inverse_frequency, in pairs: [positions, rotary_dim / 2, 2].
class RotaryTable {
 public:
  RotaryTable(const std::vector<float>& inverse_frequency, int positions);

  int positions() const { return positions_; }
  /// The angles of a position, as KernelTable::rotate takes them.
  const float* Angles(int position) const {
    return table_.data() + static_cast<std::size_t>(position) * pairs_ * 2;
  }

 private:
  int pairs_;
  int positions_;
  std::vector<float> table_;
};

}  // namespace lethe::moonshine
