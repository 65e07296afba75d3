#include "model/moonshine/internal/rotary.h"

#include <cmath>
#include <cstddef>

namespace lethe::moonshine {

RotaryTable::RotaryTable(const std::vector<float>& inverse_frequency, int positions)
    : pairs_(static_cast<int>(inverse_frequency.size())), positions_(positions) {
  table_.reserve(static_cast<std::size_t>(positions) * pairs_ * 2);
  for (int p = 0; p < positions; ++p) {
    for (float f : inverse_frequency) {
      // In double and then rounded, so that the last bit is the same with every C library.
      const double angle = static_cast<float>(p) * f;
      table_.push_back(static_cast<float>(std::cos(angle)));
      table_.push_back(static_cast<float>(std::sin(angle)));
    }
  }
}

}  // namespace lethe::moonshine
