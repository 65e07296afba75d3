#pragma once

// Whether values are numbers, for samples that come by the million.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lethe {

/// True if none of the values is infinite or not a number.
inline bool AllFinite(std::span<const float> values) {
  // No branch, and lanes of a constant number: compilers make vectors of it. An exponent of ones
  // runs over into the sign.
  constexpr std::size_t kSideBySide = 16;
  std::array<std::uint32_t, kSideBySide> over{};
  const auto add = [](std::uint32_t* to, float value) {
    *to |= (std::bit_cast<std::uint32_t>(value) & 0x7f800000u) + 0x00800000u;
  };
  std::size_t i = 0;
  for (; i + kSideBySide <= values.size(); i += kSideBySide) {
    for (std::size_t j = 0; j < kSideBySide; ++j) add(&over[j], values[i + j]);
  }
  for (; i < values.size(); ++i) add(&over[0], values[i]);
  std::uint32_t any = 0;
  for (const std::uint32_t lane : over) any |= lane;
  return (any & 0x80000000u) == 0;
}

}  // namespace lethe
